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

// Publisher keeps the schedulers informed. Its methods may be called from any
// goroutine; [Publisher.Run] is called once.
type Publisher struct {
	opt  Options
	bus  transport
	wake chan struct{}
	id   instance

	mu       sync.Mutex
	session  Session
	logged   Session // as it was in the last line about it
	loggedAt time.Time
	backends map[string]*backend // by identity
	others   others
	counters Counters
}

// New checks the options, all of them at once. It connects to nothing.
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
		backends: map[string]*backend{}, others: others{},
	}
}

// Offer hands over a new reading of one backend. It never blocks and does not
// queue: a reading that was not sent yet is replaced. It ends a withdrawal.
func (p *Publisher) Offer(r capability.Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known(r.Host, r.Cluster).offer(r)
	p.nudge()
}

// Withdraw stops speaking for a backend until it is offered again, because its
// array does not answer or it was taken out of the configuration. What
// cinder-volume says next stands by itself. The reason is logged once.
func (p *Publisher) Withdraw(host, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.backends {
		if b.report.Host == host {
			b.withdraw(reason)
		}
	}
	p.nudge()
}

// Forget drops all knowledge of a backend, the id of its array included: its
// stanza was changed or removed.
func (p *Publisher) Forget(host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, b := range p.backends {
		if b.report.Host == host {
			p.others.put(name, b.base)
			delete(p.backends, name)
		}
	}
}

// known finds a backend, or begins one with what was heard of it before.
func (p *Publisher) known(host, cluster string) *backend {
	name := identity(host, cluster)
	b := p.backends[name]
	if b == nil {
		b = &backend{base: p.others.take(name)}
		if b.base != nil {
			b.raise(b.base.stamp.Add(time.Microsecond))
		}
		p.backends[name] = b
		p.watchClock(name, b)
	}
	return b
}

// Run speaks to the schedulers until the context ends, whatever happens to the
// broker, and then leaves the bus as it found it. It returns nil.
func (p *Publisher) Run(ctx context.Context) error {
	var session sync.WaitGroup
	session.Go(func() { p.bus.Run(ctx, p) })
	defer session.Wait()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.wake:
		case <-timer.C:
		}
		timer.Reset(p.flush(ctx))
	}
}

// nudge makes Run look at what is due.
func (p *Publisher) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// flush sends what is due and returns how long nothing will be.
func (p *Publisher) flush(ctx context.Context) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range p.due() {
		if ctx.Err() != nil || p.session.State != Ready {
			break
		}
		if b := p.backends[name]; b != nil {
			p.attend(ctx, name, b)
		}
	}
	return p.idle()
}

// due lists the backends to look at now, in a stable order.
func (p *Publisher) due() []string {
	now := time.Now()
	var names []string
	for name, b := range p.backends {
		if b.due || !b.wake.IsZero() && !b.wake.After(now) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// idle returns how long nothing will be due by the mere passing of time. While
// the way is closed, that is for ever: its opening is an event.
func (p *Publisher) idle() time.Duration {
	now, next := time.Now(), time.Hour
	if p.session.State != Ready {
		return next
	}
	for _, b := range p.backends {
		if !b.wake.IsZero() {
			next = min(next, max(0, b.wake.Sub(now)))
		}
	}
	return next
}

// attend decides about one backend and acts. The lock is held, but for the
// time that the broker needs.
func (p *Publisher) attend(ctx context.Context, name string, b *backend) {
	b.due = false
	d := b.decide(p.id.name, p.opt, time.Now())
	if d.probe {
		p.probe(ctx, name, b)
		if d = b.decide(p.id.name, p.opt, time.Now()); d.probe {
			b.wake = time.Now().Add(time.Second) // the broker could not tell
		}
	}
	sends := d.state == Standalone || d.state == Overlaying
	now := time.Now()
	stamp, wait := b.stamp(now)
	if sends && wait > 0 {
		b.wake = now.Add(wait)
		b.now = decision{state: Waiting, detail: "the timestamp would be " + wait.String() + " in the future"}
		return
	}
	p.enter(name, b, d)
	if !sends || p.opt.ListenOnly {
		return
	}
	set, overlay := b.compose(now, p.opt.FixProvisionedCapacity)
	next := sent{set: set, stamp: stamp, at: now, overlay: overlay}
	if overlay {
		next.base = b.base.set
	}
	p.send(ctx, b, next)
}

// probe asks the broker whether a cinder-volume serves the backend.
func (p *Publisher) probe(ctx context.Context, name string, b *backend) {
	p.mu.Unlock()
	n, err := p.bus.Consumers(ctx, "cinder-volume."+name)
	p.mu.Lock()
	if err == nil || errors.Is(err, errNoQueue) {
		b.presence = presence{known: true, running: n > 0, at: time.Now()}
	}
}

// send encodes and publishes one report. The lock is given up meanwhile, so
// the caller must look anew at everything but b.
func (p *Publisher) send(ctx context.Context, b *backend, s sent) {
	m := Message{
		Method: UpdateCapabilities, Host: b.report.Host, Cluster: b.report.Cluster,
		Capabilities: s.set, Timestamp: s.stamp,
	}
	b.raise(s.stamp) // from now on a scheduler may have seen it
	err := p.cast(ctx, m)
	b.settle(s, err)
	if err == nil && s.overlay {
		p.counters.Overlays++
	}
	if err == nil && p.opt.Notify {
		m.Method = NotifyCapabilities
		if err := p.cast(ctx, m); err != nil {
			b.failure = err.Error()
		}
	}
	p.complain(b)
}

// cast sends one message and counts what became of it.
func (p *Publisher) cast(ctx context.Context, m Message) error {
	m.ID = p.id.next()
	body, err := Encode(m)
	if err != nil {
		return err
	}
	p.counters.Publishes++
	p.mu.Unlock()
	err = p.bus.Publish(ctx, m, body)
	p.mu.Lock()
	p.counters.count(err)
	return err
}

// settle records what became of a report.
func (b *backend) settle(s sent, err error) {
	switch {
	case err == nil:
		b.last, b.failure = s, ""
	case errors.Is(err, errNotConnected), errors.Is(err, errBlocked):
		b.due = true // it goes out, newer, once the way is open
	default:
		b.failure = err.Error()
	}
}
