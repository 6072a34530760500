package publisher

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	// queueLength and queueBytes bound a queue of our own: room for the reports
	// of thousands of backends in one burst, overlays included. The oldest
	// messages are dropped first.
	queueLength = 10_000
	queueBytes  = 32 << 20
	// queueExpiry is when a quorum queue of our own without a consumer is deleted,
	// as after a crash.
	queueExpiry = time.Minute
	// prefetch bounds the messages that are received and not acknowledged.
	prefetch = 4
)

// binding is what a queue of our own receives.
type binding struct{ exchange, key string }

// queueOptions describe a queue of our own.
type queueOptions struct {
	bindings      []binding
	length, bytes int64 // bounds
	keep          bool  // after a lost connection, a quorum queue keeps its messages
}

// reportQueue receives what is sent to the schedulers.
func reportQueue() queueOptions {
	return queueOptions{bindings: []binding{{fanoutExchange, ""}}, length: queueLength, bytes: queueBytes}
}

// listener receives messages through a queue of our own or a stream.
type listener struct {
	conn *connection
	mode ListenMode
	// queue is the name of a quorum queue of our own, "" for the other modes.
	queue      string
	ch         *amqp.Channel
	deliveries <-chan amqp.Delivery
	closed     <-chan *amqp.Error
	received   int
	// note is why a better mode was not possible, nil if it was.
	note error

	own  queueOptions
	name string // of the queue that is consumed, "" for a stream
}

// listen starts to receive: from the schedulers' own stream if there is one, else
// from a quorum queue if cinder.conf configures those, else from an exclusive
// queue. With the first two, the broker never refuses messages to the exchange
// after the loss of a node of the cluster; with the third that depends on its
// release.
func (s *session) listen(ctx context.Context, c *connection, stream bool) (*listener, error) {
	var note error
	if stream {
		l, err := listenToStream(ctx, c)
		if l != nil {
			return l, nil
		}
		if err != nil {
			note = fmt.Errorf("the schedulers' stream cannot be read, so a queue is used: %w", explain(err))
		}
	}
	open := exclusiveQueue
	if s.opt.TransientQuorum {
		open = func(l *listener) error { return quorumQueue(l, s.queue) }
	}
	l, err := withTimeout(ctx, c, func() (*listener, error) { return newListener(c, reportQueue(), open) })
	if err != nil {
		return nil, err
	}
	l.note = note
	return l, nil
}

// newListener opens a channel, and on it what the mode needs.
func newListener(c *connection, own queueOptions, open func(*listener) error) (*listener, error) {
	ch, err := c.conn.Channel()
	if err != nil {
		return nil, err
	}
	l := &listener{conn: c, own: own, ch: ch, closed: ch.NotifyClose(make(chan *amqp.Error, 1))}
	if err := ch.Qos(prefetch, 0, false); err != nil {
		return nil, err
	}
	if err := open(l); err != nil {
		return nil, errors.Join(err, ch.Close())
	}
	return l, nil
}

// listenToStream consumes the schedulers' stream from its end. It returns
// neither listener nor error if there is no stream.
func listenToStream(ctx context.Context, c *connection) (*listener, error) {
	exists, err := c.hasQueue(ctx, schedulerStream)
	if err != nil || !exists {
		return nil, err
	}
	return withTimeout(ctx, c, func() (*listener, error) {
		return newListener(c, queueOptions{}, func(l *listener) (err error) {
			l.mode = ListenStream
			l.deliveries, err = l.ch.Consume(schedulerStream, "", false, false, false, false, amqp.Table{"x-stream-offset": "next"})
			return err
		})
	})
}

// exclusiveQueue declares a queue that is deleted with its connection.
func exclusiveQueue(l *listener) error {
	l.mode = ListenExclusive
	queue, err := l.ch.QueueDeclare("", false, true, true, false, l.own.bounded())
	if err != nil {
		return withRight(err, "to configure queues whose names begin with amq.gen")
	}
	return l.consume(queue.Name)
}

// quorumQueue declares a replicated queue, or uses the one of the lost connection
// without its messages, which are older than this listener, unless they are kept. It
// must not delete that
// queue: RabbitMQ 4.0 then refuses messages of cinder-volume that wait for the queue's
// new leader.
func quorumQueue(l *listener, name string) error {
	l.mode, l.queue = ListenQuorum, name
	args := l.own.bounded()
	args["x-queue-type"], args["x-expires"], args["x-overflow"] = "quorum", queueExpiry.Milliseconds(), "drop-head"
	if _, err := l.ch.QueueDeclare(name, true, false, false, false, args); err != nil {
		return withRight(err, "to configure "+name)
	}
	if !l.own.keep {
		if _, err := l.ch.QueuePurge(name, false); err != nil {
			return err
		}
	}
	return l.consume(name)
}

func (o queueOptions) bounded() amqp.Table {
	return amqp.Table{"x-max-length": o.length, "x-max-length-bytes": o.bytes}
}

func (l *listener) consume(queue string) (err error) {
	l.name = queue
	if err := l.bind(); err != nil {
		return err
	}
	l.deliveries, err = l.ch.Consume(queue, "", false, false, false, false, nil)
	return withRight(err, "to read the queue")
}

func (l *listener) bind() error {
	for _, b := range l.own.bindings {
		if err := l.ch.QueueBind(l.name, b.key, b.exchange, false, nil); err != nil {
			return withRight(err, "to read the exchange "+b.exchange+" and to write to the queue")
		}
	}
	return nil
}

// bindAgain binds the queue again, which changes nothing if it is bound.
func (l *listener) bindAgain(ctx context.Context) error {
	_, err := withTimeout(ctx, l.conn, func() (struct{}, error) { return struct{}{}, l.bind() })
	return err
}

// take acknowledges a delivery. It returns false if the delivery should have come
// from a stream and did not: then another queue has the stream's name, and its
// messages are not for agents. Closing the channel returns them.
func (l *listener) take(d amqp.Delivery) bool {
	if _, fromStream := d.Headers["x-stream-offset"]; l.mode == ListenStream && !fromStream {
		return false
	}
	l.received++
	_ = d.Ack(false) // an error is the channel's, and is reported there
	return true
}

// isOld reports whether a message of a queue was delivered before: to the connection
// that was lost, or to this one before the queue had a new leader.
func (l *listener) isOld(d amqp.Delivery) bool { return l.mode == ListenQuorum && d.Redelivered }

// err returns why deliveries have ended.
func (l *listener) err() error {
	select {
	case err := <-l.closed:
		if err != nil {
			return err
		}
	default:
	}
	if l.mode == ListenStream {
		return errors.New("the broker cancelled the consumer of the stream " + schedulerStream)
	}
	return errors.New("the broker deleted the listening queue")
}

// stop ends listening. A queue of our own stays, to be used again.
func (l *listener) stop(ctx context.Context) {
	_, _ = withTimeout(ctx, l.conn, func() (struct{}, error) { return struct{}{}, l.ch.Close() })
}

// deleteQueue deletes a quorum queue of our own.
func (c *connection) deleteQueue(ctx context.Context, name string) error {
	return c.onTemporaryChannel(ctx, func(ch *amqp.Channel) error {
		_, err := ch.QueueDelete(name, false, false, false)
		return err
	})
}
