package publisher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// leaveTimeout bounds the last messages of a clean stop.
const leaveTimeout = 3 * time.Second

// Publisher publishes reports to the schedulers. Its methods may be called from
// any goroutine; [Publisher.Run] is called once.
type Publisher struct {
	opt  Options
	bus  transport
	wake chan struct{}
	id   instance

	mu       sync.Mutex
	session  Session
	outage   outage
	backends map[string]*backend // by identity
	retained *retained
	restores []dispatch // for backends that were removed
	echo     echo
	counters Counters
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
		session:  Session{State: Connecting, Since: time.Now()},
		backends: map[string]*backend{}, retained: newRetained(),
		echo: echo{received: time.Now()},
	}
}

// Offer takes a new report of one backend. It never blocks and does not queue: a
// report that was not published yet is replaced. It ends a withdrawal.
func (p *Publisher) Offer(r capability.Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known(r.Host, r.Cluster).offer(r)
	p.notify()
}

// Withdraw stops publishing for a backend until it is offered again, because
// there is no current sample of its array. The schedulers get cinder-volume's
// last report once more, and its next ones stand. The reason is logged once.
func (p *Publisher) Withdraw(host, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.backends {
		if b.report.Host == host {
			b.withdraw(reason)
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

// Forget removes a backend, the id of its array included: its stanza was changed
// or removed. The schedulers get cinder-volume's last report once more. What was
// received of cinder-volume is kept for when the backend is offered again.
func (p *Publisher) Forget(host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, b := range p.backends {
		if b.report.Host != host {
			continue
		}
		if d, ok := p.restore(name, b, time.Now()); ok {
			p.restores = append(p.restores, d)
		}
		p.retained.put(name, b.sources)
		delete(p.backends, name)
	}
	p.notify()
}

// known finds a backend, or begins one with what was received of it before.
func (p *Publisher) known(host, cluster string) *backend {
	name := identity(host, cluster)
	b := p.backends[name]
	if b == nil {
		b = &backend{sources: p.retained.take(name), entered: time.Now()}
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

// Run publishes until the context ends, whatever happens to the broker. At the
// end the schedulers get cinder-volume's own reports once more. It returns nil.
func (p *Publisher) Run(ctx context.Context) error {
	session, end := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { p.bus.Run(session, p) })
	defer running.Wait()
	defer end()
	p.publishUntil(ctx)
	p.leave(session)
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

// notify makes Run look at what is due.
func (p *Publisher) notify() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// dispatch is one report on its way to the broker.
type dispatch struct {
	name    string
	backend *backend
	report  published
	counter uint64 // of its ID
	err     error  // what became of it
	notify  error  // what became of the companion message
}

// flush publishes what is due, all of it in one batch. The lock is released
// while the broker works.
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

// due lists the backends to look at now, in a stable order.
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

// pause returns how long nothing will be due by the mere passing of time.
// Without a session that is for ever: the next one is an event.
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
		return dispatch{name: name, backend: b, report: b.payload(d, now, p.opt.FixProvisionedCapacity)}, true
	}
	return p.restore(name, b, now)
}

func (p *Publisher) conditions(now time.Time) conditions {
	return conditions{
		self: p.id.name, now: now, basesFrom: p.session.BasesFrom,
		idle: now.Sub(p.echo.received) > p.opt.StatsInterval,
	}
}

// restore returns the base of a backend, if the schedulers hold an overlay of it.
func (p *Publisher) restore(name string, b *backend, now time.Time) (dispatch, bool) {
	if p.opt.ListenOnly {
		return dispatch{}, false
	}
	report, ok := b.restoration(now, p.session.BasesFrom, p.opt.StatsInterval)
	return dispatch{name: name, backend: b, report: report}, ok
}

// leave publishes the base of every overlay once more.
func (p *Publisher) leave(session context.Context) {
	ctx, cancel := context.WithTimeout(session, leaveTimeout)
	defer cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session.State != Ready || p.opt.KeepOverlays {
		return
	}
	batch, now := p.restores, time.Now()
	p.restores = nil
	for name, b := range p.backends {
		if d, ok := p.restore(name, b, now); ok && b.now.state != Standby {
			batch = append(batch, d)
		}
	}
	p.publish(ctx, batch)
}

// publish sends a batch and records what became of it. The lock is held, but for
// the time that the broker needs.
func (p *Publisher) publish(ctx context.Context, batch []dispatch) {
	messages, owners := p.encode(batch)
	if len(messages) > 0 {
		p.counters.Publishes += uint64(len(messages))
		p.mu.Unlock()
		errs := p.bus.Publish(ctx, messages)
		p.mu.Lock()
		for i, err := range errs {
			p.record(ctx, &batch[owners[i]], messages[i].method, err)
		}
	}
	for i := range batch {
		p.settle(ctx, &batch[i])
	}
}

// encode makes the messages of a batch, and says which report each belongs to. A
// report that has no JSON form has failed.
func (p *Publisher) encode(batch []dispatch) (messages []outgoing, owners []int) {
	add := func(i int, m Message) (uint64, error) {
		id, counter := p.id.next()
		m.ID = id
		body, err := Encode(m)
		if err != nil {
			return 0, err
		}
		messages, owners = append(messages, outgoing{m.Method, body}), append(owners, i)
		return counter, nil
	}
	for i := range batch {
		d := &batch[i]
		m := d.message()
		if d.counter, d.err = add(i, m); d.err == nil && p.opt.Notify && !d.report.bare {
			m.Method = NotifyCapabilities
			_, d.err = add(i, m)
		}
	}
	return messages, owners
}

func (d *dispatch) message() Message {
	m := Message{
		Method: UpdateCapabilities, Host: d.backend.report.Host, Cluster: d.backend.report.Cluster,
		Capabilities: d.report.set, Timestamp: d.report.stamp,
	}
	if d.report.bare {
		m.Host, m.Cluster = d.report.over.host, d.report.over.cluster
	}
	return m
}

// record notes what became of one message. A clean stop is no failure.
func (p *Publisher) record(ctx context.Context, d *dispatch, m Method, err error) {
	if err != nil && ctx.Err() != nil {
		d.err = ctx.Err()
		return
	}
	p.counters.count(err)
	if m == NotifyCapabilities {
		d.notify = err
		return
	}
	d.err = err
	if err == nil {
		p.echo.confirm(d.counter, time.Now())
	}
}

// settle notes what became of a report. One that was not accepted is due again:
// when there is a session, or after a while.
func (p *Publisher) settle(ctx context.Context, d *dispatch) {
	b := d.backend
	switch err := d.err; {
	case err == nil:
		b.last = d.report
		b.failure = failure{logged: b.failure.logged}
		if d.notify != nil {
			b.failure.reason = d.notify.Error()
		}
		if d.report.overlaid() {
			p.counters.Overlays++
		}
	case ctx.Err() != nil:
		return
	case errors.Is(err, errNotConnected), errors.Is(err, errBlocked):
		d.revive()
		b.due = true
	default:
		d.revive()
		b.failure.fail(err, time.Now())
		b.retry = time.Now().Add(p.opt.retryAfter(b.failure.count))
	}
	p.logFailure(b)
}

// revive lets a base that was not accepted be published again.
func (d *dispatch) revive() {
	if d.report.bare {
		d.report.over.sent = d.report.stamp
	}
}

func (f *failure) fail(err error, now time.Time) {
	f.reason = err.Error()
	f.count++
	if f.since.IsZero() {
		f.since = now
	}
}

// rebind binds the listening queue again, but not again and again.
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
