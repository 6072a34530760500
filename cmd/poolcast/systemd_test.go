package main

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// supervisor is the end of the line that systemd holds.
type supervisor struct {
	t     *testing.T
	words chan string
}

// newSupervisor listens where a service of Type=notify speaks.
func newSupervisor(t *testing.T) *supervisor {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NOTIFY_SOCKET", path)
	s := &supervisor{t: t, words: make(chan string, 100)}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			s.words <- string(buffer[:n])
		}
	}()
	return s
}

// hears waits for a word, passing over those that say the loop is alive.
func (s *supervisor) hears(want string) string {
	s.t.Helper()
	bound := time.NewTimer(4 * heartbeat)
	defer bound.Stop()
	for {
		select {
		case got := <-s.words:
			if strings.HasPrefix(got, want) {
				return got
			}
			if got != "WATCHDOG=1" {
				s.t.Fatalf("heard %q, want %s", got, want)
			}
		case <-bound.C:
			s.t.Fatalf("%s was not heard", want)
		}
	}
}

// TestSystemdIsToldEverything: a service of Type=notify that reloads by SIGHUP,
// as the unit in examples/systemd has it.
func TestSystemdIsToldEverything(t *testing.T) {
	systemd := newSupervisor(t)
	l := newLab(t, 1)
	l.configure(1)
	log, stop := l.agent()
	systemd.hears("READY=1")

	if err := syscall.Kill(syscall.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if got := systemd.hears("RELOADING=1"); !strings.Contains(got, "\nMONOTONIC_USEC=") {
		t.Errorf("systemd cannot tell which reload this is: %q", got)
	}
	systemd.hears("READY=1")
	systemd.hears("WATCHDOG=1")
	if !log.has("configuration reloaded")() {
		t.Errorf("SIGHUP did not reload:\n%s", log)
	}

	l.write("cinder.conf", "[DEFAULT]\nenabled_backends = nobody\n")
	systemd.hears("RELOADING=1")
	systemd.hears("READY=1") // with the configuration it had
	systemd.hears("WATCHDOG=1")

	stop()
	systemd.hears("STOPPING=1")
}

// TestNobodyIsToldAnything without a supervisor.
func TestNobodyIsToldAnything(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if newNotifier().wanted {
		t.Error("there is nobody to notify")
	}
}
