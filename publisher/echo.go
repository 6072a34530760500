package publisher

import "time"

const (
	// echoTimeout is within which a confirmed message returns from the exchange
	// to the queue that listens there.
	echoTimeout = 5 * time.Second
	// rebindPause is the least time between two bindings of the listening queue.
	rebindPause = time.Minute
)

// echo watches that messages are received: an agent listens on the exchange that
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

// onMessage notes a message, and the counter of one that has returned. It
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
// none is awaited.
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

// restart forgets what is awaited: listening was interrupted.
func (e *echo) restart(now time.Time) { e.since, e.received = time.Time{}, now }
