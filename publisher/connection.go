package publisher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	// closeTimeout bounds the closing of a connection.
	closeTimeout = 5 * time.Second
	// errTimeout bounds the wait for the error of a connection after one of its
	// channels was closed.
	errTimeout = time.Second
)

// connection is one AMQP connection. Every wait for the broker is bounded; when
// the bound is reached, the connection is aborted.
type connection struct {
	conn    *amqp.Connection
	timeout time.Duration
	// lost is closed when the connection is.
	lost chan struct{}
	// blocked holds the broker's reason while it does not read from the
	// connection, being short of memory or disk.
	blocked        atomic.Pointer[string]
	blockedChanged chan struct{}

	// failure holds why the connection is closed, nil if it was closed cleanly.
	failure atomic.Pointer[error]
}

// newConnection watches a connection until it is closed.
func newConnection(conn *amqp.Connection, timeout time.Duration) *connection {
	c := &connection{conn: conn, timeout: timeout, lost: make(chan struct{}), blockedChanged: make(chan struct{}, 1)}
	closed := conn.NotifyClose(make(chan *amqp.Error, 1))
	blocking := conn.NotifyBlocked(make(chan amqp.Blocking, 1))
	go c.watch(closed, blocking)
	return c
}

func (c *connection) watch(closed <-chan *amqp.Error, blocking <-chan amqp.Blocking) {
	defer close(c.lost)
	for {
		select {
		case err := <-closed:
			if err != nil {
				c.fail(explain(err))
			}
			return
		case b, open := <-blocking:
			if !open {
				blocking = nil
				continue
			}
			c.setBlocked(b)
		}
	}
}

func (c *connection) setBlocked(b amqp.Blocking) {
	if b.Active {
		c.blocked.Store(&b.Reason)
	} else {
		c.blocked.Store(nil)
	}
	select {
	case c.blockedChanged <- struct{}{}:
	default:
	}
}

// fail keeps the first reason for which the connection is closed.
func (c *connection) fail(err error) { c.failure.CompareAndSwap(nil, &err) }

// abort closes the connection without waiting for the broker.
func (c *connection) abort(err error) {
	c.fail(err)
	_ = c.conn.CloseDeadline(time.Now())
}

// close closes the connection. A broker that has blocked it does not read, so
// there is nothing to wait for.
func (c *connection) close() {
	deadline := time.Now().Add(closeTimeout)
	if c.blocked.Load() != nil {
		deadline = time.Now()
	}
	_ = c.conn.CloseDeadline(deadline)
	<-c.lost
}

// connectionPair is two connections to one broker: one publishes, the other listens
// and counts the schedulers. A broker that is short of memory or disk stops reading
// from connections that publish; the listening queue can be closed even then.
type connectionPair struct {
	broker     Broker
	listening  *connection
	publishing *connection // nil if nothing is ever published
	// lost is closed when one of them is.
	lost chan struct{}
}

func newConnectionPair(b Broker, listening, publishing *connection) *connectionPair {
	p := &connectionPair{broker: b, listening: listening, publishing: publishing, lost: make(chan struct{})}
	go func() {
		defer close(p.lost)
		var lost <-chan struct{}
		if publishing != nil {
			lost = publishing.lost
		}
		select {
		case <-listening.lost:
		case <-lost:
		}
	}()
	return p
}

// close closes both connections, within a bound.
func (p *connectionPair) close() {
	var closing sync.WaitGroup
	for _, c := range p.connections() {
		closing.Go(c.close)
	}
	closing.Wait()
}

func (p *connectionPair) connections() []*connection {
	if p.publishing == nil {
		return []*connection{p.listening}
	}
	return []*connection{p.listening, p.publishing}
}

func (p *connectionPair) isLost() bool {
	select {
	case <-p.lost:
		return true
	default:
		return false
	}
}

// err returns why a connection was lost, nil if none was. A channel is closed
// before its connection, and the error of the connection is more precise, so err
// waits a moment for it.
func (p *connectionPair) err() error {
	timer := time.NewTimer(errTimeout)
	defer timer.Stop()
	select {
	case <-p.lost:
	case <-timer.C:
		return nil
	}
	for _, c := range p.connections() {
		if err := c.failure.Load(); err != nil {
			return *err
		}
	}
	return errors.New("it was closed")
}

// blocked returns why the broker does not read from the connection that
// publishes, nil if it does.
func (p *connectionPair) blocked() *string {
	if p.publishing == nil {
		return nil
	}
	return p.publishing.blocked.Load()
}

// blockedChanged receives when blocked has changed.
func (p *connectionPair) blockedChanged() <-chan struct{} {
	if p.publishing == nil {
		return nil
	}
	return p.publishing.blockedChanged
}

// withTimeout bounds an operation on the broker, and more tightly once the context
// has ended. A write that the broker does not read cannot be interrupted, so at the
// timeout the connection is aborted, which ends the operation.
func withTimeout[T any](ctx context.Context, c *connection, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	timer := time.NewTimer(c.timeout)
	defer timer.Stop()
	ended := ctx.Done()
	for {
		select {
		case r := <-done:
			return r.value, r.err
		case <-ended:
			ended = nil
			timer.Reset(min(c.timeout, closeTimeout))
		case <-timer.C:
			err := fmt.Errorf("no response within %s", c.timeout)
			c.abort(err)
			var none T
			return none, err
		}
	}
}

// onTemporaryChannel does something on a channel of its own, because an error
// closes its channel.
func (c *connection) onTemporaryChannel(ctx context.Context, do func(*amqp.Channel) error) error {
	_, err := withTimeout(ctx, c, func() (struct{}, error) {
		ch, err := c.conn.Channel()
		if err != nil {
			return struct{}{}, err
		}
		if err := do(ch); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, ch.Close()
	})
	return err
}

// hasExchange looks for an exchange. It creates none. Since RabbitMQ 4.3 it needs some
// permission on the exchange.
func (c *connection) hasExchange(ctx context.Context, name, kind string) (bool, error) {
	err := c.onTemporaryChannel(ctx, func(ch *amqp.Channel) error {
		return ch.ExchangeDeclarePassive(name, kind, false, false, false, false, nil)
	})
	return err == nil, unlessNotFound(err)
}

// hasQueue looks for a queue. It creates none. Since RabbitMQ 4.3 it needs some
// permission on the queue.
func (c *connection) hasQueue(ctx context.Context, name string) (bool, error) {
	err := c.onTemporaryChannel(ctx, func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclarePassive(name, false, false, false, false, nil)
		return err
	})
	return err == nil, unlessNotFound(err)
}

func notFound(err error) bool {
	var e *amqp.Error
	return errors.As(err, &e) && e.Code == amqp.NotFound
}

func unlessNotFound(err error) error {
	if notFound(err) {
		return nil
	}
	return err
}

// ports matches the addresses that an error of a socket begins with. The local
// port differs each time, and would make the same fault look like a new one.
var ports = regexp.MustCompile(`^(?:read|write) tcp \S+->\S+: `)

// explain shortens an error to the reason that the broker or the network gave.
func explain(err error) error {
	var e *amqp.Error
	var op *net.OpError
	switch {
	case errors.As(err, &e) && e.Reason == io.EOF.Error():
		return errors.New("the broker closed it without a reason")
	case errors.As(err, &e) && e.Reason != "":
		return errors.New(ports.ReplaceAllString(e.Reason, ""))
	case errors.As(err, &op) && op.Err != nil:
		return op.Err
	}
	return err
}
