//go:build integration

package integration

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

const (
	chaosArrays = 32
	chaosFrames = 3
	// chaosLength is how long faults are injected; POOLCAST_CHAOS makes it longer.
	chaosLength = 60 * time.Second
	// chaosPace is the mean time from one fault to the next.
	chaosPace = 500 * time.Millisecond
	// maxFaulty is how many arrays have a fault at once.
	maxFaulty = 12
	// closeBound is for what ends by a time-out of the agent, or of TCP.
	closeBound = 2 * time.Minute
	// loginBound is for an array that has refused several logins: so that it locks no
	// account, the agent waits for up to five minutes before the next.
	loginBound = 6 * time.Minute
)

// chaos is an environment into which faults are injected at random.
type chaos struct {
	*environment
	random   *rand.Rand
	broker   *rabbitmq.Broker
	listener *cindertest.Scheduler
	agent    *agent
	page     string // URL of the agent's status page

	base       string         // a configuration that names every array
	edits      int            // of the configuration
	injected   map[int]func() // clears the fault of an array, by the array's index
	absent     map[int]bool   // arrays that the configuration leaves out
	tokenFiles map[int]string // of the arrays whose tokens are in files
}

// TestChaos injects faults of arrays, broker, configuration and tokens in random order
// for a while, and each at least once. Afterwards each array is reported at its
// interval, no resource has leaked, and no wrong value was published.
//
// Steps of the clock are not among the faults: the Go runtime reads the clock without
// the C library, so that only the clock of the whole host could be set. The tests of
// publisher have them, in virtual time.
//
// POOLCAST_CHAOS is how long it lasts, for example 10m. The order is the same at each
// run; POOLCAST_CHAOS_SEED=N is another.
func TestChaos(t *testing.T) {
	t.Parallel()
	x := newChaos(t)
	expected := x.reportsByFrame(chaosFrames)
	begun := time.Now()
	x.begin()
	before := x.footprint()
	t.Logf("before: %+v", before)

	x.injectAll(chaosTime(t))
	over := x.settle()
	t.Logf("after %v", time.Since(begun))

	for _, array := range x.arrays {
		x.listener.Await(loginBound, hostName(array.Name()), over, complete)
	}
	t.Logf("all arrays are reported after %v", time.Since(over))
	x.awaitIntervals()
	x.awaitFootprint(before)
	x.agent.finish()
	awaitOnlyCinderQueues(t, x.broker)
	for _, array := range x.arrays {
		checkTimestamps(t, hostName(array.Name()), x.listener.ReportsOf(hostName(array.Name())))
		expected.check(t, x.listener, array.Name())
	}
	t.Logf("%d reports were received, the log has %d lines", len(x.listener.Reports()), len(x.agent.log()))
}

func newChaos(t *testing.T) *chaos {
	t.Helper()
	seed := uint64(1)
	if text := os.Getenv("POOLCAST_CHAOS_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("read POOLCAST_CHAOS_SEED: %v", err)
		}
	}
	t.Logf("POOLCAST_CHAOS_SEED=%d", seed)
	builtins, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var fixtures []simulator.Fixture
	for i := range chaosArrays {
		fixtures = append(fixtures, builtins[i%len(builtins)].As(fmt.Sprintf("chaos-%02d", i)))
	}
	broker, transport := startBroker(t)
	x := &chaos{
		environment: newEnvironment(t, fixtures, transport), random: rand.New(rand.NewPCG(seed, 0)), broker: broker,
		injected: map[int]func(){}, absent: map[int]bool{}, tokenFiles: map[int]string{},
	}
	x.prepare()
	return x
}

// chaosTime is how long faults are injected.
func chaosTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("POOLCAST_CHAOS")
	if text == "" {
		return chaosLength
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("read POOLCAST_CHAOS: %v", err)
	}
	return d
}

// begin starts listener and agent, and waits for a complete report of each array.
func (x *chaos) begin() {
	x.t.Helper()
	x.listener = cindertest.StartScheduler(x.t, x.broker.URL(), cindertest.Layout{})
	x.startVolume(x.broker)
	x.agent = x.startAgent()
	x.page = x.agent.statusPageURL()
	for _, array := range x.arrays {
		x.listener.Await(reconnectBound, hostName(array.Name()), time.Time{}, complete)
	}
}

// injectAll injects all faults in random order, again and again.
func (x *chaos) injectAll(length time.Duration) {
	x.t.Helper()
	faults := x.chaosFaults()
	end := time.Now().Add(length)
	done := map[string]int{}
	for round := 0; round == 0 || time.Now().Before(end); round++ {
		for _, i := range x.random.Perm(len(faults)) {
			if round > 0 && time.Now().After(end) {
				break
			}
			x.t.Logf("%s", faults[i].name)
			faults[i].inject()
			done[faults[i].name]++
			x.waitRandom()
			if !x.agent.Running() {
				x.t.Fatalf("poolcast has ended with code %d", x.agent.ExitCode())
			}
		}
	}
	x.t.Logf("%v", done)
}

// waitRandom waits for a random time, so that the agent meets the fault, and clears
// some faults where more than maxFaulty arrays have one.
func (x *chaos) waitRandom() {
	rest := time.NewTimer(time.Duration(x.random.Float64() * 2 * float64(chaosPace)))
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-x.agent.Exited():
	}
	for _, array := range x.arrays {
		x.awaitSessions(array)
	}
	for _, i := range x.random.Perm(len(x.arrays)) {
		if len(x.injected) <= maxFaulty {
			return
		}
		x.clearFault(i)
	}
}

// awaitSessions waits until an array has no more than two sessions: it has two while a
// client with another address or token replaces the one before.
func (x *chaos) awaitSessions(array *simulator.Array) {
	x.t.Helper()
	process.Await(x.t, closeBound, "sessions on "+array.Name()+" to be closed", func() error {
		if n := array.Sessions(); n > 2 {
			return fmt.Errorf("there are %d", n)
		}
		return nil
	})
}

// clearFault clears the fault of an array.
func (x *chaos) clearFault(i int) {
	if end := x.injected[i]; end != nil {
		delete(x.injected, i)
		end()
	}
}

// settle clears all faults and returns the time after that.
func (x *chaos) settle() time.Time {
	for i := range x.arrays {
		x.clearFault(i)
	}
	x.configure()
	return time.Now()
}

// awaitIntervals waits until every array has been reported three times in a row at its
// interval, each time over a base report of the last interval.
func (x *chaos) awaitIntervals() {
	x.t.Helper()
	since := time.Now()
	for _, array := range x.arrays {
		host := hostName(array.Name())
		process.Await(x.t, closeBound, "reports of "+host+" in time", func() error {
			reports := overlays(x.listener.ReportsOf(host))
			if len(reports) < 3 {
				return fmt.Errorf("%d reports came", len(reports))
			}
			return inTime(reports[len(reports)-3:], since)
		})
	}
}

// inTime returns an error unless each overlay was received after a time, its base report
// was new, and it followed the one before within two intervals.
func inTime(reports []cindertest.Report, since time.Time) error {
	before := reports[0].Received
	for _, r := range reports {
		switch age, gap := r.Received.Sub(r.Timestamp), r.Received.Sub(before); {
		case r.Received.Before(since):
			return fmt.Errorf("the report of %v is too old", r.Received)
		case age >= interval+volumeInterval:
			return fmt.Errorf("a report was %v old when it was sent", age)
		case gap >= 2*interval:
			return fmt.Errorf("%v passed between two reports", gap)
		}
		before = r.Received
	}
	return nil
}

// lines returns the lines of a text that begin with a prefix, without the prefix.
func lines(text, prefix string) (found []string) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			found = append(found, strings.TrimSpace(rest))
		}
	}
	return found
}

// footprint is the resources that an agent holds.
type footprint struct{ descriptors, goroutines, queues int }

// slack is for requests under way: a poll or two, the request of the metrics.
const slack = 10

func (x *chaos) footprint() footprint {
	x.t.Helper()
	text := fetch(x.t, x.page+"/metrics")
	goroutines := lines(text, "go_goroutines ")
	if len(goroutines) != 1 {
		x.t.Fatalf("the metrics have no number of goroutines:\n%s", text)
	}
	n, err := strconv.Atoi(goroutines[0])
	if err != nil {
		x.t.Fatal(err)
	}
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", x.agent.Pid()))
	if err != nil {
		x.t.Fatal(err)
	}
	return footprint{descriptors: len(descriptors), goroutines: n, queues: len(x.broker.Queues())}
}

// awaitFootprint waits until the agent holds no more than before, and one session on
// each array.
func (x *chaos) awaitFootprint(before footprint) {
	x.t.Helper()
	process.Await(x.t, closeBound, "the agent to release what it does not need", func() error {
		now := x.footprint()
		var left []error
		if now.descriptors > before.descriptors+slack {
			left = append(left, fmt.Errorf("%d descriptors became %d", before.descriptors, now.descriptors))
		}
		if now.goroutines > before.goroutines+slack {
			left = append(left, fmt.Errorf("%d goroutines became %d", before.goroutines, now.goroutines))
		}
		if now.queues != before.queues {
			left = append(left, fmt.Errorf("%d queues became %d", before.queues, now.queues))
		}
		for _, array := range x.arrays {
			if n := array.Sessions(); n != 1 {
				left = append(left, fmt.Errorf("%s has %d sessions", array.Name(), n))
			}
		}
		if len(left) == 0 {
			x.t.Logf("after: %+v", now)
		}
		return errors.Join(left...)
	})
}
