package main

import (
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/terminaltest"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// slowArrays are two arrays, one of which takes more than three seconds for a poll.
func slowArrays(t *testing.T) *environment {
	t.Helper()
	e := newEnvironment(t, 2)
	e.configure(2, "backend_availability_zone = dc1")
	text, err := os.ReadFile(e.path("cinder.conf"))
	if err != nil {
		t.Fatal(err)
	}
	e.write("cinder.conf", strings.Replace(string(text), "poll_interval = 3s", "poll_interval = 60s\npoll_timeout = 30s", 1))
	e.arrays[1].SetFaults(simulator.Latency(3500 * time.Millisecond).On("arrays/space"))
	return e
}

// withTerminal prepares the program with a terminal as its input and standard error,
// and as the terminal that Ctrl-C comes from.
func withTerminal(t *testing.T, e *environment, columns int, args ...string) (*child, *terminaltest.Terminal) {
	t.Helper()
	terminal := terminaltest.Open(t, columns)
	c := newChild(t, append(args, "--config-file="+e.path("cinder.conf"))...)
	c.Env = append(c.Env, "TERM=xterm", "NO_COLOR=1", "COLUMNS=")
	c.Stdin, c.Stderr = terminal.Program, terminal.Program
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	return c, terminal
}

// erased is that the line of progress has gone, and nothing of it is left.
func erased(t *testing.T, written string) {
	t.Helper()
	if seen := strings.Join(terminaltest.Screen(written), "\n"); strings.Contains(seen, "polling") {
		t.Errorf("the line is left on the screen:\n%s", seen)
	}
	if !strings.Contains(written, "\r\x1b[K") {
		t.Errorf("nothing was erased: %q", written)
	}
}

// TestProgressIsShownAfterTwoSeconds on a terminal, in one line that fits it.
func TestProgressIsShownAfterTwoSeconds(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--dry-run"},
		{"pools", "--source=arrays"},
		{"place", "--source=arrays", "--size=1"},
		{"rehearse", "--source=arrays", "--size=1", "--count=2"},
		{"check", "--no-bus"},
		{"diff", "--base=/dev/stdin", "--source=arrays"},
	} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			e := slowArrays(t)
			if args[0] == "diff" {
				e.write("base.json", `{"ctl1@fa0": {"total_volumes": 1}}`)
				args[1] = "--base=" + e.path("base.json")
			}
			c, terminal := withTerminal(t, e, 60, args...)
			begun := time.Now()
			c.start()
			e.await("progress", func() bool { return strings.Contains(terminal.Written(), "polling") })
			if took := time.Since(begun); took < progressAfter {
				t.Errorf("shown after %s", took)
			}
			c.wait()
			written := terminal.End()
			if !regexp.MustCompile(`\rpolling the arrays: 1 of 2 arrays, \d+s \(at most 30s\)\x1b\[K`).MatchString(written) {
				t.Errorf("no line of progress: %q", written)
			}
			erased(t, written)
		})
	}
}

// progressAfter is how long nothing is shown.
const progressAfter = 2 * time.Second

// TestProgressOfListening on the bus, here of a broker that does not respond.
func TestProgressOfListening(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"check", "--listen-for=4s"}, {"diff", "--wait=4s"}} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			e := newEnvironment(t, 2)
			e.configure(2)
			c, terminal := withTerminal(t, e, 80, args...)
			c.start()
			c.wait()
			written := terminal.End()
			if !regexp.MustCompile(`\rlistening for cinder-volume on the bus: 0 of 2 reports, \ds \(at most 4s\)\x1b\[K`).MatchString(written) {
				t.Errorf("no line of progress: %q", written)
			}
			for _, line := range terminaltest.Screen(written) {
				if strings.Contains(line, "0 of 2 reports") {
					t.Errorf("left on the screen: %q", line)
				}
			}
		})
	}
}

// TestProgressIsForTerminalsOnly: not in a pipe, nor with TERM=dumb.
func TestProgressIsForTerminalsOnly(t *testing.T) {
	t.Parallel()
	e := slowArrays(t)
	c, terminal := withTerminal(t, e, 80, "pools", "--source=arrays")
	c.Env = append(c.Env, "TERM=dumb")
	piped := newChild(t, "pools", "--source=arrays", "--config-file="+e.path("cinder.conf"))
	c.start()
	piped.start()
	piped.wait()
	c.wait()
	for where, text := range map[string]string{"TERM=dumb": terminal.End(), "pipe": piped.stderr.String()} {
		if strings.Contains(text, "polling the arrays") || strings.Contains(text, "\x1b") || strings.Contains(strings.ReplaceAll(text, "\r\n", "\n"), "\r") {
			t.Errorf("%s: %q", where, text)
		}
	}
}

// TestInterruptLeavesTheTerminalClean when Ctrl-C is typed while progress is shown.
func TestInterruptLeavesTheTerminalClean(t *testing.T) {
	t.Parallel()
	e := slowArrays(t)
	e.arrays[1].SetFaults(simulator.Hang().On("arrays/space"))
	c, terminal := withTerminal(t, e, 80, "pools", "--source=arrays")
	c.start()
	e.await("progress", func() bool { return strings.Contains(terminal.Written(), "polling") })
	if _, err := terminal.Keys.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	c.wait()
	written := terminal.End()
	erased(t, written)
	if !strings.Contains(written, "poolcast: ") {
		t.Errorf("the command did not say how it ended: %q", written)
	}
}

// TestSecondInterruptLeavesTheTerminalClean while the logout from an array is awaited.
func TestSecondInterruptLeavesTheTerminalClean(t *testing.T) {
	t.Parallel()
	e := slowArrays(t)
	e.arrays[1].SetFaults(simulator.Hang().On("logout"), simulator.Latency(2*time.Second).On("arrays/space"))
	c, terminal := withTerminal(t, e, 80, "pools", "--source=arrays")
	c.start()
	e.await("progress of the logout", func() bool { return strings.Contains(terminal.Written(), "\rlogging out") })
	for range 2 {
		if _, err := terminal.Keys.WriteString("\x03"); err != nil {
			t.Fatal(err)
		}
	}
	c.wait()
	if seen := strings.Join(terminaltest.Screen(terminal.End()), "\n"); strings.Contains(seen, "logging out") {
		t.Errorf("the line is left on the screen:\n%s", seen)
	}
}

// TestRecordShowsProgress over all frames.
func TestRecordShowsProgress(t *testing.T) {
	t.Parallel()
	e := slowArrays(t)
	c, terminal := withTerminal(t, e, 80, "record", "--into="+e.path("recordings"), "--frames=2", "--every=1s")
	c.start()
	c.wait()
	written := terminal.End()
	if !strings.Contains(written, "\rrecording the arrays: ") || !strings.Contains(written, "of 4 samples") {
		t.Errorf("no progress: %q", written)
	}
	for _, line := range terminaltest.Screen(written) {
		if strings.Contains(line, "recording the arrays") {
			t.Errorf("left on the screen: %q", line)
		}
	}
	if _, err := os.Stat(e.path("recordings")); err != nil {
		t.Error(err)
	}
}
