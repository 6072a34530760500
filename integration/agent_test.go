//go:build integration

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/integration/process"
)

// agent is the program running as a service.
type agent struct {
	*process.Process
	t           *testing.T
	environment *environment
}

// logLine is one line of an agent's log.
type logLine map[string]any

func (l logLine) text(key string) string {
	s, _ := l[key].(string)
	return s
}

// startAgent runs the agent. Whatever the test is about, nothing that it ever
// writes may hold a secret, and the race detector must have nothing to say.
func (env *environment) startAgent() *agent {
	env.t.Helper()
	a := &agent{t: env.t, environment: env, Process: process.Start(env.t, process.Command{
		Name: "poolcast",
		Args: []string{program(env.t), "--config-file", env.config},
	})}
	env.t.Cleanup(func() {
		a.Stop()
		checkSecrets(env.t, a.Output())
		if strings.Contains(a.Output(), "DATA RACE") {
			env.t.Errorf("the race detector found something:\n%s", a.Output())
		}
	})
	return a
}

// finish asks the agent to stop, which it must do by itself and well.
func (a *agent) finish() {
	a.t.Helper()
	a.Stop()
	if code := a.ExitCode(); code != 0 {
		a.t.Errorf("poolcast ended with code %d", code)
	}
	for _, array := range a.environment.arrays {
		if n := array.Sessions(); n != 0 {
			a.t.Errorf("%d sessions were left open on %s", n, array.Name())
		}
	}
}

// log is what the agent has logged so far.
func (a *agent) log() (lines []logLine) {
	a.t.Helper()
	for text := range strings.Lines(a.Output()) {
		var line logLine
		if !strings.HasSuffix(text, "\n") {
			break // it is being written
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			a.t.Errorf("not a line of JSON in the log: %q", text)
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// statusPageURL waits for the status page of an agent that chooses its port itself.
func (a *agent) statusPageURL() string {
	a.t.Helper()
	a.awaitLog(0, "message", "status page is up")
	for _, line := range a.log() {
		if line.text("message") == "status page is up" {
			return "http://" + line.text("address")
		}
	}
	return ""
}

// awaitLog waits for a line of the log, beyond the first so many, in which a
// field holds a text.
func (a *agent) awaitLog(beyond int, field, text string) {
	a.t.Helper()
	process.Await(a.t, pollBound, fmt.Sprintf("a line in the log with %s %q", field, text), func() error {
		lines := a.log()
		for _, line := range lines[min(beyond, len(lines)):] {
			if strings.Contains(line.text(field), text) {
				return nil
			}
		}
		if !a.Running() {
			a.t.Fatalf("poolcast has ended with code %d", a.ExitCode())
		}
		return errors.New("it is not there")
	})
}
