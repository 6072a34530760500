package input

import (
	"bytes"
	"strings"
	"testing"
)

func TestStandardInputIsBounded(t *testing.T) {
	if _, err := Read(t.Context(), bytes.NewReader(make([]byte, maxBytes+1)), "-"); err == nil || !strings.Contains(err.Error(), "is too large") {
		t.Errorf("standard input without an end: %v", err)
	}
}
