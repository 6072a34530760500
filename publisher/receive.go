package publisher

import (
	"errors"
	"time"
)

// onMessage takes a message from the exchange. The session calls it.
func (p *Publisher) onMessage(body []byte) {
	now := time.Now()
	in, err := decode(body)
	p.mu.Lock()
	defer p.mu.Unlock()
	own, isOwn := p.id.counter(in.id)
	if p.echo.onMessage(own, now) {
		p.opt.Logger.Info().Msg("messages are received from the exchange again")
	}
	switch {
	case errors.Is(err, errNotReport):
	case err != nil:
		p.counters.Unreadable++
		if p.counters.Unreadable == 1 {
			p.opt.Logger.Warn().Err(err).Msg("skipped a message on the schedulers' exchange; further ones are counted only")
		}
	case isOwn:
		p.counters.ReceivedOwn++
	case in.fromAgent():
		p.counters.ReceivedPeers++
		if b := p.backends[in.identity()]; b != nil {
			b.onPeer(in, now, p.opt)
			p.notify()
		}
	default:
		p.counters.ReceivedReports++
		p.onReport(in, now)
	}
}

func (p *Publisher) onReport(in incoming, now time.Time) {
	if b := p.backends[in.identity()]; b != nil {
		b.onReport(in, now, p.opt)
		p.notify()
		return
	}
	p.retained.add(in.identity(), newBase(in, now), p.opt.StatsInterval)
}

// onSession takes a new state of the session. The session calls it.
func (p *Publisher) onSession(s Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.session
	p.session = s
	p.logSession(s)
	interrupted := !s.basesFrom.Equal(before.basesFrom)
	if interrupted {
		p.echo.restart(time.Now())
	}
	if s.State != Ready || before.State == Ready && !interrupted {
		return
	}
	for _, b := range p.backends {
		b.due = true
	}
	p.notify()
}

const (
	// echoTimeout is the time in which a confirmed message returns from the
	// exchange to the queue that listens there.
	echoTimeout = 5 * time.Second
	// rebindPause is the least time between two bindings of the listening queue.
	rebindPause = time.Minute
)

// echo checks that messages are received: an agent listens on the exchange that
// it publishes to, so what it has published returns.
type echo struct {
	received  time.Time // when a message of any sender was received last
	confirmed uint64    // the counter of the last message that the broker has confirmed
	returned  uint64    // the counter of the last one that has returned
	since     time.Time // since when a confirmed one has not returned
	rebound   time.Time // when the listening queue was bound again
	logged    bool
}

func (e *echo) confirm(counter uint64, now time.Time) {
	e.confirmed = max(e.confirmed, counter)
	if e.returned < e.confirmed && e.since.IsZero() {
		e.since = now
	}
}

// onMessage records a message, and the counter of one that has returned. It
// reports whether receiving works again after it did not.
func (e *echo) onMessage(counter uint64, now time.Time) bool {
	e.received = now
	if e.returned = max(e.returned, counter); e.returned >= e.confirmed {
		e.since = time.Time{}
	}
	again := e.logged && e.since.IsZero()
	e.logged = e.logged && !again
	return again
}

// deadline is when a confirmed message has not returned for too long, zero if
// none is expected.
func (e *echo) deadline() time.Time {
	if e.since.IsZero() {
		return e.since
	}
	at := e.since.Add(echoTimeout)
	if next := e.rebound.Add(rebindPause); next.After(at) {
		return next
	}
	return at
}

func (e *echo) overdue(now time.Time) bool { return passed(e.deadline(), now) }

func (e *echo) mayRebind(now time.Time) bool { return !now.Before(e.rebound.Add(rebindPause)) }

func (e *echo) rebind(now time.Time) { e.rebound, e.since, e.logged = now, time.Time{}, true }

// restart is called after an interruption of receiving: nothing is expected.
func (e *echo) restart(now time.Time) { e.since, e.received = time.Time{}, now }
