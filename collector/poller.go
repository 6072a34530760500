package collector

import (
	"context"
	"sync"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// poller polls one target. Its loop alone decides and reports; a poll runs
// beside it, so that a Source which ignores its context stalls only itself.
type poller struct {
	host    string
	options Options
	cancel  context.CancelFunc // set by start
	quiet   chan struct{}      // closed when the loop reports no more
	changed chan struct{}      // pokes the loop after change
	done    chan outcome       // the poll in flight has ended

	// Of the loop alone.
	schedule schedule
	next     time.Time          // when the next poll is due
	abort    context.CancelFunc // of the poll in flight; nil if there is none
	due      time.Time          // when the poll in flight must have ended
	born     time.Time          // when the loop began
	renew    time.Time          // when the stale policy's verdict is published again
	down     time.Time          // when the first of the present failures began
	cause    error              // of the last failure; nil once a poll went well
	told     time.Time          // when the last line about a failure was logged
	causes   causes             // of the present state

	mu sync.Mutex // guards what follows
	memory
}

func newPoller(t Target, o Options) *poller {
	return &poller{
		host: t.Host, options: o,
		quiet: make(chan struct{}), changed: make(chan struct{}, 1), done: make(chan outcome, 1),
		memory: memory{
			target: t, ring: ring{size: o.History},
			health: Health{Host: t.Host, Backend: t.Backend, State: Starting, Since: time.Now()},
		},
	}
}

// run is the loop. It returns when the Source is closed.
func (p *poller) run(ctx context.Context) {
	p.begin(time.Now())
	timer := time.NewTimer(time.Until(p.wake()))
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-timer.C:
			p.tick(ctx, time.Now())
		case o := <-p.done:
			p.finish(time.Now(), o)
		case <-p.changed:
			p.refresh(time.Now())
		}
		timer.Reset(time.Until(p.wake()))
	}
	close(p.quiet)
	p.end(ctx)
}

// begin sets the first poll: soon, but not in the same instant as all others.
func (p *poller) begin(now time.Time) {
	t := p.current()
	p.schedule = newSchedule(t.Host, t.Interval)
	p.born = now
	p.plan(now.Add(p.schedule.spread))
}

// plan notes when the next poll is due.
func (p *poller) plan(at time.Time) {
	p.next = at
	p.mu.Lock()
	defer p.mu.Unlock()
	p.health.NextPoll = at
}

// wake is when the loop has something to do again.
func (p *poller) wake() time.Time {
	at := p.next
	switch {
	case p.healthNow().State == Stale:
		at = p.renew
	case p.worried():
		at = p.staleAt()
	}
	if at.Before(p.next) {
		return at
	}
	return p.next
}

func (p *poller) tick(ctx context.Context, now time.Time) {
	if !now.Before(p.next) {
		if p.abort == nil {
			p.poll(ctx, now)
		} else {
			p.skip()
		}
	}
	switch {
	case p.worried() && !now.Before(p.staleAt()):
		p.expire(now)
	case p.healthNow().State == Stale && !now.Before(p.renew):
		p.rule(now)
	}
}

// poll starts a poll. The next one is due on a slot, whenever this one ends:
// so the schedule does not drift. A stop does not cut it short; see end.
func (p *poller) poll(ctx context.Context, now time.Time) {
	t := p.current()
	ctx, abort := context.WithCancel(context.WithoutCancel(ctx))
	p.abort, p.due = abort, now.Add(t.timeout())
	p.plan(p.schedule.after(now))
	go func() { p.done <- sample(ctx, t) }()
}

// skip drops a poll that is due while another runs.
func (p *poller) skip() {
	p.plan(p.next.Add(p.schedule.interval))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.health.Skipped++
}

// finish takes in a poll that has ended.
func (p *poller) finish(now time.Time, o outcome) {
	p.abort()
	p.abort = nil
	p.count(o)
	if o.err != nil {
		p.fail(now, o)
		return
	}
	p.succeed(now, o)
}

func (p *poller) count(o outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.health.Polls++
	p.health.LastPoll, p.health.Duration = o.began, o.took
	if o.err == nil {
		p.health.Failures, p.health.LastOK = 0, o.began
		p.stats, p.read = o.stats, true
		p.ring.add(pointOf(o.stats))
		return
	}
	p.health.Failures++
	p.health.Errors++
}

func (p *poller) succeed(now time.Time, o outcome) {
	r := Merge(o.stats, p.current())
	p.publish(r)
	p.pass(now, stateOf(r.Status), o)
	p.down, p.cause = time.Time{}, nil
}

func (p *poller) fail(now time.Time, o outcome) {
	h := p.healthNow()
	p.plan(now.Add(backoff(h.Failures, o.err, p.options.Refused(o.err))))
	if p.down.IsZero() {
		p.down = o.began
	}
	p.cause = o.err
	if h.State != Stale {
		p.pass(now, Failing, o)
		return
	}
	p.pass(now, Stale, o)
	p.rule(o.began)
}

// worried reports whether the last report may go stale: a poll has failed, or
// one has not ended when it should have.
func (p *poller) worried() bool {
	h := p.healthNow()
	if h.State == Stale {
		return false
	}
	return h.Failures > 0 || p.abort != nil && time.Now().After(p.due)
}

// staleAt is when the last good report stops being one.
func (p *poller) staleAt() time.Time {
	since := p.healthNow().LastOK
	if since.IsZero() {
		since = p.born
	}
	return since.Add(p.current().staleAfter())
}

// expire hands the backend over to the stale policy.
func (p *poller) expire(now time.Time) {
	if p.cause == nil {
		p.cause, p.down = errStuck, p.due
	}
	p.pass(now, Stale, outcome{began: now, err: p.cause})
	p.rule(now)
}

// rule publishes what the stale policy says, and does so again after each
// interval, however seldom the array is still asked: a verdict that is not
// renewed would itself look old.
func (p *poller) rule(now time.Time) {
	p.renew = now.Add(p.schedule.interval)
	policy := p.current().onStale()
	if policy == Keep {
		p.withdraw()
		return
	}
	p.publish(staleReport(p.lastGood(), policy, now))
}

// lastGood is the report of the newest reading, merged with the stanza as it
// is now.
func (p *poller) lastGood() capability.Report {
	t := p.current()
	if stats, ok := p.reading(); ok {
		return Merge(stats, t)
	}
	return unread(t)
}

// refresh takes in a change of the stanza: a reading that is still good is
// reported anew, without asking the array again.
func (p *poller) refresh(now time.Time) {
	t := p.current()
	if t.Interval != p.schedule.interval {
		p.schedule = newSchedule(t.Host, t.Interval)
		if next := p.schedule.after(now); p.abort != nil || next.Before(p.next) {
			p.plan(next)
		}
	}
	if h := p.healthNow(); h.State == Stale {
		p.rule(now)
	} else if _, ok := p.reading(); ok {
		p.publish(p.lastGood())
	}
}

func (p *poller) publish(r capability.Report) {
	p.mu.Lock()
	p.report, p.stands = r, true
	p.mu.Unlock()
	p.options.Observer.Update(r)
}

func (p *poller) withdraw() {
	p.mu.Lock()
	stood, reason := p.stands, p.health.Err
	p.stands = false
	p.mu.Unlock()
	if stood {
		p.options.Observer.Suspend(p.host, reason)
	}
}

// end lets the poll in flight end, and logs out.
func (p *poller) end(ctx context.Context) {
	if p.abort != nil {
		p.await()
	}
	if err := within(ctx, p.options.Grace, p.current().Source.Close); err != nil {
		p.options.Log.Debug().Str("host", p.host).Err(err).Msg("cannot log out of the array")
	}
}

// await gives the poll in flight its grace, and a little more once it has been
// told to give up.
func (p *poller) await() {
	defer p.abort()
	select {
	case <-p.done:
		return
	case <-time.After(p.options.Grace):
	}
	p.abort()
	select {
	case <-p.done:
	case <-time.After(p.options.Grace / 10):
		p.options.Log.Warn().Str("host", p.host).Msg("left behind a poll that does not end")
	}
}
