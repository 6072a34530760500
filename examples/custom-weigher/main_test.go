package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/placementtest"
)

const saved = "testdata/reports.json"

func TestDecisionExplainsFastestWrite(t *testing.T) {
	out := runOn(t, saved)
	first, rest, _ := strings.Cut(out, "\n")
	if !strings.HasPrefix(first, fastestBackend(t)+" would take it") || !strings.Contains(rest, "FastestWrite") {
		t.Errorf("printed\n%s", out)
	}
}

// runOn runs the program on a file and returns what it prints.
func runOn(t *testing.T, file string) string {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	stdin, stdout := os.Stdin, os.Stdout
	os.Stdin, os.Stdout = in, out
	main()
	os.Stdin, os.Stdout = stdin, stdout
	if err := errors.Join(in.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func fastestBackend(t *testing.T) string {
	t.Helper()
	name, best := "", 0.0
	for _, r := range reports(t) {
		if usec, ok := r.Capabilities[capability.KeyUsecPerWrite].Float(); ok && (name == "" || usec < best) {
			name, best = r.Backend, usec
		}
	}
	return name
}

func reports(t *testing.T) []capability.Report {
	t.Helper()
	data, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	var out []capability.Report
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWeigherKeepsContract(t *testing.T) {
	cloud := placementtest.Cloud{
		Reports:  append(reports(t), capability.Report{Host: "idle@array"}),
		Snapshot: cinder.NewSnapshot,
		Requests: []placement.Request{&cinder.Request{Size: 100}},
	}
	placementtest.Weigher(t, placement.WeigherFunc(fastest), cloud)
}

func TestExampleLength(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(source), "\n)\n") // after the imports
	if n := strings.Count(strings.ReplaceAll(code, "\n\n", "\n"), "\n"); n >= 25 {
		t.Errorf("main.go has %d lines of code after the imports, want fewer than 25", n)
	}
}
