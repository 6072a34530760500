package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files of testdata")

// golden compares got with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (run with -update and check the difference):\n%s", path, diff)
	}
}

// TestBadFiles compares every message with the one in testdata. Together they are
// the list of all messages.
func TestBadFiles(t *testing.T) {
	for _, path := range corpus(t, "testdata/*.bad.conf") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			cfg, err := Load(Sources{Inputs: Files(path), hostname: "thishost"})
			if err == nil {
				t.Fatal("loaded")
			}
			text := err.Error() + "\n" + messages(cfg)
			if strings.Contains(text, "T0PS3CRET") {
				t.Errorf("a secret is printed:\n%s", text)
			}
			golden(t, strings.TrimSuffix(path, ".conf")+".txt", text)
		})
	}
}

// TestGoodFiles compares everything that is read, with secrets, and every warning
// with testdata; also with StripComments, where that differs.
func TestGoodFiles(t *testing.T) {
	for _, path := range corpus(t, "testdata/*.good.conf") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			cfg, err := Load(Sources{Inputs: Files(path), hostname: "thishost"})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(path, ".conf")+".txt", dump(t, cfg)+messages(cfg))
			meant, err := Load(Sources{Inputs: Files(path), hostname: "thishost", StripComments: true})
			if err != nil {
				t.Fatal(err)
			}
			if text := dump(t, meant) + messages(meant); text != dump(t, cfg)+messages(cfg) {
				golden(t, strings.TrimSuffix(path, ".conf")+".stripped.txt", text)
			}
		})
	}
}

func corpus(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files match %s: %v", pattern, err)
	}
	return paths
}

func messages(cfg *Config) string {
	var b strings.Builder
	for _, w := range cfg.Warnings {
		b.WriteString("warning: " + w.String() + "\n")
	}
	for _, i := range cfg.Ignored {
		b.WriteString("ignored: " + i.Stanza + ": " + i.Reason + "\n")
	}
	return b.String()
}

func dump(t *testing.T, cfg *Config) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	for _, part := range []any{cfg.Agent, cfg.Scheduler, cfg.Bus, cfg.Backends} {
		if err := enc.Encode(part); err != nil {
			t.Fatal(err)
		}
	}
	for _, broker := range cfg.Bus.Brokers {
		b.WriteString("password: " + broker.Password.Reveal() + "\n")
	}
	for _, backend := range cfg.Backends {
		b.WriteString("token: " + backend.Credential.Token.Reveal() + "\n")
		for _, d := range backend.Replication.Devices {
			b.WriteString("partner's token: " + d.Token.Reveal() + "\n")
		}
	}
	return b.String()
}
