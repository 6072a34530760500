package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// asProgram makes the test binary run the program.
const asProgram = "POOLCAST_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = f.Value.Set("8") // agents in tests wait for intervals, and need little time of a processor
	}
	os.Exit(m.Run())
}

// child is the program in a process of its own.
type child struct {
	t *testing.T
	*exec.Cmd
	stderr *safeBuffer
	ended  chan struct{}
}

// newChild prepares the program; it is killed at the end of the test.
func newChild(t *testing.T, args ...string) *child {
	t.Helper()
	c := &child{t: t, Cmd: exec.Command(os.Args[0], args...), stderr: &safeBuffer{}, ended: make(chan struct{})}
	c.Env = append(os.Environ(), asProgram+"=1")
	c.Stderr = c.stderr
	return c
}

func (c *child) start() {
	c.t.Helper()
	if err := c.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func() { _ = c.Wait(); close(c.ended) }()
	c.t.Cleanup(func() { _ = c.Process.Kill(); <-c.ended })
}

func (c *child) signal(s syscall.Signal) {
	c.t.Helper()
	if err := c.Process.Signal(s); err != nil {
		c.t.Fatalf("signal %s: %v\n%s", s, err, c.stderr)
	}
}

// wait returns how the process has ended.
func (c *child) wait() string {
	c.t.Helper()
	select {
	case <-c.ended:
		return c.ProcessState.String()
	case <-time.After(maxWait):
		c.t.Fatalf("the process has not ended:\n%s", c.stderr)
		return ""
	}
}

// TestSecondSignalEndsTheProcess: also while the first one waits, here for
// the response to a logout.
func TestSecondSignalEndsTheProcess(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	e.configure(1)
	e.arrays[0].SetFaults(simulator.Hang().On("logout"))
	c := newChild(t, "--config-file", e.path("cinder.conf"))
	c.start()
	e.await("a poll", polled(e.arrays[0]))
	e.await("the first report", c.stderr.has("array polled"))
	c.signal(syscall.SIGTERM)
	c.signal(syscall.SIGINT)
	if got := c.wait(); got != "exit status 130" && got != "exit status 143" {
		t.Errorf("ended with %s:\n%s", got, c.stderr)
	}
	if c.stderr.has("poolcast has stopped")() {
		t.Error("the second signal was waited for")
	}
}

// TestSignalEndsACommandThatReads: standard input has no end here.
func TestSignalEndsACommandThatReads(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	e.configure(1)
	c := newChild(t, "pools", "--source=-", "--config-file", e.path("cinder.conf"))
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.start()
	if _, err := fmt.Fprint(in, strings.Repeat(" ", 1<<20)); err != nil { // it reads by now
		t.Fatal(err)
	}
	c.signal(syscall.SIGINT)
	if got := c.wait(); got != "exit status 2" || !c.stderr.has("context canceled")() {
		t.Errorf("ended with %s:\n%s", got, c.stderr)
	}
}

// TestFIFOInPlaceOfCinderConf: a read of it must not block the main loop, SIGTERM
// or the status page.
func TestFIFOInPlaceOfCinderConf(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	e.configure(1, "token_file = "+e.path("token"))
	e.write("token", tokenOf(e.arrays[0].Name()))
	c := newChild(t, "--config-file", e.path("cinder.conf"), "--listen=127.0.0.1:0")
	c.start()
	e.await("a poll", c.stderr.has("array polled"))
	for _, name := range []string{"token", "cinder.conf"} {
		if err := syscall.Mkfifo(e.path("fifo"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(e.path("fifo"), e.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	e.await("a refusal", c.stderr.has("is a FIFO"))
	response, err := http.Get("http://" + e.pageAddress(c.stderr) + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("livez: %s", response.Status)
	}
	c.signal(syscall.SIGTERM)
	if got := c.wait(); got != "exit status 0" {
		t.Errorf("ended with %s:\n%s", got, c.stderr)
	}
}

// TestClosedLogPipeDoesNotEndTheAgent: SIGPIPE ended the agent, and systemd takes that
// for a clean end.
func TestClosedLogPipeDoesNotEndTheAgent(t *testing.T) {
	systemd := newNotifySocket(t)
	e := newEnvironment(t, 1)
	e.configure(1)
	c := newChild(t, "--config-file", e.path("cinder.conf"), "--log-level=trace")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = write
	c.start()
	_ = write.Close()
	systemd.expect("READY=1")
	_ = read.Close()
	for range 3 {
		c.signal(syscall.SIGHUP)
		systemd.expect("RELOADING=1")
		systemd.expect("READY=1") // after a line in the log
	}
	c.signal(syscall.SIGTERM)
	if got := c.wait(); got != "exit status 0" {
		t.Errorf("ended with %s", got)
	}
}

// TestClosedPipeEndsACommand as it ends every other one.
func TestClosedPipeEndsACommand(t *testing.T) {
	t.Parallel()
	c := newChild(t, "reference")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout = write
	_ = read.Close()
	c.start()
	_ = write.Close()
	if got := c.wait(); got != "signal: broken pipe" {
		t.Errorf("ended with %s:\n%s", got, c.stderr)
	}
}

// TestFilesOfTheCommandLine are regular.
func TestFilesOfTheCommandLine(t *testing.T) {
	d := newWorkspace(t)
	if err := syscall.Mkfifo(d.path("fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"pools", "--source=%"},
		{"place", "--size=1", "--source=~/reports.json", "--types=%", "--type=x"},
		{"check", "--source=~/reports.json", "--types=%"},
		{"diff", "--source=~/reports.json", "--base=%"},
		{"pools", "--agent=http://127.0.0.1:1", "--agent-token-file=%"},
		{"pools", "--config-file=%"},
	} {
		for _, path := range []string{d.path("fifo"), "/dev/zero"} {
			given := strings.Split(strings.ReplaceAll(strings.Join(args, "\n"), "%", path), "\n")
			if _, stderr, code := d.run(given...); code == exit.OK || !strings.Contains(stderr, "is not a regular file") {
				t.Errorf("%v: code %d, %s", given, code, stderr)
			}
		}
	}
}
