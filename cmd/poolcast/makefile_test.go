package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMakeNeedsGo runs make demo without Go, with an old one and with one that may
// not get a newer one: it says at once what is missing and how to get it.
func TestMakeNeedsGo(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not installed")
	}
	module, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	needed := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(string(module))[1]
	fake := func(script string) string {
		path := filepath.Join(t.TempDir(), "go")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		command string
		want    string
	}{
		"missing":     {"no-such-go", "no-such-go is not installed"},
		"old":         {fake("echo go version go1.18 linux/amd64"), "go is 1.18"},
		"may not get": {fake("echo go version go1.24.4 linux/amd64"), "export GOTOOLCHAIN=auto"},
		"cannot get":  {fake("echo 'go: download go9: toolchain not available' >&2; exit 1"), "toolchain not available"},
		"no version":  {fake("echo go version devel"), "go version prints: go version devel"},
	} {
		for _, target := range []string{"build", "demo", "unit", "test"} {
			cmd := exec.CommandContext(t.Context(), "make", "-C", "../..", "--no-print-directory", target, "GO="+c.command)
			out, err := cmd.CombinedOutput()
			text := string(out)
			for _, want := range []string{c.want, "Go " + needed + " or later is needed", "https://go.dev/dl/go" + needed} {
				if err == nil || !strings.Contains(text, want) {
					t.Errorf("%s: make %s: %v, and prints\n%s\nwant %s", name, target, err, text, want)
				}
			}
		}
	}
}
