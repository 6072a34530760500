package publisher

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	fanoutExchange  = "cinder-scheduler_fanout"
	schedulerStream = "cinder-scheduler_fanout" // with rabbit_stream_fanout
	schedulerQueue  = "cinder-scheduler"

	// countInterval is how often the schedulers are counted, and recountDelay how
	// soon that is repeated when there seem to be none any more: while a quorum
	// queue elects its leader, the broker counts no consumers.
	countInterval = time.Second
	recountDelay  = 500 * time.Millisecond
	// lookupInterval is when something that did not exist is looked for again: the
	// broker logs an error for each such look.
	lookupInterval = 30 * time.Second
	// stableAfter is how long a connection must have held for its loss not to count
	// as a failure.
	stableAfter = 30 * time.Second
)

// session is the transport over RabbitMQ: an outer loop that opens links, and an
// inner one, in serving.go, that uses them. All of it runs in the goroutine of
// Run, but for Publish and Rebind.
//
// It declares nothing of Cinder's. Exchange and queue of the schedulers are
// looked up: who declares them first decides about their properties, which
// differ between releases and settings. A listening queue would keep the
// exchange alive, which deletes itself with its last queue, so it is given up
// when no scheduler consumes its own queue any more: an upgraded scheduler must
// be able to declare the exchange anew.
type session struct {
	opt    Options
	dialer *dialer
	queue  string // the name of a quorum queue of our own
	rebind chan struct{}
	pause  time.Duration // lookupInterval

	// What outlives a connection.
	schedulers    *int      // at the last look
	countedAt     time.Time // when that was
	basesFrom     time.Time
	noLookupUntil time.Time // until then nothing is looked for that may not exist
	starting      bool      // schedulers may be starting at this moment

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

// Run keeps a link open until the context ends.
func (s *session) Run(ctx context.Context, to receiver) {
	failures := 0
	for {
		var wait time.Duration
		l, err := s.dialer.open(ctx)
		if err == nil {
			opened := time.Now()
			err = s.serve(ctx, l, to)
			err = fmt.Errorf("%s: the connection was lost: %w", l.broker.address(), err)
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

// serve uses a link until it is lost, and says why. If the context has ended,
// the bounds of closing it are short.
func (s *session) serve(ctx context.Context, l *connectionPair, to receiver) error {
	v := &sessionLoop{session: s, pair: l, to: to}
	defer func() {
		v.closeChannels(ctx)
		l.close()
		s.starting = true
	}()
	return v.run(ctx)
}

// describe returns the session with what is known in every state.
func (s *session) describe(state SessionState, l *connectionPair, reason error) Session {
	d := Session{State: state, Schedulers: s.schedulers, BasesFrom: s.basesFrom}
	if l != nil {
		d.Broker = l.broker.address()
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

// usePublishing says through what Publish sends, nil for nothing.
func (s *session) usePublishing(p *publishing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.publishing = p
}

// Rebind opens the listening queue anew; see [transport].
func (s *session) Rebind() {
	select {
	case s.rebind <- struct{}{}:
	default:
	}
}
