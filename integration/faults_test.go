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
	"github.com/poolcast/poolcast/integration/process"
)

// misfortune is what befalls one array, and how the agent should put up with it.
type misfortune struct {
	name   string
	strike func(*simulator.Server, *simulator.Array)
	says   string // in the log, on the change for the worse; "" if it should not be noticed
}

func misfortunes() []misfortune {
	fault := func(faults ...simulator.Fault) func(*simulator.Server, *simulator.Array) {
		return func(_ *simulator.Server, a *simulator.Array) { a.SetFaults(faults...) }
	}
	history := func(h simulator.History) func(*simulator.Server, *simulator.Array) {
		return func(_ *simulator.Server, a *simulator.Array) { a.SetHistory(h) }
	}
	const silent, partly = "polling array failed", "array polled, sample is partial"
	return []misfortune{
		{name: "slow", strike: fault(simulator.Latency(100 * time.Millisecond))},
		{name: "too-slow", strike: fault(simulator.Latency(10 * time.Second)), says: silent},
		{name: "hanging", strike: fault(simulator.Hang()), says: silent},
		{name: "session-expired", strike: fault(simulator.Expire().Times(1))},
		{name: "session-expired-midway", strike: fault(simulator.Expire().On("arrays/space").Times(1))},
		{name: "account-gone", strike: fault(accountGone()), says: silent},
		{name: "token-revoked", strike: func(_ *simulator.Server, a *simulator.Array) { a.SetTokens() }, says: silent},
		{name: "forbidden", strike: fault(simulator.Forbidden()), says: silent},
		{name: "forbidden-in-part", strike: fault(simulator.Forbidden().On("arrays/performance")), says: partly},
		{name: "rate-limited", strike: fault(simulator.RateLimited("2")), says: silent},
		{name: "rate-limited-without-a-word", strike: fault(simulator.TooManyRequests()), says: silent},
		{name: "internal-error", strike: fault(simulator.ServerError(http.StatusInternalServerError)), says: silent},
		{name: "unavailable", strike: fault(simulator.ServerError(http.StatusServiceUnavailable)), says: silent},
		{name: "cut-off", strike: fault(simulator.CutBody()), says: silent},
		{name: "not-json", strike: fault(simulator.NotJSON()), says: silent},
		{name: "without-rights", strike: fault(simulator.NullFields("capacity", "space.*").On("arrays/space")), says: partly},
		{name: "without-samples", strike: history(simulator.History{Empty: true}), says: partly},
		{name: "newest-first", strike: history(simulator.History{Order: simulator.Descending})},
		{name: "in-no-order", strike: history(simulator.History{Order: simulator.Unordered})},
		{name: "certificate-expired", says: silent, strike: func(s *simulator.Server, a *simulator.Array) {
			s.ExpireCertificate(a.Name(), true)
			a.SetFaults(simulator.CutBody().Times(1)) // or the open connection would go on
		}},
	}
}

// unhurried is the interval where an array that is well must not miss a report:
// a machine that does other things too needs some seconds for a poll.
const unhurried = 8 * time.Second

// accountGone refuses everything, and what was open before is closed.
func accountGone() simulator.Fault {
	f := simulator.Unauthorized()
	f.ExpireSessions = true
	return f
}

// end undoes every misfortune.
func (m misfortune) end(c *cloud, a *simulator.Array, token string) {
	c.server.ExpireCertificate(a.Name(), false)
	a.SetFaults()
	a.SetHistory(simulator.History{})
	a.SetTokens(token)
}

// TestFaultsStayWithTheirArray lets something else happen to each array but
// two, all at once. The two must be reported in time, nothing that no array
// said may be published, the log has one line per change of state, and all
// recover when it is over.
func TestFaultsStayWithTheirArray(t *testing.T) {
	t.Parallel()
	broker, transport := joinBroker(t)
	fixtures := []simulator.Fixture{builtin(t, "flasharray-x-01").As("healthy-1"), builtin(t, "flasharray-x-02").As("healthy-2")}
	healthy, troubles := len(fixtures), misfortunes()
	for _, m := range troubles {
		fixtures = append(fixtures, builtin(t, "flasharray-x-03").As(m.name))
	}
	c := newCloud(t, fixtures, transport)
	c.pollEvery(unhurried)
	truth := c.everyFrame(3)
	l := listen(t, broker)
	c.startVolume(broker)
	a := c.startAgent()
	for _, array := range c.arrays {
		l.await(hostOf(array.Name()), time.Time{}, patience, sound)
	}

	struck := time.Now()
	for i, m := range troubles {
		m.strike(c.server, c.arrays[healthy+i])
	}
	for _, array := range c.arrays[:healthy] {
		array.SetFrame(1)
		l.await(hostOf(array.Name()), struck, 2*unhurried, truth.frame(array.Name(), 1))
	}
	for _, m := range troubles {
		if m.says != "" {
			a.awaitPassage(hostOf(m.name), m.says)
		}
	}
	for _, array := range c.arrays[:healthy] {
		array.SetFrame(2)
		l.await(hostOf(array.Name()), time.Now(), 2*unhurried, truth.frame(array.Name(), 2))
	}

	over := time.Now()
	for i, m := range troubles {
		m.end(c, c.arrays[healthy+i], c.tokens[healthy+i])
	}
	for _, array := range c.arrays {
		l.await(hostOf(array.Name()), over, pardon, sound)
	}
	a.finish()
	for _, array := range c.arrays {
		host := hostOf(array.Name())
		l.checkStamps(t, host)
		truth.check(t, l, array.Name())
		a.checkPassages(host)
	}
	for _, array := range c.arrays[:healthy] {
		l.checkRhythm(hostOf(array.Name()))
	}
	for i, m := range troubles {
		if n := len(a.passages(hostOf(m.name))); m.says == "" && n != 1 {
			t.Errorf("%s: %d lines in the log about what should not be noticed", c.arrays[healthy+i].Name(), n)
		}
	}
}

// sound is an error unless a report is complete.
func sound(got capability.Set) error {
	if s, _ := got[capability.KeyMetricsStatus].Str(); s != string(capability.OK) {
		return fmt.Errorf("metrics_status is %q", s)
	}
	return nil
}

// checkRhythm fails the test where a report of a backend was late.
func (l *listener) checkRhythm(host string) {
	l.t.Helper()
	reports := l.overlays(host)
	for i := 1; i < len(reports); i++ {
		if gap := reports[i].at.Sub(reports[i-1].at); gap >= 2*unhurried {
			l.t.Errorf("%s: a report was missed: %v between two", host, gap)
		}
	}
}

// frames are the reports that are true of each array, frame by frame.
type frames map[string][]capability.Set

// everyFrame asks the dry run about the first n frames, and leaves the arrays at
// the first of them.
func (c *cloud) everyFrame(n int) frames {
	c.t.Helper()
	truth := frames{}
	for frame := range n {
		c.setFrame(frame)
		for _, r := range c.dryRun() {
			if err := sound(r.Capabilities); err != nil {
				c.t.Fatalf("%s: frame %d: %v", r.Host, frame, err)
			}
			truth[r.Host] = append(truth[r.Host], r.Capabilities)
		}
	}
	c.setFrame(0)
	return truth
}

// frame is an error unless a report is that of a frame.
func (f frames) frame(array string, n int) func(capability.Set) error {
	return func(got capability.Set) error { return holds(got, f[hostOf(array)][n]) }
}

// check fails the test if a value was published that is in no frame. A value
// may be missing; what says how good the sample was, and what only cinder-volume
// counts, may be anything.
func (f frames) check(t *testing.T, l *listener, array string) {
	t.Helper()
	for _, r := range l.heard(hostOf(array)) {
		for key, value := range r.capabilities {
			if key == capability.KeyMetricsAge || key == capability.KeyMetricsStatus || key == capability.KeyAllocatedCapacity {
				continue
			}
			if !slices.ContainsFunc(f[r.host], func(s capability.Set) bool { return value.Equal(s[key]) && has(s, key) }) {
				t.Errorf("%s: %s = %v was published and is in no frame", r.host, key, value)
			}
		}
	}
}

func has(s capability.Set, key string) bool {
	_, there := s[key]
	return there
}

// passages are the lines of the log about the state of an array.
func (a *agent) passages(host string) (lines []string) {
	for _, line := range a.log() {
		text := line.text("message")
		about := func(prefix string) bool { return strings.HasPrefix(text, prefix) }
		if line.text("host") == host && slices.ContainsFunc([]string{"array ", "polling array ", "report is stale"}, about) {
			lines = append(lines, text)
		}
	}
	return lines
}

// awaitPassage waits for a line about a change of an array's state.
func (a *agent) awaitPassage(host, says string) {
	a.t.Helper()
	process.Await(a.t, patience, fmt.Sprintf("the log to say of %s: %s", host, says), func() error {
		passages := a.passages(host)
		if slices.ContainsFunc(passages, func(text string) bool { return strings.HasPrefix(text, says) }) {
			return nil
		}
		return fmt.Errorf("it says %q", passages)
	})
}

// checkPassages fails the test where the log tells the same twice in a row.
func (a *agent) checkPassages(host string) {
	a.t.Helper()
	passages := a.passages(host)
	for i := 1; i < len(passages); i++ {
		if passages[i] == passages[i-1] {
			a.t.Errorf("%s: the log says twice: %s", host, passages[i])
		}
	}
}
