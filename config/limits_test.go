package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolcast/poolcast/config/files"
)

// TestLoadIrregularFiles checks files that would block the read or fill the memory:
// a FIFO, also in a folder, a device without end, and a large file.
func TestLoadIrregularFiles(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	if err := errors.Join(
		os.Mkdir(in("conf.d"), 0o700),
		syscall.Mkfifo(in("fifo"), 0o600),
		syscall.Mkfifo(in("conf.d/a.conf"), 0o600),
		os.WriteFile(in("large"), nil, 0o600),
		os.Truncate(in("large"), files.MaxConfig+1),
	); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		input Input
		want  string
	}{
		{Input{Path: in("fifo")}, "is a FIFO"},
		{Input{Path: "/dev/zero"}, "is a device"},
		{Input{Path: in("large")}, "is too large"},
		{Input{Path: folder}, "is a folder"},
		{Input{Path: in("conf.d"), Dir: true}, "a.conf: cannot be read: is not a regular file: it is a FIFO"},
	} {
		_, err := Load(Sources{Inputs: []Input{c.input}})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "regular files that cinder-volume reads") {
			t.Errorf("%s: got %v", c.input.Path, err)
		}
	}
}

// TestLoadTimeIsLinear checks the time against the number of keys in a section. It
// was quadratic once: 13.8 s for 80,000 keys.
func TestLoadTimeIsLinear(t *testing.T) {
	took := func(n int) time.Duration {
		text := manyKeys("other", n)
		least := time.Hour
		for range 3 {
			begin := processorTime(t)
			if _, err := load(Sources{Inputs: Files("x")}, func(string) ([]byte, error) { return []byte(text), nil }); err != nil {
				t.Fatal(err)
			}
			least = min(least, processorTime(t)-begin)
		}
		return least
	}
	few, many := took(5_000), took(80_000)
	if many > 80*few {
		t.Errorf("5,000 keys take %s and 80,000 take %s", few, many)
	}
}

// processorTime does not depend on the load of the machine.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// TestLoadLimitsFaults loads files with a fault or a warning in every line.
func TestLoadLimitsFaults(t *testing.T) {
	for name, text := range map[string]string{
		"garbage": strings.Repeat("\x00\x9f garbage\n", 50_000),
		"keys":    manyKeys(sectionPoolcast, 50_000),
		"options": manyKeys(sectionRabbit, 50_000),
	} {
		cfg, err := load(Sources{Inputs: Files("x")}, func(string) ([]byte, error) { return []byte(text), nil })
		if err != nil && (len(err.Error()) > 1<<18 || !strings.Contains(err.Error(), "more faults are not listed")) {
			t.Errorf("%s: %d bytes of faults, the last %.200s", name, len(err.Error()), err.Error()[max(0, len(err.Error())-200):])
		}
		if len(cfg.Warnings) > maxListed+1 {
			t.Errorf("%s: %d warnings", name, len(cfg.Warnings))
		}
	}
}

// TestExtraCapabilitiesReservedKey checks that the key which marks the reports of
// agents is ignored.
func TestExtraCapabilitiesReservedKey(t *testing.T) {
	folder := write(t, map[string]string{"cinder.conf": minimal + "extra_capabilities = {\"metrics_agent\": \"x\", \"tier\": \"gold\"}\n"})
	cfg := mustLoad(t, folder+"/cinder.conf")
	extra := cfg.Backends[0].Extra
	if _, there := extra["metrics_agent"]; there || len(extra) != 1 {
		t.Errorf("extra_capabilities are %v", extra)
	}
	line := 1 + strings.Count(minimal, "\n")
	for _, w := range cfg.Warnings {
		if w.Key == keyExtraCapabilities && w.Line == line && strings.HasSuffix(w.File, "cinder.conf") && strings.Contains(w.String(), "metrics_agent") {
			return
		}
	}
	t.Errorf("no warning names line %d: %v", line, cfg.Warnings)
}
