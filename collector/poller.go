package collector

import (
	"context"
	"sync"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/rs/zerolog"
)

// poller polls one target. Its loop alone decides and reports; a poll runs in a
// goroutine of its own, so that a Source that ignores its context blocks only
// itself.
type poller struct {
	host    string
	options Options
	cancel  context.CancelFunc // set by start
	stopped chan struct{}      // closed when the loop has ended and reports no more
	changed chan struct{}      // wakes the loop after setTarget
	done    chan outcome       // result of the poll in flight

	// Used by the loop only.
	schedule    schedule
	next        time.Time          // when the next poll is due
	abort       context.CancelFunc // of the poll in flight; nil if there is none
	due         time.Time          // when the poll in flight must have ended
	startedAt   time.Time          // when the loop started
	republishAt time.Time          // when the report of the stale policy is published again
	cause       error              // of the last failure; nil once a poll has succeeded
	transitions transitions
	hour        hourly // empty without load_history
	// conditionCause is why parts of the condition could not be read, as logged last.
	conditionCause string

	mu        sync.Mutex // guards what follows, which readers see too
	target    Target
	health    Health
	stats     capability.Sample
	sampled   bool              // whether stats are set
	report    capability.Report // what was published last
	published bool              // whether report is still published
	history   ring
}

func newPoller(t Target, o Options) *poller {
	return &poller{
		host: t.Host, options: o,
		stopped: make(chan struct{}), changed: make(chan struct{}, 1), done: make(chan outcome, 1),
		target: t, history: ring{size: historySize}, health: Health{Host: t.Host, State: Starting},
	}
}

// run is the loop. It returns when the Source is closed.
func (p *poller) run(ctx context.Context) {
	t := p.current()
	p.schedule = newSchedule(t.Host, t.Interval)
	p.startedAt = time.Now()
	p.next = p.startedAt.Add(p.schedule.spread)
	timer := time.NewTimer(time.Until(p.wakeAt()))
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
		timer.Reset(time.Until(p.wakeAt()))
	}
	close(p.stopped)
	p.end(ctx)
}

// wakeAt is when the loop has something to do again.
func (p *poller) wakeAt() time.Time {
	at := p.next
	switch {
	case p.currentHealth().State == Stale:
		at = p.republishAt
	case p.mayGoStale():
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
			p.startPoll(ctx, now)
		} else {
			p.skip()
		}
	}
	switch {
	case p.mayGoStale() && !now.Before(p.staleAt()):
		p.markStale(now)
	case p.currentHealth().State == Stale && !now.Before(p.republishAt):
		p.applyStalePolicy(now)
	}
}

// startPoll starts a poll. The next one is due on a slot, independent of when
// this one ends, so that the schedule does not drift. A stop does not cancel
// it; see end.
func (p *poller) startPoll(ctx context.Context, now time.Time) {
	t := p.current()
	ctx, abort := context.WithCancel(context.WithoutCancel(ctx))
	p.abort, p.due = abort, now.Add(t.timeout())
	p.next = p.schedule.after(now)
	go func() { p.done <- poll(ctx, t) }()
}

// skip drops a poll that is due while another runs.
func (p *poller) skip() {
	p.next = p.next.Add(p.schedule.interval)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.health.Skipped++
}

// finish processes the result of a poll.
func (p *poller) finish(now time.Time, o outcome) {
	p.abort()
	p.abort = nil
	p.count(o)
	if o.err != nil {
		p.fail(now, o)
		return
	}
	r := p.merge(o.stats)
	p.publish(r)
	p.setState(now, stateOf(r.Status), o)
	p.logCondition(o.stats.Condition)
	p.transitions.failingSince, p.cause = time.Time{}, nil
}

// merge makes the report of a sample, with the keys of the last hour if the target
// requests them. A sample whose performance is old does not have them.
func (p *poller) merge(s capability.Sample) capability.Report {
	t := p.current()
	if t.History == nil {
		p.hour = hourly{}
		return Merge(s, t)
	}
	before := p.hour.class.name()
	p.hour.add(s, t.Interval, *t.History)
	if now := p.hour.class.name(); now != before {
		e := p.logEvent(zerolog.InfoLevel).Str("from", before).Str("to", now)
		if load, ok := p.hour.keys[capability.KeyHourlyLoadPercent].Int(); ok {
			e = e.Int64(capability.KeyHourlyLoadPercent, load)
		}
		e.Msg("load class changed")
	}
	return merge(s, t, &p.hour)
}

func (p *poller) count(o outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.health.Polls++
	p.health.Duration = o.took
	if o.err == nil {
		p.health.Failures, p.health.LastOK = 0, o.started
		p.stats, p.sampled = o.stats, true
		p.history.add(pointOf(o.stats))
		return
	}
	p.health.Failures++
	p.health.Errors++
}

func (p *poller) fail(now time.Time, o outcome) {
	h := p.currentHealth()
	p.next = now.Add(backoff(h.Failures, o.err, p.options.Refused(o.err)))
	if p.transitions.failingSince.IsZero() {
		p.transitions.failingSince = o.started
	}
	p.cause = o.err
	if h.State != Stale {
		p.setState(now, Failing, o)
		return
	}
	p.setState(now, Stale, o)
	p.applyStalePolicy(o.started)
}

// refresh processes a change of the stanza: a sample that is still good is
// reported again, without another poll.
func (p *poller) refresh(now time.Time) {
	t := p.current()
	if t.Interval != p.schedule.interval {
		p.schedule = newSchedule(t.Host, t.Interval)
		if next := p.schedule.after(now); p.abort != nil || next.Before(p.next) {
			p.next = next
		}
	}
	if p.currentHealth().State == Stale {
		p.applyStalePolicy(now)
	} else if _, ok := p.lastStats(); ok {
		p.publish(p.lastGood())
	}
}

func (p *poller) publish(r capability.Report) {
	p.mu.Lock()
	p.report, p.published = r, true
	p.mu.Unlock()
	p.options.Observer.Update(r)
}

func (p *poller) suspend() {
	p.mu.Lock()
	published, reason := p.published, p.health.Err
	p.published = false
	p.mu.Unlock()
	if published {
		p.options.Observer.Suspend(p.host, reason)
	}
}

// end waits for the poll in flight, and logs out.
func (p *poller) end(ctx context.Context) {
	if p.abort != nil {
		p.awaitPoll()
	}
	if err := runBounded(ctx, grace, p.current().Source.Close); err != nil {
		p.options.Log.Debug().Str("host", p.host).Err(err).Msg("cannot log out of the array")
	}
}

// awaitPoll waits for the poll in flight for the grace period, then cancels it
// and waits a little longer.
func (p *poller) awaitPoll() {
	defer p.abort()
	select {
	case <-p.done:
		return
	case <-time.After(grace):
	}
	p.abort()
	select {
	case <-p.done:
	case <-time.After(grace / 10):
		p.options.Log.Warn().Str("host", p.host).Msg("poll does not end after cancellation, stopping without it")
	}
}

func (p *poller) current() Target {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target
}

// setTarget makes the poller continue with t and the Source that it has, and
// returns the Source of t if it is not needed.
func (p *poller) setTarget(t Target) (unused Source) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.Source != p.target.Source {
		unused, t.Source = t.Source, p.target.Source
	}
	if p.target.equal(t) {
		return unused
	}
	p.target = t
	select {
	case p.changed <- struct{}{}:
	default: // the loop has not processed an earlier change yet, and will use this target
	}
	return unused
}

func (p *poller) publishedReport() (capability.Report, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.report, p.published
}

// latestReport is the published report, or the last one that was, marked stale.
func (p *poller) latestReport() (capability.Report, bool) {
	r, published := p.publishedReport()
	if r.Host == "" || published {
		return r, published
	}
	r = r.Aged(time.Now())
	r.Status = capability.Stale
	r.Capabilities = r.Capabilities.Overlay(capability.Set{
		capability.KeyMetricsStatus: capability.OfString(string(capability.Stale)),
	})
	return r, true
}

func (p *poller) currentHealth() Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.health
}

func (p *poller) lastStats() (capability.Sample, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats, p.sampled
}

func (p *poller) points() []Point {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.history.all()
}
