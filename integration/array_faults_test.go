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

// arrayFault is what befalls one array, and how the agent should put up with it.
type arrayFault struct {
	name   string
	inject func(*simulator.Server, *simulator.Array)
	says   string // in the log, on the change for the worse; "" if it should not be noticed
}

func arrayFaults() []arrayFault {
	fault := func(faults ...simulator.Fault) func(*simulator.Server, *simulator.Array) {
		return func(_ *simulator.Server, a *simulator.Array) { a.SetFaults(faults...) }
	}
	history := func(h simulator.History) func(*simulator.Server, *simulator.Array) {
		return func(_ *simulator.Server, a *simulator.Array) { a.SetHistory(h) }
	}
	const silent, partly = "array does not answer", "array answers, but"
	return []arrayFault{
		{name: "slow", inject: fault(simulator.Latency(100 * time.Millisecond))},
		{name: "too-slow", inject: fault(simulator.Latency(10 * time.Second)), says: silent},
		{name: "hanging", inject: fault(simulator.Hang()), says: silent},
		{name: "session-expired", inject: fault(simulator.Expire().Times(1))},
		{name: "session-expired-midway", inject: fault(simulator.Expire().On("arrays/space").Times(1))},
		{name: "account-gone", inject: fault(accountRemoved()), says: silent},
		{name: "token-revoked", inject: func(_ *simulator.Server, a *simulator.Array) { a.SetTokens() }, says: silent},
		{name: "forbidden", inject: fault(simulator.Forbidden()), says: silent},
		{name: "forbidden-in-part", inject: fault(simulator.Forbidden().On("arrays/performance")), says: partly},
		{name: "rate-limited", inject: fault(simulator.RateLimited("2")), says: silent},
		{name: "rate-limited-without-a-word", inject: fault(simulator.TooManyRequests()), says: silent},
		{name: "internal-error", inject: fault(simulator.ServerError(http.StatusInternalServerError)), says: silent},
		{name: "unavailable", inject: fault(simulator.ServerError(http.StatusServiceUnavailable)), says: silent},
		{name: "cut-off", inject: fault(simulator.CutBody()), says: silent},
		{name: "not-json", inject: fault(simulator.NotJSON()), says: silent},
		{name: "without-rights", inject: fault(simulator.NullFields("capacity", "space.*").On("arrays/space")), says: partly},
		{name: "without-samples", inject: history(simulator.History{Empty: true}), says: partly},
		{name: "newest-first", inject: history(simulator.History{Order: simulator.Descending})},
		{name: "in-no-order", inject: history(simulator.History{Order: simulator.Unordered})},
		{name: "certificate-expired", says: silent, inject: func(s *simulator.Server, a *simulator.Array) {
			s.ExpireCertificate(a.Name(), true)
			a.SetFaults(simulator.CutBody().Times(1)) // or the open connection would go on
		}},
	}
}

// slowInterval is the interval where an array that is well must not miss a report:
// a machine that does other things too needs some seconds for a poll.
const slowInterval = 8 * time.Second

// accountRemoved refuses everything, and what was open before is closed.
func accountRemoved() simulator.Fault {
	f := simulator.Unauthorized()
	f.ExpireSessions = true
	return f
}

// end undoes every arrayFault.
func (m arrayFault) end(env *environment, a *simulator.Array, token string) {
	env.server.ExpireCertificate(a.Name(), false)
	a.SetFaults()
	a.SetHistory(simulator.History{})
	a.SetTokens(token)
}

// TestArrayFaultsAreIsolated lets something else happen to each array but
// two, all at once. The two must be reported in time, nothing that no array
// said may be published, the log has one line per change of state, and all
// recover when it is over.
func TestArrayFaultsAreIsolated(t *testing.T) {
	t.Parallel()
	broker, transport := joinBroker(t)
	fixtures := []simulator.Fixture{builtin(t, "flasharray-x-01").As("healthy-1"), builtin(t, "flasharray-x-02").As("healthy-2")}
	healthy, troubles := len(fixtures), arrayFaults()
	for _, m := range troubles {
		fixtures = append(fixtures, builtin(t, "flasharray-x-03").As(m.name))
	}
	env := newEnvironment(t, fixtures, transport)
	env.pollEvery(slowInterval)
	truth := env.reportsByFrame(3)
	l := cindertest.StartScheduler(t, broker.URL(), cindertest.Layout{})
	env.startVolume(broker)
	a := env.startAgent()
	for _, array := range env.arrays {
		l.Await(pollBound, hostName(array.Name()), time.Time{}, complete)
	}

	injected := time.Now()
	for i, m := range troubles {
		m.inject(env.server, env.arrays[healthy+i])
	}
	for _, array := range env.arrays[:healthy] {
		array.SetFrame(1)
		l.Await(2*slowInterval, hostName(array.Name()), injected, truth.frame(array.Name(), 1))
	}
	for _, m := range troubles {
		if m.says != "" {
			a.awaitStateChange(hostName(m.name), m.says)
		}
	}
	for _, array := range env.arrays[:healthy] {
		array.SetFrame(2)
		l.Await(2*slowInterval, hostName(array.Name()), time.Now(), truth.frame(array.Name(), 2))
	}

	over := time.Now()
	for i, m := range troubles {
		m.end(env, env.arrays[healthy+i], env.tokens[healthy+i])
	}
	for _, array := range env.arrays {
		l.Await(loginBound, hostName(array.Name()), over, complete)
	}
	a.finish()
	for _, array := range env.arrays {
		host := hostName(array.Name())
		checkTimestamps(t, host, l.ReportsOf(host))
		truth.check(t, l, array.Name())
		a.checkStateChanges(host)
	}
	for _, array := range env.arrays[:healthy] {
		host := hostName(array.Name())
		checkIntervals(t, host, overlays(l.ReportsOf(host)))
	}
	for i, m := range troubles {
		if n := len(a.stateChanges(hostName(m.name))); m.says == "" && n != 1 {
			t.Errorf("%s: %d lines in the log about what should not be noticed", env.arrays[healthy+i].Name(), n)
		}
	}
}

// complete is an error unless a report is complete.
func complete(got capability.Set) error {
	if s, _ := got[capability.KeyMetricsStatus].Str(); s != string(capability.OK) {
		return fmt.Errorf("metrics_status is %q", s)
	}
	return nil
}

// checkIntervals fails the test where a report of a backend was late.
func checkIntervals(t *testing.T, host string, reports []cindertest.Report) {
	t.Helper()
	for i := 1; i < len(reports); i++ {
		if gap := reports[i].Received.Sub(reports[i-1].Received); gap >= 2*slowInterval {
			t.Errorf("%s: a report was missed: %v between two", host, gap)
		}
	}
}

// frames are the reports that are true of each array, frame by frame.
type frames map[string][]capability.Set

// reportsByFrame asks the dry run about the first n frames, and leaves the arrays at
// the first of them.
func (env *environment) reportsByFrame(n int) frames {
	env.t.Helper()
	truth := frames{}
	for frame := range n {
		env.setFrame(frame)
		for _, r := range env.dryRun() {
			if err := complete(r.Capabilities); err != nil {
				env.t.Fatalf("%s: frame %d: %v", r.Host, frame, err)
			}
			truth[r.Host] = append(truth[r.Host], r.Capabilities)
		}
	}
	env.setFrame(0)
	return truth
}

// frame is an error unless a report is that of a frame.
func (f frames) frame(array string, n int) func(capability.Set) error {
	return func(got capability.Set) error { return holds(got, f[hostName(array)][n]) }
}

// check fails the test if a value was published that is in no frame. A value
// may be missing; what says how good the sample was, and what only cinder-volume
// counts, may be anything.
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
		if text := line.text("message"); line.text("host") == host && strings.HasPrefix(text, "array") {
			lines = append(lines, text)
		}
	}
	return lines
}

// awaitStateChange waits for a line about a change of an array's state.
func (a *agent) awaitStateChange(host, says string) {
	a.t.Helper()
	process.Await(a.t, pollBound, fmt.Sprintf("the log to say of %s: %s", host, says), func() error {
		stateChanges := a.stateChanges(host)
		if slices.ContainsFunc(stateChanges, func(text string) bool { return strings.HasPrefix(text, says) }) {
			return nil
		}
		return fmt.Errorf("it says %q", stateChanges)
	})
}

// checkStateChanges fails the test where the log tells the same twice in a row.
func (a *agent) checkStateChanges(host string) {
	a.t.Helper()
	stateChanges := a.stateChanges(host)
	for i := 1; i < len(stateChanges); i++ {
		if stateChanges[i] == stateChanges[i-1] {
			a.t.Errorf("%s: the log says twice: %s", host, stateChanges[i])
		}
	}
}
