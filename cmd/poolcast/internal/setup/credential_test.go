package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTokenFromFileIsReadAgainAfterARefusal(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
			t.Parallel()
			got, err := tokenFromCommand(c.argv)(t.Context())
			if c.fault == "" {
				if err != nil || got != c.token {
					t.Fatalf("got %q, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.fault) || strings.Contains(err.Error(), "hush") {
				t.Errorf("error %q should have %q and nothing of the output", err, c.fault)
			}
		})
	}
}

// TestTokenFilesAreRegularAndBounded: a FIFO would block, and a device has no end.
func TestTokenFilesAreRegularAndBounded(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	fifo, large := filepath.Join(folder, "fifo"), filepath.Join(folder, "large")
	if err := errors.Join(syscall.Mkfifo(fifo, 0o600), os.WriteFile(large, make([]byte, 5000), 0o600)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{fifo: "is a FIFO", "/dev/zero": "is a device", large: "is too large", folder: "is a folder"} {
		if _, err := tokenFromFile(path)(t.Context()); err == nil || !strings.Contains(err.Error(), "token_file") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

// TestTokenCommandGetsNoSecrets: the environment may hold the password of the
// bus, and systemd's socket.
func TestTokenCommandGetsNoSecrets(t *testing.T) {
	t.Setenv("OS_DEFAULT__TRANSPORT_URL", "rabbit://u:hush@h/")
	t.Setenv("NOTIFY_SOCKET", "/run/notify")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hush")
	t.Setenv("HOME", "/home/x")
	t.Setenv("LC_ALL", "C.UTF-8")
	report := filepath.Join(t.TempDir(), "environment")
	if _, err := tokenFromCommand([]string{"/bin/sh", "-c", "env > " + report + "; echo abc"})(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, banned := range []string{"hush", "OS_", "NOTIFY"} {
		if strings.Contains(string(text), banned) {
			t.Errorf("the command gets %s:\n%s", banned, text)
		}
	}
	for _, wanted := range []string{"PATH=", "HOME=/home/x", "LC_ALL=C.UTF-8"} {
		if !strings.Contains(string(text), wanted) {
			t.Errorf("the command does not get %s:\n%s", wanted, text)
		}
	}
}

// TestTokenCommandEndsWithItsChildren: both when it takes too long and when it
// leaves a process behind. The error names the time that it had.
func TestTokenCommandEndsWithItsChildren(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ script, want string }{
		"too long":      {"sleep 300 & echo $! > %s; sleep 299", "did not end within 2s"},
		"left a child":  {"sleep 300 >/dev/null & echo $! > %s; echo abc", ""},
		"failed":        {"sleep 300 >/dev/null & echo $! > %s; exit 3", "exit status 3"},
		"was cut short": {"sleep 300 >/dev/null & echo $! > %s; while :; do echo hushhushhush; done", "token_command"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pid")
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			if name == "too long" {
				ctx, cancel = context.WithTimeout(t.Context(), 2*time.Second)
			}
			defer cancel()
			_, err := tokenFromCommand([]string{"/bin/sh", "-c", fmt.Sprintf(c.script, file)})(ctx)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			child, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			waitUntil(t, "the child ends", func() bool { return !running(child) })
		})
	}
}

// running reports whether a process runs; a zombie does not.
func running(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(text), ") Z ")
}

func waitUntil(t *testing.T, what string, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(timeout); !happened(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen within %s", what, timeout)
		}
	}
}

// timeout is how long tests wait at most, on a busy machine.
const timeout = 30 * time.Second
