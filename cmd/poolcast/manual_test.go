package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
)

// TestManualPages: one for each command that people see, and the same bytes
// each time, so that a package can be built twice.
func TestManualPages(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	first, second := t.TempDir(), t.TempDir()
	output(t, "man", "--into", first)
	output(t, "man", "--into", second)
	for _, cmd := range append(newRootCommand().Commands(), newRootCommand()) {
		name := filepath.Join("man", strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1")
		page, err := os.ReadFile(filepath.Join(first, name))
		switch {
		case cmd.Hidden && err == nil:
			t.Errorf("%s is hidden and has a page", cmd.Name())
		case cmd.Hidden:
			continue
		case err != nil:
			t.Fatal(err)
		}
		if !bytes.HasPrefix(page, []byte(`.nh`)) || !bytes.Contains(page, []byte("Nov 2023")) {
			t.Errorf("%s does not look like a page of that date:\n%.200s", name, page)
		}
		for _, section := range []string{"OPTIONS", "EXIT STATUS", "ENVIRONMENT"} {
			if !bytes.Contains(page, []byte("\n.SH "+section+"\n.TP\n")) {
				t.Errorf("%s has no section %s", name, section)
			}
		}
		if reads := cmd.Flags().Lookup("config-file") != nil; bytes.Contains(page, []byte("\n.SH FILES\n")) != reads {
			t.Errorf("%s reads files: %t, and its page differs", name, reads)
		}
		for _, bad := range []string{`=""`, "[=false]"} {
			if bytes.Contains(page, []byte(bad)) {
				t.Errorf("%s shows %s", name, bad)
			}
		}
		if again, err := os.ReadFile(filepath.Join(second, name)); err != nil || !bytes.Equal(page, again) {
			t.Errorf("%s differs the second time: %v", name, err)
		}
	}
}

// TestCompletion sends the requests of a shell's completion.
func TestCompletion(t *testing.T) {
	folder := t.TempDir()
	output(t, "man", "--into", folder)
	for _, file := range []string{"poolcast.bash", "_poolcast", "poolcast.fish"} {
		script, err := os.ReadFile(filepath.Join(folder, "completions", file))
		if err != nil || !bytes.Contains(script, []byte(cobra.ShellCompRequestCmd)) {
			t.Errorf("%s does not call the program: %v", file, err)
		}
	}
	t.Setenv("OS_DEFAULT__HOST", "ctl1")
	clouds := filepath.Join(folder, "clouds.yaml")
	if err := os.WriteFile(clouds, []byte("clouds: {prod: {}, test: {}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OS_CLIENT_CONFIG_FILE", clouds)
	for line, want := range map[string]string{
		"pro": "probe", "place --pol": "--policy", "version --output ": "json", "place --policy ": "prefer",
		"--on-stale ": "keep", "rehearse --log-level ": "debug", "rehearse --settings ": "fixed-ratio",
		"--config-file ../../examples/cinder.conf pools --backend ": "flasharray_x_02",
		"place --types testdata/check/types.json --type ":           "gold",
		"prefer --os-cloud ": "prod",
	} {
		if got := output(t, append([]string{cobra.ShellCompRequestCmd}, strings.Split(line, " ")...)...); !strings.Contains(got, want) {
			t.Errorf("after %q the shell gets %q, which lacks %s", line, got, want)
		}
	}
}

func TestManWithoutAFolder(t *testing.T) {
	root := newRootCommand()
	root.SetArgs([]string{"man"})
	if err := root.ExecuteContext(t.Context()); exitCode(err) != exit.Usage {
		t.Errorf("got %v", err)
	}
}

var update = flag.Bool("update", false, "write the golden files")

// TestReferenceIsFresh compares the page at the top of the repository with what
// the program prints.
func TestReferenceIsFresh(t *testing.T) {
	const page = "../../REFERENCE.md"
	printed := output(t, "reference")
	if *update {
		if err := os.WriteFile(page, []byte(printed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), printed); diff != "" {
		t.Errorf("REFERENCE.md is stale; write it with go test ./cmd/poolcast -run Reference -update\n%s", diff)
	}
}

// TestReferenceTables checks that every row has as many cells as its heading,
// whatever the descriptions contain.
func TestReferenceTables(t *testing.T) {
	cells := 0
	for i, line := range strings.Split(output(t, "reference"), "\n") {
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if cells != 0 && n != 0 && n != cells {
			t.Errorf("line %d has %d bars, its table %d: %s", i+1, n, cells, line)
		}
		cells = n
	}
}

// TestHelpNamesEveryExitCode checks that --help lists them.
func TestHelpNamesEveryExitCode(t *testing.T) {
	help := strings.Join(strings.Fields(output(t, "--help")), " ")
	for code, meaning := range []string{"0 fine", "1 some backend failed", "2 usage", "3 configuration", "4 no backend fits"} {
		if !strings.Contains(help, meaning) || exit.Meanings()[code] == "" {
			t.Errorf("--help lacks %q", meaning)
		}
	}
}

// output runs a command that must succeed and returns what it printed.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(&out)
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestHelpFitsEightyColumns: descriptions and examples are not wrapped, so they are short.
// The rest of --help has the width of the terminal.
func TestHelpFitsEightyColumns(t *testing.T) {
	const columns = 80
	for _, cmd := range append(newRootCommand().Commands(), newRootCommand()) {
		for _, line := range strings.Split(cmd.Long+"\n"+cmd.Example, "\n") {
			if utf8.RuneCountInString(line) > columns {
				t.Errorf("%s --help has a long line: %s", cmd.Name(), line)
			}
		}
	}
}
