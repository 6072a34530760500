//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/process"
)

// arrayFault is a fault of one array, and what the agent logs of it.
type arrayFault struct {
	name   string
	inject func(*simulator.Server, *simulator.Array)
	logs   string // when it begins; "" if the agent must not report it
}

func arrayFaults() []arrayFault {
	fault := func(faults ...simulator.Fault) func(*simulator.Server, *simulator.Array) {
		return func(_ *simulator.Server, a *simulator.Array) { a.SetFaults(faults...) }
	}
	history := func(h simulator.History) func(*simulator.Server, *simulator.Array) {
		return func(_ *simulator.Server, a *simulator.Array) { a.SetHistory(h) }
	}
	const down, partial = "polling array failed", "array polled, sample is partial"
	return []arrayFault{
		{name: "slow", inject: fault(simulator.Latency(100 * time.Millisecond))},
		{name: "too-slow", inject: fault(simulator.Latency(10 * time.Second)), logs: down},
		{name: "hanging", inject: fault(simulator.Hang()), logs: down},
		{name: "session-expired", inject: fault(simulator.Expire().Times(1))},
		{name: "session-expired-midway", inject: fault(simulator.Expire().On("arrays/space").Times(1))},
		{name: "account-gone", inject: fault(accountRemoved()), logs: down},
		{name: "token-revoked", inject: func(_ *simulator.Server, a *simulator.Array) { a.SetTokens() }, logs: down},
		{name: "forbidden", inject: fault(simulator.Forbidden()), logs: down},
		{name: "forbidden-in-part", inject: fault(simulator.Forbidden().On("arrays/performance")), logs: partial},
		{name: "rate-limited", inject: fault(simulator.RateLimited("2")), logs: down},
		{name: "rate-limited-without-retry-after", inject: fault(simulator.TooManyRequests()), logs: down},
		{name: "internal-error", inject: fault(simulator.ServerError(http.StatusInternalServerError)), logs: down},
		{name: "unavailable", inject: fault(simulator.ServerError(http.StatusServiceUnavailable)), logs: down},
		{name: "cut-off", inject: fault(simulator.CutBody()), logs: down},
		{name: "not-json", inject: fault(simulator.NotJSON()), logs: down},
		{name: "without-rights", inject: fault(simulator.NullFields("capacity", "space.*").On("arrays/space")), logs: partial},
		{name: "without-samples", inject: history(simulator.History{Empty: true}), logs: partial},
		{name: "newest-first", inject: history(simulator.History{Order: simulator.Descending})},
		{name: "in-no-order", inject: history(simulator.History{Order: simulator.Unordered})},
		{name: "certificate-expired", logs: down, inject: func(s *simulator.Server, a *simulator.Array) {
			s.ExpireCertificate(a.Name(), true)
			a.SetFaults(simulator.CutBody().Times(1)) // closes the open connection
		}},
	}
}

// slowInterval is the interval where an array without a fault must not miss a report:
// a busy machine needs some seconds for a poll.
const slowInterval = 8 * time.Second

// accountRemoved refuses every request and ends all sessions.
func accountRemoved() simulator.Fault {
	f := simulator.Unauthorized()
	f.ExpireSessions = true
	return f
}

// clear ends the fault.
func (m arrayFault) clear(env *environment, a *simulator.Array, token string) {
	env.server.ExpireCertificate(a.Name(), false)
	a.SetFaults()
	a.SetHistory(simulator.History{})
	a.SetTokens(token)
}

// TestArrayFaultsAreIsolated injects a different fault into each array but two, all at
// once. The two must be reported as before, no value may be published that no array
// has returned, the log has one line per change of state, and all recover when the
// faults are over.
func TestArrayFaultsAreIsolated(t *testing.T) {
	t.Parallel()
	broker, transport := joinBroker(t)
	fixtures := []simulator.Fixture{builtin(t, "flasharray-x-01").As("healthy-1"), builtin(t, "flasharray-x-02").As("healthy-2")}
	healthy, faults := len(fixtures), arrayFaults()
	for _, m := range faults {
		fixtures = append(fixtures, builtin(t, "flasharray-x-03").As(m.name))
	}
	env := newEnvironment(t, fixtures, transport)
	env.pollEvery(slowInterval)
	expected := env.reportsByFrame(3)
	l := cindertest.StartScheduler(t, broker.URL(), cindertest.Layout{})
	env.startVolume(broker)
	a := env.startAgent()
	for _, array := range env.arrays {
		l.Await(pollBound, hostName(array.Name()), time.Time{}, complete)
	}

	injected := time.Now()
	for i, m := range faults {
		m.inject(env.server, env.arrays[healthy+i])
	}
	for _, array := range env.arrays[:healthy] {
		array.SetFrame(1)
		l.Await(pollBound, hostName(array.Name()), injected, expected.frame(array.Name(), 1))
	}
	for _, m := range faults {
		if m.logs != "" {
			a.awaitStateChange(hostName(m.name), m.logs)
		}
	}
	for _, array := range env.arrays[:healthy] {
		array.SetFrame(2)
		l.Await(pollBound, hostName(array.Name()), time.Now(), expected.frame(array.Name(), 2))
	}

	over := time.Now()
	for i, m := range faults {
		m.clear(env, env.arrays[healthy+i], env.tokens[healthy+i])
	}
	for _, array := range env.arrays {
		l.Await(loginBound, hostName(array.Name()), over, complete)
	}
	a.finish()
	for _, array := range env.arrays {
		host := hostName(array.Name())
		checkTimestamps(t, host, l.ReportsOf(host))
		expected.check(t, l, array.Name())
		a.checkStateChanges(host)
	}
	for _, array := range env.arrays[:healthy] {
		host := hostName(array.Name())
		checkIntervals(t, host, overlays(l.ReportsOf(host)))
	}
	for i, m := range faults {
		if n := len(a.stateChanges(hostName(m.name))); m.logs == "" && n != 1 {
			t.Errorf("%s: %d lines in the log, want 1", env.arrays[healthy+i].Name(), n)
		}
	}
}

// complete returns an error unless every metric of a report was measured.
func complete(got capability.Set) error {
	if s, _ := got[capability.KeyMetricsStatus].Str(); s != string(capability.OK) {
		return fmt.Errorf("metrics_status is %q", s)
	}
	return nil
}

// checkIntervals fails the test where a report of a backend was late. Arrays that do
// not respond would delay it by a time-out each, together by more than a minute, if
// they were polled one after the other; a busy machine delays it by some seconds.
func checkIntervals(t *testing.T, host string, reports []cindertest.Report) {
	t.Helper()
	for i := 1; i < len(reports); i++ {
		if gap := reports[i].Received.Sub(reports[i-1].Received); gap >= 4*slowInterval {
			t.Errorf("%s: %v between two reports", host, gap)
		}
	}
}

// frames are the expected reports of each backend, one for each frame.
type frames map[string][]capability.Set

// reportsByFrame returns the dry run of the first n frames, and leaves the arrays at the
// first.
func (env *environment) reportsByFrame(n int) frames {
	env.t.Helper()
	expected := frames{}
	for frame := range n {
		env.setFrame(frame)
		for _, r := range env.dryRun() {
			if err := complete(r.Capabilities); err != nil {
				env.t.Fatalf("%s: frame %d: %v", r.Host, frame, err)
			}
			expected[r.Host] = append(expected[r.Host], r.Capabilities)
		}
	}
	env.setFrame(0)
	return expected
}

// frame checks that a report is that of a frame.
func (f frames) frame(array string, n int) func(capability.Set) error {
	return func(got capability.Set) error { return holds(got, f[hostName(array)][n]) }
}

// check fails the test if a value was published that is in no frame. A value may be
// absent. Age and status of the sample, and what only cinder-volume counts, may have
// any value.
func (f frames) check(t *testing.T, l *cindertest.Scheduler, array string) {
	t.Helper()
	for _, r := range l.ReportsOf(hostName(array)) {
		for key, value := range r.Capabilities {
			if key == capability.KeyMetricsAge || key == capability.KeyMetricsStatus || key == capability.KeyAllocatedCapacity {
				continue
			}
			if !slices.ContainsFunc(f[r.Host], func(s capability.Set) bool { return value.Equal(s[key]) && has(s, key) }) {
				t.Errorf("%s: %s = %v was published and is in no frame", r.Host, key, value)
			}
		}
	}
}

func has(s capability.Set, key string) bool {
	_, there := s[key]
	return there
}

// stateChanges are the lines of the log about the state of an array.
func (a *agent) stateChanges(host string) (lines []string) {
	for _, line := range a.log() {
		text := line.text("message")
		about := func(prefix string) bool { return strings.HasPrefix(text, prefix) }
		if line.text("host") == host && slices.ContainsFunc([]string{"array ", "polling array ", "report is stale"}, about) {
			lines = append(lines, text)
		}
	}
	return lines
}

// awaitStateChange waits for a line about a change of an array's state.
func (a *agent) awaitStateChange(host, text string) {
	a.t.Helper()
	process.Await(a.t, pollBound, fmt.Sprintf("a line in the log about %s: %s", host, text), func() error {
		stateChanges := a.stateChanges(host)
		if slices.ContainsFunc(stateChanges, func(line string) bool { return strings.HasPrefix(line, text) }) {
			return nil
		}
		return fmt.Errorf("the lines are %q", stateChanges)
	})
}

// checkStateChanges fails the test where the log has the same state twice in a row.
func (a *agent) checkStateChanges(host string) {
	a.t.Helper()
	stateChanges := a.stateChanges(host)
	for i := 1; i < len(stateChanges); i++ {
		if stateChanges[i] == stateChanges[i-1] {
			a.t.Errorf("%s: the log has twice: %s", host, stateChanges[i])
		}
	}
}
