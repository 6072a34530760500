package publisher

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	fanoutExchange = "cinder-scheduler_fanout"
	schedulerQueue = "cinder-scheduler"
	// lookAgain is how often the schedulers are counted.
	lookAgain = 10 * time.Second
	// lasting is how long a connection must have held for the next failure to
	// count as the first.
	lasting = 30 * time.Second
)

// session is the transport over RabbitMQ: an outer loop that owns the
// connection, and an inner one that owns its channels.
type session struct {
	opt Options

	mu   sync.Mutex
	link *link // nil while there is no connection
}

func newSession(o Options) *session { return &session{opt: o} }

// Run keeps a connection open until the context ends.
func (s *session) Run(ctx context.Context, to receiver) {
	for failures := 0; ctx.Err() == nil; failures++ {
		conn, broker, err := dialAny(ctx, s.opt)
		if err != nil {
			if ctx.Err() == nil {
				to.onSession(Session{State: Connecting, Detail: err.Error()})
			}
			sleep(ctx, backoff(failures, s.opt.Interval))
			continue
		}
		opened := time.Now()
		err = s.serve(ctx, conn, broker, to)
		if ctx.Err() != nil {
			return
		}
		if time.Since(opened) > lasting {
			failures = 0
		}
		to.onSession(Session{State: Connecting, Detail: fmt.Sprintf("%s: the connection was lost: %v", broker.address(), plain(err))})
		sleep(ctx, backoff(failures, s.opt.Interval))
	}
}

// serve uses one connection until it is lost.
func (s *session) serve(ctx context.Context, conn *amqp.Connection, broker Broker, to receiver) error {
	l := newLink(conn, broker, s.opt)
	var loops sync.WaitGroup
	defer loops.Wait()
	s.set(l)
	defer s.set(nil)
	defer l.close(context.WithoutCancel(ctx))
	lost, cancel := context.WithCancel(ctx)
	defer cancel()
	loops.Go(func() {
		defer cancel()
		l.untilLost(ctx)
	})
	loops.Go(l.watchBlocking)
	for failures := 0; lost.Err() == nil; failures++ {
		opened := time.Now()
		err := l.open(lost)
		if err == nil {
			err = s.attend(lost, l, to)
		}
		if lost.Err() != nil {
			break
		}
		l.leave(ctx)
		if time.Since(opened) > lasting {
			failures = 0
		}
		to.onSession(l.describe(err))
		sleep(lost, backoff(failures, s.opt.Interval))
	}
	return l.reason()
}

// attend passes on what happens on open channels until they are no longer of
// use, and says why.
func (s *session) attend(ctx context.Context, l *link, to receiver) error {
	to.onSession(l.ready())
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-l.closed:
			return fmt.Errorf("the publishing channel was closed: %w", whole(err))
		case d, open := <-l.deliveries:
			if !open {
				return errors.New("the listening queue was closed")
			}
			to.onMessage(d.Body)
			_ = d.Ack(false)
		case <-l.toggled:
			to.onSession(l.ready())
		case <-look.C:
			if err := l.count(ctx); errors.Is(err, errBlocked) {
				continue
			} else if err != nil {
				return err
			}
			to.onSession(l.ready())
		}
	}
}

// Publish sends messages; see [transport].
func (s *session) Publish(ctx context.Context, messages []outgoing) []error {
	errs := make([]error, len(messages))
	l := s.current()
	for i, m := range messages {
		if errs[i] = errNotConnected; l != nil {
			errs[i] = l.publish(ctx, m.method, m.body)
		}
	}
	return errs
}

// Rebind opens the listening queue again; see [transport].
func (s *session) Rebind() {}

func (s *session) current() *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link
}

func (s *session) set(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link = l
}
