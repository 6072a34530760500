package main

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// notifySocket receives the states that a service of Type=notify sends.
type notifySocket struct {
	t      *testing.T
	states chan string
}

func newNotifySocket(t *testing.T) *notifySocket {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NOTIFY_SOCKET", path)
	s := &notifySocket{t: t, states: make(chan string, 100)}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			s.states <- string(buffer[:n])
		}
	}()
	return s
}

// expect waits for a state, and skips those of the watchdog.
func (s *notifySocket) expect(want string) string {
	s.t.Helper()
	longest := time.NewTimer(maxWait)
	defer longest.Stop()
	for {
		select {
		case got := <-s.states:
			if strings.HasPrefix(got, want) {
				return got
			}
			if got != "WATCHDOG=1" {
				s.t.Fatalf("received %q, want %s", got, want)
			}
		case <-longest.C:
			s.t.Fatalf("%s was not received", want)
		}
	}
}

// TestSystemdReceivesEveryState: a service of Type=notify that reloads by SIGHUP,
// as the unit in examples/systemd has it.
func TestSystemdReceivesEveryState(t *testing.T) {
	systemd := newNotifySocket(t)
	e := newEnvironment(t, 1)
	e.configure(1)
	log, stop := e.agent()
	systemd.expect("READY=1")

	if err := syscall.Kill(syscall.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if got := systemd.expect("RELOADING=1"); !strings.Contains(got, "\nMONOTONIC_USEC=") {
		t.Errorf("systemd cannot match this reload: %q", got)
	}
	systemd.expect("READY=1")
	systemd.expect("WATCHDOG=1")
	if !log.has("configuration reloaded")() {
		t.Errorf("SIGHUP did not reload:\n%s", log)
	}

	e.write("cinder.conf", "[DEFAULT]\nenabled_backends = missing\n")
	systemd.expect("RELOADING=1")
	systemd.expect("READY=1") // with the configuration it had
	systemd.expect("WATCHDOG=1")

	stop()
	systemd.expect("STOPPING=1")
}
