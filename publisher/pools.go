package publisher

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/collector/capability"
)

// The bound of [Pools], and the version of its request.
const (
	PoolsTimeout = 10 * time.Second
	poolsVersion = "3.0" // of get_pools (cinder/scheduler/rpcapi.py)
)

// SchedulerPools are the pools that one of the schedulers lists: the last reports of
// the services that are enabled, not frozen and up, of every host and vendor. The
// order is the one in which the scheduler weighs them.
type SchedulerPools struct {
	Broker   string    // host:port, without credentials
	Received time.Time // when the list was received
	Pools    []SchedulerPool
	// Incomplete is whether the list had numbers that JSON does not have, NaN and
	// Infinity. They are null here.
	Incomplete bool
}

// SchedulerPool is one pool of the list.
type SchedulerPool struct {
	// Name is host@backend#pool, or cluster@backend#pool.
	Name string `json:"name"`
	// Capabilities are the last report of the pool, an overlay too. They do not have
	// what the scheduler has deducted since for volumes.
	Capabilities capability.Set `json:"capabilities"`
}

// ErrNoScheduler is returned by [Pools], wrapped, if no scheduler runs.
var ErrNoScheduler = errors.New("no scheduler runs")

// Pools requests the pools of a scheduler: the remote procedure call get_pools, as
// cinder-api makes it for openstack volume backend pool list. It opens a connection of
// its own and leaves nothing on the broker. It takes ten seconds at most. Any
// goroutine may call it, but seldom: a scheduler reads its database for each call.
func Pools(ctx context.Context, o Options) (*SchedulerPools, error) {
	o = o.withDefaults()
	o.ListenOnly, o.Standalone = true, false
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("request pools of the scheduler: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, PoolsTimeout)
	defer cancel()
	begun := time.Now()
	pair, err := newDialer(o).open(ctx)
	if err != nil {
		return nil, fmt.Errorf("request pools of the scheduler: %w", err)
	}
	defer pair.close()
	// Nothing waits longer than the context: not for a broker that does not respond.
	stop := context.AfterFunc(ctx, func() { pair.listening.abort(ctx.Err()) })
	defer stop()
	list, err := requestPools(ctx, pair.listening, o)
	switch {
	case err != nil && pair.listening.blocked.Load() != nil:
		err = errBlocked
	case err != nil && ctx.Err() != nil:
		err = &noReplyError{time.Since(begun), ctx.Err()}
	}
	if err != nil {
		return nil, fmt.Errorf("request pools of the scheduler: %s: %w", pair.broker.address(), err)
	}
	list.Broker = pair.broker.address()
	return list, nil
}

// noReplyError says that a context ended before the reply came.
type noReplyError struct {
	after time.Duration
	err   error // of the context
}

// Error is the time that was waited.
func (e *noReplyError) Error() string {
	return fmt.Sprintf("no reply within %s; a scheduler that is busy or has just started replies late", e.after.Round(time.Second))
}

// Unwrap returns the error of the context.
func (e *noReplyError) Unwrap() error { return e.err }

// requestPools makes the call on a connection.
func requestPools(ctx context.Context, c *connection, o Options) (*SchedulerPools, error) {
	if err := findScheduler(ctx, c); err != nil {
		return nil, err
	}
	q, err := withTimeout(ctx, c, func() (*replyQueue, error) { return newReplyQueue(c, o) })
	if err != nil {
		return nil, fmt.Errorf("open a queue for the reply: %w", explainRight(withRight(err, "to configure and read its queues")))
	}
	if err := q.send(ctx); err != nil {
		return nil, err
	}
	reply, err := q.receive(ctx)
	if err != nil {
		return nil, err
	}
	pools, err := ParsePools(reply.result)
	return &SchedulerPools{Received: time.Now(), Pools: pools, Incomplete: reply.incomplete}, err
}

// findScheduler returns ErrNoScheduler if the schedulers' queue does not exist, or has
// no consumer twice. A broker that does not permit the look is not an error.
func findScheduler(ctx context.Context, c *connection) error {
	for attempt := range 2 {
		if attempt > 0 {
			sleep(ctx, recountDelay)
		}
		consumers := 0
		err := c.onTemporaryChannel(ctx, func(ch *amqp.Channel) error {
			q, err := ch.QueueDeclarePassive(schedulerQueue, false, false, false, false, nil)
			consumers = q.Consumers
			return err
		})
		switch {
		case notFound(err):
			return fmt.Errorf("%w: the queue %s does not exist in this virtual host", ErrNoScheduler, schedulerQueue)
		case err != nil || consumers > 0:
			return nil // another error is found by the call, which needs other rights
		}
	}
	return fmt.Errorf("%w: the queue %s has no consumer", ErrNoScheduler, schedulerQueue)
}

// replyQueue is the channel of one call and its queue for the reply.
type replyQueue struct {
	conn     *connection
	ch       *amqp.Channel
	name     string
	exchange string
	id       string // of the call

	replies  <-chan amqp.Delivery
	returned <-chan amqp.Return
	closed   <-chan *amqp.Error
}

// newReplyQueue declares a queue that is deleted with its connection. Its name is the
// broker's, or begins with poolcast. where that of the listening queue does, so that
// the same rights permit both.
func newReplyQueue(c *connection, o Options) (*replyQueue, error) {
	q := &replyQueue{conn: c, exchange: o.ControlExchange}
	q.id, _ = newInstance().next()
	if o.TransientQuorum {
		q.name = "poolcast.reply." + q.id
	}
	var err error
	if q.ch, err = c.conn.Channel(); err != nil {
		return nil, err
	}
	q.returned = q.ch.NotifyReturn(make(chan amqp.Return, 1))
	q.closed = q.ch.NotifyClose(make(chan *amqp.Error, 1))
	declared, err := q.ch.QueueDeclare(q.name, false, true, true, false, nil)
	if err != nil {
		return nil, err
	}
	q.name = declared.Name
	q.replies, err = q.ch.Consume(q.name, "", true, true, false, false, nil)
	return q, err
}

// send publishes the call. A scheduler that consumes it later than the time-out finds
// it expired.
func (q *replyQueue) send(ctx context.Context) error {
	body, err := encodePoolsCall(q.id, q.name, time.Now())
	if err != nil {
		return err
	}
	_, err = withTimeout(ctx, q.conn, func() (struct{}, error) {
		return struct{}{}, q.ch.PublishWithContext(ctx, q.exchange, schedulerQueue, true, false, amqp.Publishing{
			ContentType: "application/json", ContentEncoding: "utf-8", DeliveryMode: amqp.Transient, Body: body,
			Expiration: strconv.FormatInt(PoolsTimeout.Milliseconds(), 10),
		})
	})
	if err != nil {
		return fmt.Errorf("publish the call: %w", explain(err))
	}
	return nil
}

// receive returns the result of the call.
func (q *replyQueue) receive(ctx context.Context) (*poolsReply, error) {
	for {
		select {
		case d, open := <-q.replies:
			if !open {
				return nil, q.closeError()
			}
			if result, err := decodeReply(d.Body, q.id); err != nil || result != nil {
				return result, err
			}
		case <-q.returned:
			return nil, fmt.Errorf("%w: no queue is bound to the exchange %s for %s; check control_exchange", ErrNoScheduler, q.exchange, schedulerQueue)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// closeError returns why the channel was closed: the broker refuses a call after it
// was published.
func (q *replyQueue) closeError() error {
	e := errOrClosed(<-q.closed)
	switch {
	case notFound(e):
		return fmt.Errorf("%w: the exchange %s does not exist; check control_exchange", ErrNoScheduler, q.exchange)
	case errors.Is(e, amqp.ErrClosed):
		if err := q.conn.failure.Load(); err != nil {
			return fmt.Errorf("the connection was lost: %w", *err)
		}
	}
	return explainRight(withRight(e, "to write to the exchange "+q.exchange))
}
