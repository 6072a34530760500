package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/terminaltest"
)

// onTerminal runs the program on a terminal of a width and returns the lines of its
// output.
func onTerminal(t *testing.T, columns int, args ...string) []string {
	t.Helper()
	terminal := terminaltest.Open(t, columns)
	c := newChild(t, args...)
	c.Env = append(c.Env, "TERM=xterm")
	c.Stdout = terminal.Program
	c.start()
	c.wait()
	return terminaltest.Screen(terminal.End())
}

// fleetConfig is a cinder.conf with arrays in several pools, all with names of 24
// characters.
func fleetConfig(t *testing.T, arrays, pools int) string {
	t.Helper()
	var names []string
	var sections strings.Builder
	for i := range arrays {
		name, pool := fmt.Sprintf("flasharray_x_dc1_r04_%03d", i), fmt.Sprintf("pure_performance_dc1_%03d", i%pools)
		names = append(names, name)
		fmt.Fprintf(&sections, "[%s]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\nvolume_backend_name = %s\nbackend_availability_zone = dc1\nsan_ip = 10.0.%d.1\npure_api_token = t\n", name, pool, i)
	}
	file := filepath.Join(t.TempDir(), "cinder.conf")
	write(t, file, "[DEFAULT]\nhost = ctl1\ndefault_availability_zone = dc1\nenabled_backends = "+strings.Join(names, ",")+"\n"+sections.String())
	return file
}

// copied are the lines that are to be copied, such as places in files, which are never
// broken.
var copied = regexp.MustCompile(`^ +((error|warning|note) +/|fix:|openstack |goodness_function =|extra_capabilities =|# replaces:|\[)`)

// TestTablesFitTheTerminal: on 80 columns every table was wider than the terminal.
func TestTablesFitTheTerminal(t *testing.T) {
	t.Parallel()
	example, err := filepath.Abs("../../examples/cinder.conf")
	if err != nil {
		t.Fatal(err)
	}
	types := filepath.Join(t.TempDir(), "types.json")
	write(t, types, `[{"Name": "gold-with-24-characters_", "Properties": {"total_volumes": "<= 800"}}]`)
	for _, config := range []string{example, fleetConfig(t, 32, 4)} {
		base := filepath.Join(t.TempDir(), "base.json")
		reports := filepath.Join(t.TempDir(), "reports.json")
		saveDryRun(t, config, reports)
		text, err := os.ReadFile(reports)
		if err != nil {
			t.Fatal(err)
		}
		write(t, base, strings.ReplaceAll(string(text), `"reads_per_sec": `, `"reads_per_sec": 1`))
		source := []string{"--source=" + reports, "--config-file=" + config}
		for _, c := range []struct {
			args []string
			want []string // columns that are always shown
		}{
			{[]string{"--dry-run", "-o=table"}, []string{"BACKEND", "STATUS", "FREE GiB", "LOAD %"}},
			{[]string{"pools"}, []string{"ARRAY", "STATUS", "USED", "VIRTUAL FREE", "LOAD %"}},
			{[]string{"rehearse", "--size=10", "--count=4"}, []string{"SETTING", "VOLUMES", "FAILED", "ARRAY"}},
			{[]string{"place", "--size=10", "--count=3"}, []string{"BACKEND", "VOLUMES"}},
			{[]string{"diff", "--base=" + base}, []string{"BACKEND", "BEFORE", "AFTER", "KEY", "BASE", "OURS"}},
			{[]string{"check", "--types=" + types}, []string{"TYPE", "FIT NOW", "OF", "FIRST CHOICE"}},
			{[]string{"prefer", "--types=" + types}, nil},
		} {
			t.Run(c.args[0], func(t *testing.T) {
				t.Parallel()
				args := slices.Concat(c.args, source)
				if c.args[0] == "--dry-run" {
					args = slices.Concat(c.args, []string{"--simulate", "--config-file=" + config})
				}
				for _, columns := range []int{80, 100, 120, 200} {
					lines := onTerminal(t, columns, args...)
					text := strings.Join(lines, "\n")
					for _, line := range lines {
						if n := utf8.RuneCountInString(line); n > columns && !copied.MatchString(line) {
							t.Errorf("%v: %d columns on a terminal of %d: %s", c.args, n, columns, line)
						}
					}
					for _, want := range c.want {
						if !strings.Contains(text, want) {
							t.Errorf("%v on %d columns lacks %q:\n%s", c.args, columns, want, text)
						}
					}
				}
			})
		}
	}
}

// saveDryRun saves what the simulated arrays report.
func saveDryRun(t *testing.T, config, path string) {
	t.Helper()
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	c := newChild(t, "--dry-run", "--simulate", "--config-file="+config)
	c.Stdout = out
	c.start()
	if got := c.wait(); got != "exit status 0" {
		t.Fatalf("ended with %s:\n%s", got, c.stderr)
	}
}

// TestWideTablesHaveAllColumns, and so has one that is no terminal's: scripts read it.
func TestWideTablesHaveAllColumns(t *testing.T) {
	t.Parallel()
	args := []string{"pools", "--simulate", "--config-file=" + fleetConfig(t, 4, 2)}
	wide := strings.Join(onTerminal(t, 80, append(args, "-o=wide")...), "\n")
	narrow := strings.Join(onTerminal(t, 80, args...), "\n")
	columns := strings.Fields("PROVISIONED REDUCTION OPS/s WRITE HIGHEST")
	var piped strings.Builder
	c := newChild(t, args...)
	c.Stdout = &piped
	c.Env = append(c.Env, "COLUMNS=40")
	c.start()
	c.wait()
	for what, text := range map[string]string{"on a terminal, wide": wide, "in a pipe": piped.String()} {
		for _, column := range columns {
			if !strings.Contains(text, column) {
				t.Errorf("%s: no %s:\n%s", what, column, text)
			}
		}
		if strings.Contains(text, "hidden:") {
			t.Errorf("%s: columns are hidden:\n%s", what, text)
		}
	}
	if !strings.Contains(narrow, "hidden: PROVISIONED, REDUCTION, ") || !strings.Contains(narrow, "--output wide") {
		t.Errorf("the hidden columns are not named:\n%s", narrow)
	}
}

// TestCOLUMNSIsTheWidth of a terminal.
func TestCOLUMNSIsTheWidth(t *testing.T) {
	t.Setenv("COLUMNS", "60")
	for _, line := range onTerminal(t, 200, "--dry-run", "-o=table", "--simulate", "--config-file=../../examples/cinder.conf") {
		if utf8.RuneCountInString(line) > 60 {
			t.Errorf("wider than COLUMNS: %s", line)
		}
	}
}
