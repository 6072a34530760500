package publisher

import (
	"context"
	"errors"
	"time"
)

// transport is the connection to the schedulers: a RabbitMQ session, or a fake.
type transport interface {
	// Run keeps a session open and reports messages and changes to the receiver
	// until the context ends.
	Run(ctx context.Context, to receiver)
	// Publish sends messages in order and waits, within a bound, until the
	// broker has confirmed, refused or returned each of them. The result has one
	// entry per message, nil where the broker has confirmed it. It is called
	// from one goroutine.
	Publish(ctx context.Context, messages []outgoing) []error
	// Rebind closes the listening queue or stream consumer and opens it again.
	// It returns at once.
	Rebind()
}

// outgoing is one encoded message. UpdateCapabilities goes to the fanout
// exchange, NotifyCapabilities to control_exchange.
type outgoing struct {
	method rpcMethod
	body   []byte
}

// receiver takes what a session reports. Its methods return soon, and are
// called from one goroutine at a time.
type receiver interface {
	onMessage(body []byte)
	onSession(s Session)
}

// The errors of Publish, wrapped or not.
var (
	errNotConnected = errors.New("not connected")
	errBlocked      = errors.New("the broker has blocked publishers")
	errNack         = errors.New("the broker refused the report")
	errReturned     = errors.New("no queue is bound to the exchange")
)

// SessionState says whether reports can be published, and if not, why.
type SessionState string

// The states of the session.
const (
	Connecting  SessionState = "connecting"   // no broker can be used; see Detail
	NoExchange  SessionState = "no_exchange"  // schedulers run, and their exchange does not exist
	NoScheduler SessionState = "no_scheduler" // the schedulers' queue has no consumer, or does not exist
	Ready       SessionState = "ready"        // reports can be published
	Blocked     SessionState = "blocked"      // the broker is short of memory or disk
)

// ListenMode is how reports are received.
type ListenMode string

// The modes of listening.
const (
	ListenStream    ListenMode = "stream"    // from the schedulers' own stream
	ListenQuorum    ListenMode = "quorum"    // from a quorum queue of our own
	ListenExclusive ListenMode = "exclusive" // from an exclusive queue of our own
)

// Session describes the connection to the broker.
type Session struct {
	State  SessionState
	Broker string // host:port, "" while there is none
	Detail string // why it is not ready, or what is not as configured
	Since  time.Time
	// Schedulers is the number of consumers of the queue cinder-scheduler at the
	// last look, nil before the first one.
	Schedulers *int
	// Listening is how reports are received, "" while they are not.
	Listening ListenMode
	// BasesFrom: a report of cinder-volume received before this instant must not
	// be used as a base any more, because listening was interrupted after it or
	// a scheduler may have started after it.
	BasesFrom time.Time
}
