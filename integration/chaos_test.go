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
	// chaosLength is how long things go wrong; POOLCAST_CHAOS makes it longer.
	chaosLength = 60 * time.Second
	// chaosPace is the mean time from one chaosFault to the next.
	chaosPace = 500 * time.Millisecond
	// maxFaulty is how many arrays are in trouble at once.
	maxFaulty = 12
	// closeBound is for what ends by a time-out of the agent's, or of TCP's.
	closeBound = 2 * time.Minute
	// loginBound is for an array that refused the login again and again: to lock no
	// account, the agent may let five minutes pass before it asks anew.
	loginBound = 6 * time.Minute
)

// chaos is a cloud in which everything goes wrong at random.
type chaos struct {
	*environment
	random   *rand.Rand
	broker   *rabbitmq.Broker
	listener *cindertest.Scheduler
	agent    *agent
	page     string // URL of the agent's status page

	base       string         // a configuration that names every array
	edits      int            // of the configuration
	injected   map[int]func() // how the trouble of an array ends, by the array's index
	absent     map[int]bool   // arrays that the configuration leaves out
	tokenFiles map[int]string // of the arrays whose tokens are in files
}

// TestChaos lets arrays, broker, configuration and tokens misbehave at random
// for a while, and each in every way at least once. When it is over, each array
// is reported in time, nothing has leaked, and nothing false was ever said.
//
// The clock is not among what misbehaves: the Go runtime reads it without the
// C library, so that only the clock of the whole host could be turned. What a
// step does is shown in virtual time, by the tests of publisher.
//
// POOLCAST_CHAOS is how long it lasts, 10m for one, and POOLCAST_CHAOS_SEED
// plays the same chaosFaults again.
func TestChaos(t *testing.T) {
	t.Parallel()
	x := newChaos(t)
	truth := x.reportsByFrame(chaosFrames)
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
	t.Logf("all are well after %v", time.Since(over))
	x.awaitIntervals()
	x.awaitFootprint(before)
	x.agent.finish()
	awaitOnlyCinderQueues(t, x.broker)
	for _, array := range x.arrays {
		checkTimestamps(t, hostName(array.Name()), x.listener.ReportsOf(hostName(array.Name())))
		truth.check(t, x.listener, array.Name())
	}
	t.Logf("%d reports were heard, the log has %d lines", len(x.listener.Reports()), len(x.agent.log()))
}

func newChaos(t *testing.T) *chaos {
	t.Helper()
	seed := rand.Uint64()
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

// chaosTime is how long things go wrong.
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

// begin starts listener and agent, and waits until all is well.
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

// injectAll does all chaosFaults in random order, again and again.
func (x *chaos) injectAll(length time.Duration) {
	x.t.Helper()
	chaosFaults := x.chaosFaults()
	end := time.Now().Add(length)
	done := map[string]int{}
	for round := 0; round == 0 || time.Now().Before(end); round++ {
		for _, i := range x.random.Perm(len(chaosFaults)) {
			if round > 0 && time.Now().After(end) {
				break
			}
			x.t.Logf("%s", chaosFaults[i].name)
			chaosFaults[i].do()
			done[chaosFaults[i].name]++
			x.waitRandom()
			if !x.agent.Running() {
				x.t.Fatalf("poolcast has ended with code %d", x.agent.ExitCode())
			}
		}
	}
	x.t.Logf("%v", done)
}

// waitRandom lets the agent meet what was done, for a random time, and ends some
// trouble if there is much of it.
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

// awaitSessions waits until an array has no more than two sessions: those while a
// client with another address or token takes over.
func (x *chaos) awaitSessions(array *simulator.Array) {
	x.t.Helper()
	process.Await(x.t, closeBound, "sessions on "+array.Name()+" to be closed", func() error {
		if n := array.Sessions(); n > 2 {
			return fmt.Errorf("there are %d", n)
		}
		return nil
	})
}

// clearFault ends the trouble of an array.
func (x *chaos) clearFault(i int) {
	if end := x.injected[i]; end != nil {
		delete(x.injected, i)
		end()
	}
}

// settle ends all trouble and returns when it had ended.
func (x *chaos) settle() time.Time {
	for i := range x.arrays {
		x.clearFault(i)
	}
	x.configure()
	return time.Now()
}

// awaitIntervals waits until every array has been reported three times in a row as
// often, and as freshly, as its interval allows.
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

// inTime is an error unless each overlay came after an instant, its base was fresh, and it
// followed the one before within two intervals.
func inTime(reports []cindertest.Report, since time.Time) error {
	before := reports[0].Received
	for _, r := range reports {
		switch age, gap := r.Received.Sub(r.Timestamp), r.Received.Sub(before); {
		case r.Received.Before(since):
			return fmt.Errorf("the report of %v is an old one", r.Received)
		case age >= interval+volumeInterval:
			return fmt.Errorf("a report was %v old when it was sent", age)
		case gap >= 2*interval:
			return fmt.Errorf("%v passed between two reports", gap)
		}
		before = r.Received
	}
	return nil
}

// lines are those of a text that begin with a prefix, without it.
func lines(text, prefix string) (found []string) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			found = append(found, strings.TrimSpace(rest))
		}
	}
	return found
}

// footprint is what an agent holds.
type footprint struct{ descriptors, goroutines, queues int }

// slack is what may be in flight: a poll or two, the question for the metrics.
const slack = 10

func (x *chaos) footprint() footprint {
	x.t.Helper()
	text := fetch(x.t, x.page+"/metrics")
	goroutines := lines(text, "go_goroutines ")
	if len(goroutines) != 1 {
		x.t.Fatalf("the metrics do not tell the number of goroutines:\n%s", text)
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

// awaitFootprint waits until the agent holds no more than it did before, and
// one session on each array.
func (x *chaos) awaitFootprint(before footprint) {
	x.t.Helper()
	process.Await(x.t, closeBound, "the agent to let go of what it does not need", func() error {
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
