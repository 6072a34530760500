package agent

import (
	"context"
	"reflect"
	"sync"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/publisher"
)

// publisherRunner runs one publisher at a time, and replaces it when settings of
// the message bus change that are not intervals. It passes the collector's reports
// on to the publisher that runs.
type publisherRunner struct {
	reports func() []capability.Report // everything to publish, for a new publisher

	mu      sync.Mutex
	options publisher.Options
	now     *publisher.Publisher
	stop    context.CancelFunc
}

func newPublisherRunner(runtime *setup.Runtime) (*publisherRunner, error) {
	r := &publisherRunner{options: setup.BusOptions(runtime.Config, runtime.Log)}
	var err error
	if r.now, err = publisher.New(r.options); err != nil {
		return nil, exit.With(exit.Config, err)
	}
	return r, nil
}

// Update implements collector.Observer.
func (r *publisherRunner) Update(report capability.Report) { r.publisher().Update(report) }

// Suspend implements collector.Observer.
func (r *publisherRunner) Suspend(host, reason string) { r.publisher().Suspend(host, reason) }

// Remove implements collector.Observer.
func (r *publisherRunner) Remove(host string) { r.publisher().Remove(host) }

// Status is that of the publisher that runs.
func (r *publisherRunner) Status() publisher.Status { return r.publisher().Status() }

// Effective returns the effective report of each backend.
func (r *publisherRunner) Effective() []capability.Report { return r.publisher().Effective() }

func (r *publisherRunner) publisher() *publisher.Publisher {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// run runs publishers until ctx ends. A publisher that was replaced ends with
// its own context, which is no error.
func (r *publisherRunner) run(ctx context.Context) error {
	for ctx.Err() == nil {
		running, stop := context.WithCancel(ctx)
		r.mu.Lock()
		p := r.now
		r.stop = stop
		r.mu.Unlock()
		err := p.Run(running)
		if err != nil && running.Err() == nil {
			stop()
			return err
		}
		stop()
	}
	return nil
}

// prepare makes a publisher with other settings. It is nil if the one that runs can
// take the settings over.
func (r *publisherRunner) prepare(o publisher.Options) (*publisher.Publisher, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if sameBus(r.options, o) {
		return nil, nil
	}
	return publisher.New(o)
}

// use replaces the publisher with one that was prepared. Without one, the publisher
// that runs gets the intervals.
func (r *publisherRunner) use(next *publisher.Publisher, o publisher.Options) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if next == nil {
		r.now.SetIntervals(o.Interval, o.StatsInterval)
		r.options = o
		return
	}
	for _, report := range r.reports() {
		next.Update(report)
	}
	r.now, r.options = next, o
	if r.stop != nil {
		r.stop()
	}
}

// sameBus compares the settings that a publisher has for its life.
func sameBus(a, b publisher.Options) bool {
	return reflect.DeepEqual(withoutIntervals(a), withoutIntervals(b))
}

// withoutIntervals leaves out what can change while a session stays open.
func withoutIntervals(o publisher.Options) publisher.Options {
	o.Logger, o.Interval, o.StatsInterval = zerolog.Nop(), 0, 0
	return o
}
