package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

// TestVolumeTypesFileIsBroken: the types that were read last stay, the fault is logged
// once, and so is its end.
func TestVolumeTypesFileIsBroken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "types.json")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	types := &volumeTypes{}
	read := func(path string) {
		before := types
		types = readVolumeTypes(path, before)
		types.logChange(zerolog.New(&log), before)
	}
	find := func(name, want string) {
		t.Helper()
		if _, err := types.find(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	read("")
	find("gold", "set volume_types in [poolcast] to a file with the output of openstack volume type list --long -f json")
	read(path)
	find("gold", "no volume types are known here: read volume types: stat "+path)
	write(`[{"Name":"silver","Properties":{}},{"Name":"gold","Properties":{"a":"b"}}]`)
	read(path)
	find("glod", path+" has no such type; did you mean gold?")
	find("lead-and-copper", path+" has no such type; it has gold and silver")
	if got := types.view(); got.Fault != "" || !slices.Equal(got.Names, []string{"gold", "silver"}) {
		t.Errorf("the view is %+v", got)
	}
	write("+----+\n| ID |\n")
	read(path)
	since := types.view().Since
	read(path)
	if gold, err := types.find("gold"); err != nil || *gold.ExtraSpecs[0].Value != "b" {
		t.Errorf("the last good types are gone: %v, %v", gold, err)
	}
	got := types.view()
	if !strings.Contains(got.Fault, path+": want the output of") || !strings.Contains(got.Fault, "add -f json") || since.IsZero() || got.Since != since || len(got.Names) != 2 {
		t.Errorf("the view is %+v", got)
	}
	write(`[]`)
	read(path)
	if got := types.view(); got.Fault != "" || len(got.Names) != 0 {
		t.Errorf("the view is %+v", got)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 4 || !strings.Contains(lines[0], "cannot be used") || !strings.Contains(lines[1], "read again") || !strings.Contains(lines[2], `"types":2`) {
		t.Errorf("the log is %s", &log)
	}
}

func TestVolumeTypesUnreadableFromTheStart(t *testing.T) {
	t.Parallel()
	if got := readVolumeTypes(t.TempDir(), &volumeTypes{}); got.fault == nil || !strings.Contains(got.fault.Error(), "is a folder") && !strings.Contains(got.fault.Error(), "directory") {
		t.Errorf("a folder is read: %v", got.fault)
	}
}
