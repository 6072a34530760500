package collector

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// fakeSource is a Source made of functions.
type fakeSource struct {
	mu     sync.Mutex
	polled []time.Time
	closed int

	onSample func(ctx context.Context, poll int) (capability.Sample, error)
	onClose  func(ctx context.Context) error
}

func (a *fakeSource) Sample(ctx context.Context) (capability.Sample, error) {
	a.mu.Lock()
	a.polled = append(a.polled, time.Now())
	poll := len(a.polled)
	a.mu.Unlock()
	if a.onSample == nil {
		return sample(), nil
	}
	return a.onSample(ctx, poll)
}

func (a *fakeSource) Close(ctx context.Context) error {
	a.mu.Lock()
	a.closed++
	a.mu.Unlock()
	if a.onClose != nil {
		return a.onClose(ctx)
	}
	return nil
}

func (a *fakeSource) polls() []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]time.Time(nil), a.polled...)
}

func (a *fakeSource) closes() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closed
}

func ptr[T any](v T) *T { return &v }

// sample is what a healthy array reports now.
func sample() capability.Sample {
	return capability.Sample{
		CollectedAt: time.Now(),
		Identity:    capability.Identity{ID: "a-1", Name: "fa1", Model: "FA-X50R4", Purity: "6.6.10", REST: "2.26"},
		Space: &capability.Space{
			Capacity: ptr[int64](20480 * gib), TotalPhysical: ptr[int64](6656 * gib),
			TotalProvisioned: ptr[int64](102400 * gib), DataReduction: ptr(4.0), TotalReduction: ptr(16.0),
		},
		Counts: capability.Counts{
			Volumes: ptr[int64](412), Snapshots: ptr[int64](1031), Hosts: ptr[int64](24),
			ProtectionGroups: ptr[int64](7), LiveVolumes: ptr[int64](400),
		},
		Performance: &capability.Performance{
			Time: time.Now().Add(-5 * time.Second), Age: 5 * time.Second, Resolution: 30 * time.Second,
			ReadsPerSec: ptr[int64](4200), WritesPerSec: ptr[int64](1800), MirroredWritesPerSec: ptr[int64](0),
			ReadBytesPerSec: ptr[int64](137625600), WriteBytesPerSec: ptr[int64](29491200), MirroredWriteBytesPerSec: ptr[int64](0),
			UsecPerRead: ptr[int64](310), UsecPerWrite: ptr[int64](420), UsecPerMirroredWrite: ptr[int64](0),
			QueueUsecPerRead: ptr[int64](10), QueueUsecPerWrite: ptr[int64](15), QueueUsecPerMirroredWrite: ptr[int64](0),
			QueueDepth: ptr[int64](3),
		},
		Links: []capability.Link{},
	}
}

// target is a backend of the given name that is polled every minute.
func target(name string, s Source) Target {
	return Target{
		Host: "ctl1@" + name, Backend: name, Pool: "gold", Zone: "dc1", Source: s,
		Interval: time.Minute, Timeout: 10 * time.Second,
		Stanza: Stanza{Protocol: "iSCSI", MaxOverSubscription: "20.0", AutomaticOverSubscription: true},
	}
}

// recorder is an Observer that records its calls.
type recorder struct {
	mu        sync.Mutex
	reports   []capability.Report
	at        []time.Time
	suspended []string
	removed   []string
}

func (w *recorder) Update(r capability.Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports, w.at = append(w.reports, r), append(w.at, time.Now())
}

func (w *recorder) Suspend(host, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.suspended = append(w.suspended, host+": "+reason)
}

func (w *recorder) Remove(host string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.removed = append(w.removed, host)
}

func (w *recorder) count() (reports, suspensions, removed int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.reports), len(w.suspended), len(w.removed)
}

func (w *recorder) last(t *testing.T) capability.Report {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.reports) == 0 {
		t.Fatal("no report")
	}
	return w.reports[len(w.reports)-1]
}

var errDown = errors.New("connect to 10.0.0.1: no route to host")

// run starts the Collector and returns how to stop it and wait for it.
func run(t *testing.T, c *Collector) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run returned %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// collect makes a running Collector of the targets.
func collect(t *testing.T, o Options, targets ...Target) (*Collector, func()) {
	t.Helper()
	c := New(o)
	if err := c.Apply(targets); err != nil {
		t.Fatal(err)
	}
	return c, run(t, c)
}
