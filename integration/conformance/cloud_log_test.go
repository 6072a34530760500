//go:build conformance

package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// logLine is a line in the log of an agent.
type logLine struct {
	Message, Backend, State, Cause, Reason, Session string
	Level                                           string
}

func (l logLine) String() string {
	return strings.Join(strings.Fields(strings.Join([]string{l.Message, l.Backend, l.State, l.Cause, l.Session, l.Reason}, " ")), " ")
}

// agentLog is the log of an agent from a time on.
type agentLog struct {
	c     *wholeCloud
	host  string
	bytes int
}

// logFromNow is the log of a host's agent from now on.
func (c *wholeCloud) logFromNow(host string) *agentLog {
	c.t.Helper()
	return &agentLog{c: c, host: host, bytes: len(c.Host(host).Agent.Log())}
}

// lines are those with a message; all if it is empty.
func (l *agentLog) lines(message string) (found []logLine) {
	l.c.t.Helper()
	for text := range strings.Lines(l.c.Host(l.host).Agent.Log()[l.bytes:]) {
		var line logLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			continue // its end is not written yet
		}
		if message == "" || line.Message == message {
			found = append(found, line)
		}
	}
	return found
}

// await waits for lines with a message about a backend; "" is any.
func (l *agentLog) await(message, backend string) {
	l.c.t.Helper()
	l.c.await(fmt.Sprintf("%q of %s in the log", message, backend), func() error {
		for _, line := range l.lines(message) {
			if backend == "" || line.Backend == backend {
				return nil
			}
		}
		return errors.New("there is no such line")
	})
}

// changed checks that the log has at most one line for each change of a backend's state:
// only these states, in this order, and the last one if there is a line.
func (l *agentLog) changed(backend string, states ...string) {
	l.c.t.Helper()
	got := l.states(backend)
	next := 0
	for _, state := range got {
		i := slices.Index(states[next:], state)
		if i < 0 {
			l.c.t.Errorf("the log has the states %v of %s, not in the order of %v", got, backend, states)
			return
		}
		next += i + 1
	}
	if len(got) > 0 && next != len(states) {
		l.c.t.Errorf("the log has the states %v of %s, and the last one is not %s", got, backend, states[len(states)-1])
	}
}

// print writes the lines to the log of the test.
func (l *agentLog) print() {
	l.c.t.Helper()
	for _, line := range l.lines("") {
		l.c.t.Logf("%s: %s %s", l.host, line.Level, line)
	}
}

// states are the states of a backend that are logged, one after the other.
func (l *agentLog) states(backend string) (states []string) {
	l.c.t.Helper()
	for _, line := range l.lines("") {
		if line.Backend == backend && line.State != "" {
			states = append(states, line.State)
		}
	}
	return states
}
