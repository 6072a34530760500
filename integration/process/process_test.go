package process_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolcast/poolcast/integration/process"
)

func TestOutputAndExitCode(t *testing.T) {
	p := process.Start(t, process.Command{
		Name: "greeter",
		Args: []string{"sh", "-c", `echo "$GREETING"; echo there >&2; exit 3`},
		Env:  []string{"GREETING=hello"},
	})
	if code := p.ExitCode(); code != 3 {
		t.Errorf("exit code is %d, want 3", code)
	}
	if got := p.Output(); got != "hello\nthere\n" {
		t.Errorf("output is %q", got)
	}
}

func TestStopEndsProcessGroup(t *testing.T) {
	p := process.Start(t, process.Command{
		Name: "group",
		Args: []string{"sh", "-c", `sleep 300 & echo $!; wait`},
	})
	child := printedPid(t, p)
	p.Stop()
	awaitGone(t, child)
}

// TestEndOfChildEndsProcessGroup has a child that does not wait for its own one, as a
// cinder-volume whose workers take long.
func TestEndOfChildEndsProcessGroup(t *testing.T) {
	p := process.Start(t, process.Command{
		Name: "group",
		Args: []string{"sh", "-c", `sleep 300 & echo $!; trap 'exit 0' TERM; wait`},
	})
	child := printedPid(t, p)
	if err := syscall.Kill(p.Pid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	awaitGone(t, child)
}

// TestChildEndsWithKilledTest runs this test binary again, as a test that starts a
// child and is then killed before its clean-up.
func TestChildEndsWithKilledTest(t *testing.T) {
	if os.Getenv("PROCESS_TEST_KILLED") != "" {
		p := process.Start(t, process.Command{Name: "orphan", Args: []string{"sleep", "300"}})
		println("child", p.Pid())
		select {}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	killed := process.Start(t, process.Command{
		Name: "killed",
		Args: []string{self, "-test.run=^TestChildEndsWithKilledTest$"},
		Env:  []string{"PROCESS_TEST_KILLED=1", "TMPDIR=" + t.TempDir()}, // it cannot clean up
	})
	child := printedPid(t, killed)
	if err := syscall.Kill(killed.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitGone(t, child)
}

func TestPortsAreFreeAndUnique(t *testing.T) {
	seen := map[int]bool{}
	for _, port := range process.Ports(t, 50) {
		if seen[port] || port < 1024 || port > 32767 {
			t.Errorf("port %d is not usable or was handed out twice", port)
		}
		seen[port] = true
	}
}

// printedPid waits for the last word of a program's output: a process id.
func printedPid(t *testing.T, p *process.Process) (pid int) {
	t.Helper()
	process.Await(t, time.Minute, "a process id to be printed", func() error {
		words := strings.Fields(p.Output())
		if len(words) == 0 {
			return errors.New("nothing was printed")
		}
		var err error
		pid, err = strconv.Atoi(words[len(words)-1])
		return err
	})
	return pid
}

// awaitGone waits until a process has ended. A zombie counts as ended.
func awaitGone(t *testing.T, pid int) {
	t.Helper()
	process.Await(t, time.Minute, "the process to be gone", func() error {
		if state := stateOf(pid); state != "" && state != "Z" {
			return errors.New("it still runs, in state " + state)
		}
		return nil
	})
}

// stateOf is the kernel's letter for the state of a process, "" if there is none.
func stateOf(pid int) string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, state, found := strings.Cut(string(stat), ") ")
	if err != nil || !found {
		return ""
	}
	return state[:1]
}
