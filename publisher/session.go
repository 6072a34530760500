package publisher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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

// outgoing is one encoded message. updateCapabilities goes to the fanout
// exchange, notifyCapabilities to control_exchange.
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

// SessionState is whether reports can be published, and if not, why not.
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
	// Schedulers is the number of consumers of the queue cinder-scheduler, nil
	// before the first count.
	Schedulers *int
	// Listening is how reports are received, "" while they are not.
	Listening ListenMode
	// basesFrom: a report of cinder-volume received before this instant must not
	// be used as a base any more, because listening was interrupted after it or
	// a scheduler may have started after it.
	basesFrom time.Time
}

const (
	fanoutExchange  = "cinder-scheduler_fanout"
	schedulerStream = "cinder-scheduler_fanout" // with rabbit_stream_fanout
	schedulerQueue  = "cinder-scheduler"

	// countInterval is how often the schedulers are counted, and recountDelay how
	// soon that is repeated when there seem to be none any more: while a quorum
	// queue elects its leader, the broker counts no consumers.
	countInterval = time.Second
	recountDelay  = 500 * time.Millisecond
	// lookupInterval is when something that did not exist is looked up again: the
	// broker logs an error for each such lookup.
	lookupInterval = 30 * time.Second
	// stableAfter is how long a connection must have been open for its loss not to
	// count as a failure.
	stableAfter = 30 * time.Second
)

// session is the transport over RabbitMQ: an outer loop that opens connections, and
// an inner one, in sessionloop.go, that uses them. All of it runs in the goroutine
// of Run, but for Publish and Rebind.
//
// It declares nothing of Cinder's. Exchange and queue of the schedulers are only
// looked up, because the first declaration determines their properties, which
// differ between releases and settings. A listening queue would keep the exchange
// alive, which is deleted with its last queue. So the listening queue is deleted
// when no scheduler consumes its own queue any more: an upgraded scheduler must be
// able to declare the exchange with other properties.
type session struct {
	opt    Options
	dialer *dialer
	queue  string // the name of a quorum queue of our own
	rebind chan struct{}
	pause  time.Duration // lookupInterval, or less in tests

	// What is kept between connections.
	schedulers    *int      // at the last count
	countedAt     time.Time // when that was
	basesFrom     time.Time
	noLookupUntil time.Time // until then nothing is looked up that may not exist
	starting      bool      // schedulers may be starting now

	mu         sync.Mutex
	publishing *publishing // nil while nothing can be published
}

func newSession(o Options) *session {
	return &session{
		opt: o, dialer: newDialer(o), rebind: make(chan struct{}, 1),
		queue: "poolcast." + fanoutExchange + "." + newInstance().name,
		pause: lookupInterval,
	}
}

// Run keeps connections open until the context ends.
func (s *session) Run(ctx context.Context, to receiver) {
	failures := 0
	for {
		var wait time.Duration
		pair, err := s.dialer.open(ctx)
		if err == nil {
			opened := time.Now()
			err = s.serve(ctx, pair, to)
			err = fmt.Errorf("%s: the connection was lost: %w", pair.broker.address(), err)
			failures, wait = 0, s.opt.reconnectAfter(time.Since(opened), 1)
		} else {
			failures++
			wait = s.opt.retryAfter(failures)
		}
		if ctx.Err() != nil {
			return
		}
		to.onSession(s.describe(Connecting, nil, err))
		sleep(ctx, wait)
	}
}

// serve uses connections until one is lost, and returns why. If the context has
// ended, the bounds of closing them are short.
func (s *session) serve(ctx context.Context, pair *connectionPair, to receiver) error {
	v := &sessionLoop{session: s, pair: pair, to: to}
	defer func() {
		v.closeChannels(ctx)
		pair.close()
		s.starting = true
	}()
	return v.run(ctx)
}

// describe returns the Session of a state.
func (s *session) describe(state SessionState, pair *connectionPair, reason error) Session {
	d := Session{State: state, Schedulers: s.schedulers, basesFrom: s.basesFrom}
	if pair != nil {
		d.Broker = pair.broker.address()
	}
	if reason != nil {
		d.Detail = reason.Error()
	}
	return d
}

// Publish sends messages; see [transport].
func (s *session) Publish(ctx context.Context, messages []outgoing) []error {
	s.mu.Lock()
	p := s.publishing
	s.mu.Unlock()
	if p == nil {
		return slices.Repeat([]error{errNotConnected}, len(messages))
	}
	return p.publish(ctx, messages)
}

// usePublishing sets the channel for Publish, nil for none.
func (s *session) usePublishing(p *publishing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.publishing = p
}

// Rebind opens the listening queue again; see [transport].
func (s *session) Rebind() {
	select {
	case s.rebind <- struct{}{}:
	default:
	}
}
