package text

import (
	"bytes"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/terminaltest"
)

func TestColorOnTerminalsOnly(t *testing.T) {
	terminal := terminaltest.Open(t, 80).Program
	for _, c := range []struct {
		noColor, term string
		want          bool
	}{{"", "xterm", true}, {"1", "xterm", false}, {"", "dumb", false}, {"", "", true}} {
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("TERM", c.term)
		if got := WantsColor(terminal); got != c.want {
			t.Errorf("NO_COLOR=%s TERM=%s: colour %t", c.noColor, c.term, got)
		}
	}
	if WantsColor(new(bytes.Buffer)) {
		t.Error("colour for what is no terminal")
	}
}
