package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
)

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
