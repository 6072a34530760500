package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Grace is how long a child may take to end after SIGTERM. A broker needs some
// seconds; the rest is for a busy machine.
const Grace = time.Minute

// cleanupGrace is how long a child may take to end after SIGTERM when its test has ended:
// nothing that it would still write is read.
const cleanupGrace = 5 * time.Second

// pollInterval is the time between two checks of Await.
const pollInterval = 50 * time.Millisecond

// Command says what to run. Its environment is that of the test with Env added;
// its standard input is empty.
type Command struct {
	Name string   // for messages and for the output's file
	Args []string // the program and its arguments
	Env  []string // KEY=value, each replacing the value that the test has
	Dir  string   // working folder; "" is the test's temporary folder
	Log  string   // file that its output is appended to; "" is a new one in the temporary folder
}

// Process is a running child. Its methods may be called from any goroutine.
type Process struct {
	name   string
	cmd    *exec.Cmd
	output string
	exited chan struct{}
}

// Start runs a command until the test ends. The test stops if the program cannot be
// started.
func Start(t T, c Command) *Process {
	t.Helper()
	dir := t.TempDir()
	p := &Process{
		name:   c.Name,
		cmd:    exec.Command(c.Args[0], c.Args[1:]...),
		output: filepath.Join(dir, c.Name+".out"),
		exited: make(chan struct{}),
	}
	p.cmd.Dir = c.Dir
	if c.Dir == "" {
		p.cmd.Dir = dir
	}
	if c.Log != "" {
		p.output = c.Log
	}
	p.cmd.Env = append(os.Environ(), c.Env...)
	p.cmd.SysProcAttr = attributes()
	if err := p.launch(); err != nil {
		t.Fatalf("start %s: %v", c.Name, err)
	}
	t.Cleanup(func() {
		p.StopWithin(cleanupGrace)
		if t.Failed() {
			t.Logf("the end of %s's output:\n%s", p.name, p.Tail())
		}
	})
	return p
}

// launch starts the child from a thread that lives as long as the child: the
// kernel ends the child with the thread that started it, not with the process.
func (p *Process) launch() error {
	out, err := os.OpenFile(p.output, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer close(p.exited)
		err := p.cmd.Start()
		started <- errors.Join(err, out.Close()) // the child has the file now
		if err == nil {
			_ = p.cmd.Wait() // how it ended is in ProcessState
			// What it has started and not waited for is the rest of its group.
			_ = syscall.Kill(-p.Pid(), syscall.SIGKILL)
		}
	}()
	return <-started
}

// Pid is the child's process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Exited is closed when the child has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Running says whether the child still runs.
func (p *Process) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// ExitCode waits for the child's end and returns its exit code, -1 if a signal
// ended it.
func (p *Process) ExitCode() int {
	<-p.exited
	return p.cmd.ProcessState.ExitCode()
}

// Exit waits for the child's end, and says with which code it ended and what it wrote
// last.
func (p *Process) Exit() string {
	return fmt.Sprintf("%s ended with code %d; the end of its output:\n%s", p.name, p.ExitCode(), p.Tail())
}

// Tail is the end of Output.
func (p *Process) Tail() string { return tail(p.Output(), 20) }

// Output is everything that the child has written so far, to either stream, after what
// was in its file before.
func (p *Process) Output() string {
	data, err := os.ReadFile(p.output)
	if err != nil {
		return fmt.Sprintf("(no output: %v)", err)
	}
	return string(data)
}

// Signal sends a signal to the child and to all it has started. It does nothing
// after the child has ended.
func (p *Process) Signal(s syscall.Signal) {
	if p.Running() {
		_ = syscall.Kill(-p.Pid(), s)
	}
}

// Freeze stops the child and all it has started with SIGSTOP, until SIGCONT. It returns
// when none of their threads runs, which takes a while on a busy machine.
func (p *Process) Freeze(t T) {
	t.Helper()
	p.Signal(syscall.SIGSTOP)
	Await(t, Grace, p.name+" to freeze", p.frozen)
}

// frozen returns an error while a thread of the child's process group is in another
// state than stopped, traced or dead (proc(5), /proc/pid/task/tid/stat).
func (p *Process) frozen() error {
	threads, err := filepath.Glob("/proc/[0-9]*/task/[0-9]*/stat")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		rest := string(text[bytes.LastIndexByte(text, ')')+1:]) // after the name of the program
		var state string
		var parent, group int
		if _, err := fmt.Sscan(rest, &state, &parent, &group); err != nil {
			return fmt.Errorf("read %s: %w", thread, err)
		}
		if group == p.Pid() && !slices.Contains([]string{"T", "t", "Z", "X"}, state) {
			return fmt.Errorf("%s is in state %s", thread, state)
		}
	}
	return nil
}

// Stop ends the child with SIGTERM, and after Grace with SIGKILL. It returns when
// the child has ended.
func (p *Process) Stop() { p.StopWithin(Grace) }

// StopWithin is Stop with another time until SIGKILL.
func (p *Process) StopWithin(grace time.Duration) {
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(grace):
		p.Kill()
	}
}

// Kill ends the child with SIGKILL and returns when it has ended.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.exited
}

// tail is the last lines of a text.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Await calls a check again and again until it returns nil. After the bound, or when the
// context of t has ended, the test stops with what was awaited and the last error.
func Await(t T, within time.Duration, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s: %v", within, what, err)
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("wait for %s: %v", what, t.Context().Err())
		case <-time.After(pollInterval):
		}
	}
}
