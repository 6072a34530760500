package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Grace is how long a child may take to end after it was asked to.
const Grace = 15 * time.Second

// Command says what to run. Its environment is that of the test with Env added;
// its standard input is empty.
type Command struct {
	Name string   // for messages and for the output's file
	Args []string // the program and its arguments
	Env  []string // KEY=value, each replacing what the test has under that name
	Dir  string   // where to run it; "" is the test's temporary folder
}

// Process is a running child. Its methods may be called from any goroutine.
type Process struct {
	name   string
	cmd    *exec.Cmd
	output string
	exited chan struct{}
}

// Start runs a command, and ends it with the test. The test stops here if the
// program cannot be started at all.
func Start(t testing.TB, c Command) *Process {
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
	p.cmd.Env = append(os.Environ(), c.Env...)
	p.cmd.SysProcAttr = attributes()
	if err := p.launch(); err != nil {
		t.Fatalf("start %s: %v", c.Name, err)
	}
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("the end of %s's output:\n%s", p.name, tail(p.Output(), 30))
		}
	})
	return p
}

// launch starts the child from a thread that lives as long as the child: the
// kernel ends the child with the thread that started it, not with the process.
func (p *Process) launch() error {
	out, err := os.Create(p.output)
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

// Output is everything the child wrote so far, to either stream.
func (p *Process) Output() string {
	data, err := os.ReadFile(p.output)
	if err != nil {
		return fmt.Sprintf("(no output: %v)", err)
	}
	return string(data)
}

// Signal sends a signal to the child and to all it has started. A child that
// has ended is left in peace.
func (p *Process) Signal(s syscall.Signal) {
	if p.Running() {
		_ = syscall.Kill(-p.Pid(), s)
	}
}

// Stop asks the child to end with SIGTERM, and insists after Grace. It returns
// when the child is gone.
func (p *Process) Stop() {
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(Grace):
		p.Kill()
	}
}

// Kill ends the child without warning and returns when it is gone.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.exited
}

// tail is the last lines of a text.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// pause is how long Await rests between two questions.
const pause = 50 * time.Millisecond

// Await asks for a condition until it holds, which is when missing returns nil.
// After the bound the test stops with what was awaited and the last answer.
func Await(t testing.TB, within time.Duration, what string, missing func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := missing()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s: %v", within, what, err)
		}
		time.Sleep(pause)
	}
}
