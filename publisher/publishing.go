package publisher

import (
	"context"
	"fmt"
	"slices"

	amqp "github.com/rabbitmq/amqp091-go"
)

// batchSize bounds how many messages are on their way without a confirmation.
const batchSize = 256

// publishing is the channel on which reports are published.
type publishing struct {
	conn    *connection
	ch      *amqp.Channel
	closed  <-chan *amqp.Error
	returns <-chan amqp.Return
	control string // the exchange for notifyCapabilities
	// canNotify is whether that exchange exists. Publishing to one that does not
	// exist closes the channel.
	canNotify bool
}

func newPublishing(ctx context.Context, c *connection, o Options) (*publishing, error) {
	p := &publishing{conn: c, control: o.ControlExchange}
	if o.Notify {
		var err error
		if p.canNotify, err = c.hasExchange(ctx, o.ControlExchange, amqp.ExchangeTopic); err != nil {
			return nil, err
		}
	}
	return withTimeout(ctx, c, func() (*publishing, error) {
		var err error
		if p.ch, err = c.conn.Channel(); err != nil {
			return nil, err
		}
		p.closed = p.ch.NotifyClose(make(chan *amqp.Error, 1))
		// The returned messages of a batch and of one before that was not waited
		// for fit, so that they never block the reader of amqp091.
		p.returns = p.ch.NotifyReturn(make(chan amqp.Return, 2*batchSize))
		return p, p.ch.Confirm(false)
	})
}

// publish sends messages in batches; see [transport].
func (p *publishing) publish(ctx context.Context, messages []outgoing) []error {
	results := make([]error, 0, len(messages))
	for batch := range slices.Chunk(messages, batchSize) {
		results = append(results, p.publishBatch(ctx, batch)...)
	}
	return results
}

// inFlight is one message of a batch. It has neither confirmation nor error if
// there was no time to write it.
type inFlight struct {
	confirmation *amqp.DeferredConfirmation
	err          error // why it was not written
}

// publishBatch writes all messages and then waits for all confirmations, so that
// a batch costs one round trip.
func (p *publishing) publishBatch(ctx context.Context, batch []outgoing) []error {
	if p.conn.blocked.Load() != nil {
		return slices.Repeat([]error{errBlocked}, len(batch))
	}
	bounded, cancel := context.WithTimeout(ctx, p.conn.timeout)
	defer cancel()
	p.returned(nil) // of an earlier batch that was not waited for
	written := make(chan []inFlight, 1)
	go func() { written <- p.write(bounded, batch) }()
	select {
	case all := <-written:
		for _, m := range all {
			m.wait(bounded)
		}
		return p.results(ctx, batch, all)
	case <-bounded.Done(): // the broker does not read
		return slices.Repeat([]error{p.timeoutError(ctx)}, len(batch))
	}
}

// write sends a batch, until the context ends.
func (p *publishing) write(ctx context.Context, batch []outgoing) []inFlight {
	all := make([]inFlight, len(batch))
	for i := range batch {
		if ctx.Err() != nil {
			break
		}
		all[i] = p.writeOne(batch[i])
	}
	return all
}

func (p *publishing) writeOne(m outgoing) inFlight {
	exchange, key := fanoutExchange, ""
	if m.method == notifyCapabilities {
		exchange, key = p.control, schedulerQueue
		if !p.canNotify {
			return inFlight{err: fmt.Errorf("notify: the exchange %s does not exist; check control_exchange", exchange)}
		}
	}
	confirmation, err := p.ch.PublishWithDeferredConfirm(exchange, key, true, false, amqp.Publishing{
		ContentType: "application/json", ContentEncoding: "utf-8", DeliveryMode: amqp.Persistent, Body: m.body,
	})
	if err != nil {
		err = fmt.Errorf("%w: %w", errNotConnected, explain(err))
	}
	return inFlight{confirmation, err}
}

// wait waits until the broker has confirmed or refused the message.
func (m inFlight) wait(ctx context.Context) {
	if m.confirmation != nil {
		_, _ = m.confirmation.WaitContext(ctx)
	}
}

// pending reports whether the broker has neither confirmed nor refused the
// message.
func (m inFlight) pending() bool {
	if m.confirmation == nil {
		return m.err == nil
	}
	select {
	case <-m.confirmation.Done():
		return false
	default:
		return true
	}
}

// results returns the result of each message of a batch. The broker returns a
// message before it confirms it.
func (p *publishing) results(ctx context.Context, batch []outgoing, all []inFlight) []error {
	var late error
	if slices.ContainsFunc(all, inFlight.pending) {
		late = p.timeoutError(ctx)
	}
	returned := p.returned(map[string]bool{})
	results := make([]error, len(batch))
	for i, m := range all {
		switch {
		case m.err != nil:
			results[i] = m.err
		case m.pending():
			results[i] = late
		case m.confirmation.Acked() && returned[string(batch[i].body)]:
			results[i] = errReturned
		case m.confirmation.Acked():
		case p.ch.IsClosed(): // amqp091 then counts everything as refused
			results[i] = errNotConnected
		default:
			results[i] = errNack
		}
	}
	return results
}

// timeoutError returns why the wait for a batch has ended too early. Unless the
// caller ended it or the broker has blocked publishers, the connection is aborted.
func (p *publishing) timeoutError(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case p.conn.blocked.Load() != nil:
		return errBlocked
	}
	err := fmt.Errorf("no confirmation within %s", p.conn.timeout)
	p.conn.abort(err)
	return fmt.Errorf("%w: %w", errNotConnected, err)
}

// returned adds the messages that the broker has returned so far to a set of
// bodies. The channel is closed with its AMQP channel, which returns nothing.
func (p *publishing) returned(bodies map[string]bool) map[string]bool {
	for {
		select {
		case r, ok := <-p.returns:
			if !ok {
				return bodies
			}
			if bodies != nil {
				bodies[string(r.Body)] = true
			}
		default:
			return bodies
		}
	}
}
