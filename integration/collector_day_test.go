package integration

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// dayInterval is how often arrays are polled in the virtual day: so seldom that the day
// takes some seconds.
const dayInterval = 5 * time.Minute

// TestCollectorVirtualDay polls simulated arrays over HTTPS for a day of virtual time:
// one without faults, one whose sessions expire every hour, one with a different fault
// each hour. Goroutines do not grow, no poll drifts, and each array has one session.
func TestCollectorVirtualDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t, 3)
		healthy, expiring, faulty := d.arrays[0], d.arrays[1], d.arrays[2]
		time.Sleep(2*dayInterval + dayInterval/2)
		synctest.Wait()
		before := bubbleGoroutines(t)
		faults := dayFaults()
		for hour := range 24 {
			expiring.ExpireSessions()
			faulty.SetFaults(faults[hour%len(faults)]...)
			time.Sleep(40 * time.Minute)
			faulty.SetFaults()
			time.Sleep(20 * time.Minute)
			synctest.Wait()
			d.checkSessions()
		}
		if after := bubbleGoroutines(t); after > before {
			t.Errorf("%d goroutines became %d", before, after)
		}
		d.checkPolls(healthy)
		d.checkPolls(expiring)
		if n := healthy.Logins(); n != 1 {
			t.Errorf("%d logins, want 1", n)
		}
		d.stop()
	})
}

// bubbleGoroutines counts the goroutines of the test's own bubble, not those of other
// tests.
func bubbleGoroutines(t *testing.T) int {
	t.Helper()
	stacks := make([]byte, 16<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	own := regexp.MustCompile(`synctest bubble \d+`).Find(stacks) // the caller's stack is the first
	if own == nil {
		t.Fatalf("the first stack is of no bubble: %.200s", stacks)
	}
	return bytes.Count(stacks, append(own, ']'))
}

// dayFaults are the faults of one hour each.
func dayFaults() [][]simulator.Fault {
	return [][]simulator.Fault{
		{simulator.Hang()},
		{simulator.Latency(45 * time.Second)},
		{simulator.Expire().On("arrays/space")},
		{simulator.Unauthorized()},
		{simulator.Forbidden()},
		{simulator.RateLimited("30")},
		{simulator.ServerError(http.StatusBadGateway)},
		{simulator.CutBody()},
		{simulator.NotJSON()},
		simulator.WithoutRights(),
		{simulator.CutBody().On("login"), simulator.Expire().On("arrays/performance").Times(1)},
	}
}

// day is a collector with real clients of simulated arrays, in memory.
type day struct {
	t         *testing.T
	arrays    []*simulator.Array
	server    *simulator.Server
	collector *collector.Collector
	begun     time.Time
	cancel    context.CancelFunc
	done      chan error

	mu   sync.Mutex
	seen map[string][]time.Time // when the polls behind the reports began
}

func newDay(t *testing.T, arrays int) *day {
	t.Helper()
	fixtures, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	d := &day{t: t, done: make(chan error, 1), begun: time.Now(), seen: map[string][]time.Time{}}
	for _, f := range fixtures[:arrays] {
		d.arrays = append(d.arrays, simulator.New(f, simulator.Options{}))
	}
	d.server, err = simulator.Serve(d.arrays, simulator.ServeOptions{
		Listen: func(*simulator.Array) (net.Listener, error) { return simulator.NewPipeListener(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	d.collector = collector.New(collector.Options{
		Observer: d, Refused: func(err error) bool { return errors.Is(err, flasharray.ErrTokenRefused) },
	})
	if err := d.collector.Apply(d.targets()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	d.cancel = cancel
	go func() { d.done <- d.collector.Run(ctx) }()
	return d
}

func (d *day) targets() (targets []collector.Target) {
	for _, a := range d.arrays {
		client, err := flasharray.New(flasharray.Options{
			Address: a.Addresses()[0], Token: flasharray.StaticToken("token"), Verify: true,
			RootCAs: d.server.CertPool(), Dial: d.server.DialContext, IdleTimeout: 2 * dayInterval,
		})
		if err != nil {
			d.t.Fatal(err)
		}
		targets = append(targets, collector.Target{
			Host: "ctl1@" + a.Name(), Backend: a.Name(), Source: client, Interval: dayInterval,
			Stanza: collector.Stanza{MaxOverSubscription: "20.0"},
		})
	}
	return targets
}

// Update implements collector.Observer.
func (d *day) Update(r capability.Report) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.CollectedAt.After(time.Now()) {
		d.t.Errorf("%s: collected at %v, which is in the future", r.Host, r.CollectedAt)
	}
	d.seen[r.Backend] = append(d.seen[r.Backend], r.CollectedAt)
}

// Suspend implements collector.Observer.
func (d *day) Suspend(string, string) {}

// Remove implements collector.Observer.
func (d *day) Remove(string) {}

// checkSessions fails the test where an array has not exactly one session.
func (d *day) checkSessions() {
	d.t.Helper()
	for _, a := range d.arrays {
		if n := a.Sessions(); n != 1 {
			d.t.Errorf("%v: %s has %d sessions", time.Since(d.begun), a.Name(), n)
		}
	}
}

// checkPolls fails the test unless an array was read exactly at every interval.
func (d *day) checkPolls(a *simulator.Array) {
	d.t.Helper()
	want := int(time.Since(d.begun) / dayInterval)
	d.mu.Lock()
	defer d.mu.Unlock()
	seen := d.seen[a.Name()]
	if n := len(seen); n < want-1 || n > want+1 {
		d.t.Errorf("%s was read %d times, want %d", a.Name(), n, want)
	}
	for i := 2; i < len(seen); i++ { // the first poll is at once
		if step := seen[i].Sub(seen[i-1]); step != dayInterval {
			d.t.Errorf("%s: %v between two polls", a.Name(), step)
		}
	}
}

// stop ends the day and checks that no session is left.
func (d *day) stop() {
	d.t.Helper()
	d.cancel()
	if err := <-d.done; err != nil {
		d.t.Error(err)
	}
	for _, a := range d.arrays {
		if n := a.Sessions(); n != 0 {
			d.t.Errorf("%s is left with %d sessions", a.Name(), n)
		}
	}
	if err := d.server.Close(); err != nil {
		d.t.Errorf("close the simulator: %v", err)
	}
}
