//go:build conformance

package conformance

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolcast/poolcast/integration/process"
)

// startCloudProgram runs the program of make cloud until it prints what to type, and
// returns it and the folder of the cloud.
func startCloudProgram(t *testing.T) (program *process.Process, folder string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "cloud")
	run(t, exec.Command("go", "build", "-o", binary, "../cloud"))
	interpreter, err := filepath.Abs(python())
	if err != nil {
		t.Fatal(err)
	}
	program = process.Start(t, process.Command{
		Name: "cloud", Dir: ".", Args: []string{binary, "--python", interpreter},
		Env: []string{"TMPDIR=" + t.TempDir()}, // a killed program removes nothing
	})
	process.Await(t, 5*time.Minute, "the cloud", func() error {
		if !program.Running() {
			t.Fatalf("start the cloud: %s", program.Exit())
		}
		if found := regexp.MustCompile(`(?m)^Ctrl-C ends everything and removes (.*)\.$`).FindStringSubmatch(program.Output()); found != nil {
			folder = found[1]
			return nil
		}
		return errors.New("it does not print what to type")
	})
	t.Log(program.Output())
	return program, folder
}

// TestCloudProgramGuide types what the program of make cloud prints, and ends it with an
// interrupt.
func TestCloudProgramGuide(t *testing.T) {
	program, folder := startCloudProgram(t)
	_, guide, _ := strings.Cut(program.Output(), "In another terminal:\n")
	var commands []string
	for line := range strings.Lines(guide) {
		if command, indented := strings.CutPrefix(line, "  "); indented {
			commands = append(commands, command)
		}
	}
	if len(commands) != 6 {
		t.Fatalf("there are %d commands, not 6", len(commands))
	}
	all := exec.Command("bash", "-e", "-c", strings.Join(commands[:4], ""))
	out, err := all.CombinedOutput()
	if err != nil {
		t.Fatalf("type the first commands: %v\n%s", err, out)
	}
	named := regexp.MustCompile(`(?m)^(flasharray_x_0\d) would take it`).FindSubmatch(out)
	if named == nil {
		t.Fatalf("place names no backend:\n%s", out)
	}
	process.Await(t, 2*time.Minute, "an available volume", func() error {
		out, err := exec.Command("bash", "-e", "-c", commands[0]+strings.Join(commands[4:], "")).CombinedOutput()
		if err == nil && !strings.Contains(string(out), "available. It is on ctl1@"+string(named[1])+"#") {
			err = errors.New("it is not available on " + string(named[1]))
		}
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	})

	begun := time.Now()
	program.Signal(syscall.SIGINT)
	if code := program.ExitCode(); code != 0 {
		t.Errorf("the program ended with code %d", code)
	}
	t.Logf("the cloud ended in %.1f s", time.Since(begun).Seconds())
	if _, err := os.Stat(filepath.Dir(folder)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its folder is left: %v", err)
	}
	awaitNoProcesses(t, folder)
}

// TestCloudEndsWithKilledProgram kills the program of make cloud, which can then end
// nothing itself.
func TestCloudEndsWithKilledProgram(t *testing.T) {
	program, folder := startCloudProgram(t)
	program.Kill()
	awaitNoProcesses(t, folder)
}
