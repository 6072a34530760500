package publisher

import (
	"context"
	"errors"
	"time"
)

// transport is the way to the schedulers: a RabbitMQ session, or a fake.
type transport interface {
	// Run keeps the way open and tells the receiver what happens on it, until
	// the context ends.
	Run(ctx context.Context, to receiver)
	// Publish sends one message and waits, within a bound, until the broker
	// has taken it. The publisher calls it from one goroutine.
	Publish(ctx context.Context, m Message, body []byte) error
	// Consumers says how many consumers a queue has; errNoQueue if there is no
	// such queue.
	Consumers(ctx context.Context, queue string) (int, error)
}

// receiver is told what happens on the way. Its methods return soon, and are
// called from one goroutine at a time.
type receiver interface {
	hear(body []byte)
	change(s Session)
}

// What Publish and Consumers return, wrapped or not.
var (
	errNotConnected = errors.New("not connected")
	errBlocked      = errors.New("the broker takes nothing at the moment")
	errNoQueue      = errors.New("no such queue")
	errNack         = errors.New("the broker refused the report")
	errReturned     = errors.New("no queue is bound to the exchange")
)

// SessionState says how far the way to the schedulers is open.
type SessionState string

// The states of the session.
const (
	Connecting  SessionState = "connecting"   // no broker lets us in
	NoExchange  SessionState = "no_exchange"  // no scheduler has declared the exchange
	NoScheduler SessionState = "no_scheduler" // the schedulers' queue has no consumer
	Ready       SessionState = "ready"        // reports go out
	Blocked     SessionState = "blocked"      // the broker protects itself
)

// Session describes the connection to the broker.
type Session struct {
	State  SessionState
	Broker string // host:port, "" while there is none
	Detail string // why it is not ready
	Since  time.Time
	// Schedulers is the number of consumers of the queue cinder-scheduler, and
	// nil if it could not be learnt.
	Schedulers *int
}

// newsAfter reports whether a line in the log is due after the one about last.
// Another reason for the same trouble is worth one a minute.
func (s Session) newsAfter(last Session, ago time.Duration) bool {
	if s.State != last.State || s.State == Ready && (s.Broker != last.Broker || s.schedulers() != last.schedulers()) {
		return true
	}
	return s.Detail != last.Detail && ago >= time.Minute
}

func (s Session) schedulers() int {
	if s.Schedulers == nil {
		return -1
	}
	return *s.Schedulers
}
