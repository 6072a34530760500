package main

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/placementtest"
)

const saved = "testdata/reports.json"

func TestItExplainsTheFastestWriter(t *testing.T) {
	in, err := os.Open(saved)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, stdout := os.Stdin, os.Stdout
	os.Stdin, os.Stdout = in, write
	main()
	os.Stdin, os.Stdout = stdin, stdout
	write.Close()
	out, err := io.ReadAll(read)
	if err != nil {
		t.Fatal(err)
	}
	first, rest, _ := strings.Cut(string(out), "\n")
	if !strings.HasPrefix(first, fastest(t)+"#pure_performance: best of 3") || !strings.Contains(rest, "FastestWriteWeigher") {
		t.Errorf("printed\n%s", out)
	}
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
