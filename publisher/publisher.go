package publisher

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// restoreTimeout bounds the publishing of base reports at a clean stop.
const restoreTimeout = 3 * time.Second

// Publisher publishes reports to the schedulers. Its methods may be called from
// any goroutine; [Publisher.Run] is called once.
type Publisher struct {
	opt  Options
	bus  transport
	wake chan struct{}
	id   instance

	mu         sync.Mutex
	session    Session
	sessionLog sessionLog
	backends   map[string]*backend // by identity
	retained   *retained
	restores   []dispatch // for backends that were removed
	echo       echo
	counters   Counters
}

// New checks the options, all of them at once. It does not connect.
func New(o Options) (*Publisher, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("configure publisher: %w", err)
	}
	return newPublisher(o, newSession(o)), nil
}

func newPublisher(o Options, bus transport) *Publisher {
	return &Publisher{
		opt: o, bus: bus, id: newInstance(), wake: make(chan struct{}, 1),
		session:  Session{State: Connecting},
		backends: map[string]*backend{}, retained: newRetained(),
		echo: echo{received: time.Now()},
	}
}

// Update takes a new report of one backend. It never blocks and does not queue: a
// report that was not published yet is replaced. It ends a suspension.
func (p *Publisher) Update(r capability.Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.backend(r.Host, r.Cluster).update(r)
	p.notify()
}

// Suspend stops publishing for a backend until its next Update, because there is
// no current sample of its array. The schedulers get cinder-volume's last report
// once more, and use its next ones. The backend is then in the state [NoSample],
// and the reason is logged once.
func (p *Publisher) Suspend(host, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.backends {
		if b.report.Host == host {
			b.suspend(reason)
		}
	}
	p.notify()
}

// SetIntervals changes Options.Interval and Options.StatsInterval. The session and
// what was received of cinder-volume stay.
func (p *Publisher) SetIntervals(interval, stats time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opt.Interval, p.opt.StatsInterval = interval, stats
	p.opt = p.opt.withDefaults()
	for _, b := range p.backends {
		b.due = true
	}
	p.notify()
}

// Remove removes a backend, the id of its array included: its stanza was changed
// or removed. The schedulers get cinder-volume's last report once more. What was
// received of cinder-volume is kept for the next Update of the backend.
func (p *Publisher) Remove(host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, b := range p.backends {
		if b.report.Host != host {
			continue
		}
		if d, ok := p.restore(b, time.Now()); ok {
			p.restores = append(p.restores, d)
		}
		p.retained.put(name, b.sources)
		delete(p.backends, name)
	}
	p.notify()
}

// backend returns a backend, and creates it with what was received of it before.
func (p *Publisher) backend(host, cluster string) *backend {
	name := identity(host, cluster)
	b := p.backends[name]
	if b == nil {
		b = &backend{sources: p.retained.take(name), stateSince: time.Now()}
		if b.sources == nil {
			b.sources = sources{}
		}
		for _, from := range b.sources {
			from.base.parse()
		}
		p.backends[name] = b
	}
	return b
}

// Run publishes until the context ends, and reconnects as often as necessary. At
// the end the schedulers get cinder-volume's own reports once more. It returns nil.
func (p *Publisher) Run(ctx context.Context) error {
	session, end := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { p.bus.Run(session, p) })
	defer running.Wait()
	defer end()
	p.publishUntil(ctx)
	p.restoreAll(session)
	return nil
}

func (p *Publisher) publishUntil(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-timer.C:
		}
		p.flush(ctx)
		timer.Reset(p.pause())
	}
}

// notify makes Run process what is due.
func (p *Publisher) notify() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// flush publishes what is due, all of it in one batch. The lock is released
// during the wait for the broker.
func (p *Publisher) flush(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session.State != Ready || ctx.Err() != nil {
		p.restores = nil // a scheduler may have started when there is a session again
		return
	}
	now := time.Now()
	batch := p.restores
	p.restores = nil
	for _, name := range p.due(now) {
		if d, ok := p.process(name, p.backends[name], now); ok {
			batch = append(batch, d)
		}
	}
	if p.echo.overdue(now) {
		p.rebind(now, "published reports do not return from the exchange, binding the listening queue again")
	}
	p.publish(ctx, batch)
}

// due returns the backends to process now, in a stable order.
func (p *Publisher) due(now time.Time) []string {
	var names []string
	for name, b := range p.backends {
		if b.due || passed(b.wake, now) || passed(b.retry, now) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func passed(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

// pause returns the time until something is due. Without a session nothing is: the
// next one calls notify.
func (p *Publisher) pause() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, next := time.Now(), time.Hour
	if p.session.State != Ready {
		return next
	}
	until := func(at time.Time) {
		if !at.IsZero() {
			next = min(next, max(0, at.Sub(now)))
		}
	}
	for _, b := range p.backends {
		until(b.wake)
		until(b.retry)
	}
	until(p.echo.deadline())
	return next
}

// process decides about one backend and returns what to publish for it.
func (p *Publisher) process(name string, b *backend, now time.Time) (dispatch, bool) {
	b.due, b.retry = false, time.Time{}
	d := b.decide(p.conditions(now), p.opt)
	if d.rebind {
		p.rebind(now, "no message is received from the exchange, binding the listening queue again")
	}
	p.setState(name, b, d, now)
	switch {
	case p.opt.ListenOnly || d.state == Standby:
		return dispatch{}, false
	case d.state.publishes():
		return dispatch{backend: b, report: b.payload(d, now, p.opt.FixProvisionedCapacity)}, true
	}
	return p.restore(b, now)
}

func (p *Publisher) conditions(now time.Time) conditions {
	return conditions{
		self: p.id.name, now: now, basesFrom: p.session.basesFrom,
		idle: now.Sub(p.echo.received) > p.opt.StatsInterval,
	}
}

// restore returns the base of a backend, if the schedulers hold an overlay of it.
func (p *Publisher) restore(b *backend, now time.Time) (dispatch, bool) {
	if p.opt.ListenOnly {
		return dispatch{}, false
	}
	report, ok := b.restoration(now, p.session.basesFrom, p.opt.StatsInterval)
	return dispatch{backend: b, report: report}, ok
}

// restoreAll publishes the base of every overlay once more.
func (p *Publisher) restoreAll(session context.Context) {
	ctx, cancel := context.WithTimeout(session, restoreTimeout)
	defer cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session.State != Ready || p.opt.KeepOverlays {
		return
	}
	batch, now := p.restores, time.Now()
	p.restores = nil
	for _, b := range p.backends {
		if d, ok := p.restore(b, now); ok && b.now.state != Standby {
			batch = append(batch, d)
		}
	}
	p.publish(ctx, batch)
}

// rebind binds the listening queue again, at most once in rebindPause.
func (p *Publisher) rebind(now time.Time, why string) {
	if !p.echo.mayRebind(now) {
		return
	}
	if !p.echo.logged {
		p.opt.Logger.Warn().Msg(why)
	}
	p.echo.rebind(now)
	p.bus.Rebind()
}
