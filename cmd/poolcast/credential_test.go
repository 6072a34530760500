package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTokenFromFileIsReadAgainAfterARefusal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	write := func(s string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first\n")
	c := &credential{fetch: tokenFromFile(path)}
	expect := func(want string) {
		t.Helper()
		if got, err := c.Token(t.Context()); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	expect("first")
	write("second\n")
	expect("first") // cached until the array refuses it
	c.Refused()
	expect("second")
}

func TestTokenFromCommand(t *testing.T) {
	for name, c := range map[string]struct {
		argv  []string
		token string
		fault string
	}{
		"prints a token":  {[]string{"/bin/sh", "-c", "echo abc"}, "abc", ""},
		"fails":           {[]string{"/bin/sh", "-c", "echo hush; exit 3"}, "", "exit status 3"},
		"prints nothing":  {[]string{"/bin/true"}, "", "gave nothing"},
		"prints a line":   {[]string{"/bin/sh", "-c", "echo hush is a secret"}, "", "more than one word"},
		"prints for ever": {[]string{"/bin/sh", "-c", "while :; do echo hushhushhushhush; done"}, "", "run token_command"},
		"is not there":    {[]string{"/no/such/command"}, "", "/no/such/command"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tokenFromCommand(c.argv)(t.Context())
			if c.fault == "" {
				if err != nil || got != c.token {
					t.Fatalf("got %q, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.fault) || strings.Contains(err.Error(), "hush") {
				t.Errorf("error %q should say %q and nothing of the output", err, c.fault)
			}
		})
	}
}
