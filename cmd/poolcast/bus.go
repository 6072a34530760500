package main

import (
	"cmp"
	"context"
	"reflect"
	"sync"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
)

// busRunner runs one publisher at a time, and another when the settings of the
// message bus change, intervals apart. It hands the collector's reports to whichever runs, so
// the collector does not notice.
type busRunner struct {
	log     zerolog.Logger
	reports func() []capability.Report // everything to publish, for a new publisher

	mu      sync.Mutex
	options publisher.Options
	now     *publisher.Publisher
	stop    context.CancelFunc
}

func newBusRunner(s *session) (*busRunner, error) {
	r := &busRunner{log: s.log, options: busOptions(s.cfg, s.log)}
	var err error
	if r.now, err = publisher.New(r.options); err != nil {
		return nil, withCode(exitConfig, err)
	}
	return r, nil
}

// Update implements collector.Observer.
func (r *busRunner) Update(report capability.Report) { r.publisher().Update(report) }

// Suspend implements collector.Observer.
func (r *busRunner) Suspend(host, reason string) { r.publisher().Suspend(host, reason) }

// Remove implements collector.Observer.
func (r *busRunner) Remove(host string) { r.publisher().Remove(host) }

// Status tells about the publisher that runs.
func (r *busRunner) Status() publisher.Status { return r.publisher().Status() }

// Told returns what the schedulers were told last of each backend.
func (r *busRunner) Told() []capability.Report { return r.publisher().Effective() }

func (r *busRunner) publisher() *publisher.Publisher {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// run runs publishers until ctx ends. A publisher that was replaced ends with
// its own context, which is no error.
func (r *busRunner) run(ctx context.Context) error {
	for ctx.Err() == nil {
		turn, stop := context.WithCancel(ctx)
		r.mu.Lock()
		p := r.now
		r.stop = stop
		r.mu.Unlock()
		err := p.Run(turn)
		if err != nil && turn.Err() == nil {
			stop()
			return err
		}
		stop()
	}
	return nil
}

// prepare makes a publisher with other settings. It is nil if the one that runs can
// take the settings over.
func (r *busRunner) prepare(o publisher.Options) (*publisher.Publisher, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if sameBus(r.options, o) {
		return nil, nil
	}
	return publisher.New(o)
}

// use lets a publisher that was prepared take over. Without one, the publisher that
// runs gets the intervals.
func (r *busRunner) use(next *publisher.Publisher, o publisher.Options) {
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
	for _, o := range []*publisher.Options{&a, &b} {
		o.Logger, o.Interval, o.StatsInterval = zerolog.Nop(), 0, 0
	}
	return reflect.DeepEqual(a, b)
}

// busOptions translates the configuration.
func busOptions(cfg *config.Config, log zerolog.Logger) publisher.Options {
	bus := cfg.Bus
	o := publisher.Options{
		VirtualHost: bus.VirtualHost, LoginMethod: bus.LoginMethod, Heartbeat: bus.Heartbeat,
		Shuffle:        bus.Failover == "shuffle",
		ReconnectDelay: bus.Retry.Delay, RetryInterval: bus.Retry.Interval,
		RetryBackoff: bus.Retry.Backoff, RetryMax: bus.Retry.Max,
		TransientQuorum:        bus.TransientQuorum,
		ControlExchange:        bus.Exchange,
		Interval:               cfg.Agent.PollInterval,
		StatsInterval:          cfg.ReportInterval,
		Standalone:             !cfg.Agent.Overlay,
		FixProvisionedCapacity: cfg.Agent.FixProvisionedCapacity,
		Notify:                 cfg.Agent.NotifyServiceCapabilities,
		Logger:                 log,
	}
	for _, b := range bus.Brokers {
		o.Brokers = append(o.Brokers, publisher.Broker{Host: b.Host, Port: b.Port, User: b.Username, Password: b.Password})
	}
	if bus.TLS.Enabled {
		o.TLS = &publisher.TLS{
			CAFile: bus.TLS.CAFile, CertFile: bus.TLS.CertFile,
			KeyFile: cmp.Or(bus.TLS.KeyFile, bus.TLS.CertFile), // one PEM file may hold both, as for Python
			AnyName: !bus.TLS.VerifyHostname,
		}
	}
	return o
}
