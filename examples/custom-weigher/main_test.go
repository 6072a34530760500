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

func TestItExplainsTheFastestWriter(t *testing.T) {
	out := runOn(t, saved)
	first, rest, _ := strings.Cut(out, "\n")
	if !strings.HasPrefix(first, fastest(t)+"#pure_performance: best of 3") || !strings.Contains(rest, "FastestWriteWeigher") {
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

func fastest(t *testing.T) string {
	t.Helper()
	host, best := "", 0.0
	for _, r := range reports(t) {
		if usec, ok := r.Capabilities[capability.KeyUsecPerWrite].Float(); ok && (host == "" || usec < best) {
			host, best = r.Host, usec
		}
	}
	return host
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

func TestTheWeigherKeepsTheContract(t *testing.T) {
	cloud := placementtest.Cloud{
		Reports:  append(reports(t), capability.Report{Host: "idle@array"}),
		Snapshot: cinder.NewSnapshot,
		Requests: []placement.Request{&cinder.Request{Size: 100}},
	}
	placementtest.Weigher(t, placement.WeigherFunc(fastestWrite), cloud)
}

func TestItStaysShort(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), "\n"); n >= 40 {
		t.Errorf("main.go has %d lines; an example should fit on a screen", n)
	}
}
