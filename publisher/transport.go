package publisher

import (
	"context"
	"errors"
	"time"
)

// transport is the connection to the schedulers: a RabbitMQ session, or a fake.
type transport interface {
	// Run keeps a session open and reports messages and changes to the
	// receiver until the context ends.
	Run(ctx context.Context, to receiver)
	// Publish sends messages in order and waits, within a bound, until the
	// broker has confirmed, refused or returned each of them. The result has
	// one entry per message, nil where the broker has confirmed it. It is
	// called from one goroutine.
	Publish(ctx context.Context, messages []outgoing) []error
	// Rebind closes the listening queue or stream consumer and opens it again.
	// It returns at once.
	Rebind()
}

// outgoing is an encoded message. UpdateCapabilities goes to the schedulers'
// fanout exchange, NotifyCapabilities to the control exchange.
type outgoing struct {
	method Method
	body   []byte
}

// receiver takes what a transport receives. Its methods return soon, and are
// called from one goroutine at a time.
type receiver interface {
	onMessage(body []byte)
	onSession(s Session)
}

// What Publish returns, wrapped or not.
var (
	errNotConnected = errors.New("not connected")
	errBlocked      = errors.New("the broker accepts no messages at the moment")
	errNack         = errors.New("the broker refused the report")
	errReturned     = errors.New("no queue is bound to the exchange")
)

// SessionState says how far the connection to the schedulers is established.
type SessionState string

// The states of the session.
const (
	Connecting  SessionState = "connecting"   // no broker accepts a connection
	NoExchange  SessionState = "no_exchange"  // no scheduler has declared the exchange
	NoScheduler SessionState = "no_scheduler" // the schedulers' queue has no consumer
	Ready       SessionState = "ready"        // reports are published
	Blocked     SessionState = "blocked"      // the broker has blocked publishers
)

// ListenMode says how reports are received from the schedulers' exchange.
type ListenMode string

// The modes of listening.
const (
	ListenStream    ListenMode = "stream"    // from the schedulers' own stream
	ListenQuorum    ListenMode = "quorum"    // from a quorum queue that expires
	ListenExclusive ListenMode = "exclusive" // from an exclusive queue
)

// Session describes the connection to the broker.
type Session struct {
	State  SessionState
	Broker string // host:port, "" while there is none
	Detail string // why it is not ready
	Since  time.Time
	// Schedulers is the number of consumers of the queue cinder-scheduler, and
	// nil if it is not known.
	Schedulers *int
	// Listening is how reports are received, "" while they are not.
	Listening ListenMode
	// BasesFrom is the instant before which a received report of cinder-volume
	// must not be overlaid any more: after it, listening was interrupted or a
	// scheduler may have started.
	BasesFrom time.Time
}
