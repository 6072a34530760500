//go:build brokers

package integration

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/collector/capability"
)

const (
	serviceInterval = 500 * time.Millisecond
	// serviceTimeout is how long the service waits for a confirmation before it
	// gives the connection up, longer than the loss of a node takes to show.
	serviceTimeout = 60 * time.Second
)

// confirmedVolume reports as a cinder-volume does, with a confirmation of each
// report, and counts what became of them. It is the other publisher that poolcast
// must not disturb.
type confirmedVolume struct {
	reports capability.Set
	stop    func()

	mu    sync.Mutex
	tally tally
}

// tally counts reports. A report that the broker has refused is sent again with
// the next, as oslo.messaging does.
type tally struct {
	Sent, Acked, Nacked int
	Longest             time.Duration // that a confirmation took
	Err                 error         // why the last connection ended
}

// startConfirmedVolume runs the service on its own connection until the test ends.
func startConfirmedVolume(t *testing.T, uri string) *confirmedVolume {
	t.Helper()
	s := &confirmedVolume{reports: busSaid(t, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(serviceInterval)
		defer tick.Stop()
		for ctx.Err() == nil {
			err := s.connect(ctx, uri, tick.C)
			s.note(func(c *tally) { c.Err = err })
		}
	}()
	s.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(s.stop)
	return s
}

// connect reports over one connection until that is lost. A report counts as
// sent until the broker has taken it: one that was refused, or was lost with the
// connection, is followed by a newer one.
func (s *confirmedVolume) connect(ctx context.Context, uri string, tick <-chan time.Time) error {
	conn, err := amqp.DialConfig(uri, amqp.Config{Dial: amqp.DefaultDial(5 * time.Second), Heartbeat: 10 * time.Second})
	if err == nil {
		defer func() { _ = conn.CloseDeadline(time.Now().Add(time.Second)) }()
		err = s.publish(ctx, conn, tick)
	}
	select {
	case <-ctx.Done():
	case <-tick:
	}
	return err
}

func (s *confirmedVolume) publish(ctx context.Context, conn *amqp.Connection, tick <-chan time.Time) error {
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := ch.Confirm(false); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
		}
		if err := s.report(ctx, ch); err != nil {
			return err
		}
	}
}

// report sends one report and waits for its confirmation.
func (s *confirmedVolume) report(ctx context.Context, ch *amqp.Channel) error {
	begun := time.Now()
	body, err := castBody(busBackend, s.reports)
	if err != nil {
		return err
	}
	confirmation, err := ch.PublishWithDeferredConfirm(busExchange, "", false, false, busMessage(body))
	if err != nil {
		return err
	}
	s.note(func(c *tally) { c.Sent++ })
	bounded, cancel := context.WithTimeout(ctx, serviceTimeout)
	defer cancel()
	acked, err := confirmation.WaitContext(bounded)
	switch {
	case ctx.Err() != nil:
		s.note(func(c *tally) { c.Sent-- }) // nobody waits for it any more
		return nil
	case err != nil:
		return fmt.Errorf("no confirmation within %s", serviceTimeout)
	case ch.IsClosed():
		return errors.New("the channel was closed")
	}
	s.note(func(c *tally) {
		c.Longest = max(c.Longest, time.Since(begun))
		if acked {
			c.Acked++
		} else {
			c.Nacked++
		}
	})
	return nil
}

// count returns what became of the reports since a tally was taken.
func (s *confirmedVolume) count(since tally) tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.tally
	c.Sent, c.Acked, c.Nacked = c.Sent-since.Sent, c.Acked-since.Acked, c.Nacked-since.Nacked
	return c
}

// all returns what became of all reports.
func (s *confirmedVolume) all() tally { return s.count(tally{}) }

func (s *confirmedVolume) note(change func(*tally)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.tally)
}
