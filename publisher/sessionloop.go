package publisher

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// sessionLoop uses one pair of connections. Every second it counts the schedulers,
// and it listens and publishes while there are some.
type sessionLoop struct {
	session *session
	pair    *connectionPair
	to      receiver

	countChannel *amqp.Channel // on which schedulers are counted, nil after an error
	recounting   bool          // the last count was 0, and is to be repeated
	listener     *listener     // nil while not listening
	queue        string        // a quorum queue of our own on the broker, to be deleted
	publishing   *publishing   // nil while there is no channel for it
	openedAt     time.Time     // of the listener
	notStream    bool          // another queue has the stream's name
	failures     int           // to open them, in a row
	retryAt      time.Time

	state    SessionState
	detail   error
	reported Session
}

// run uses the connections until one is lost or the context ends.
func (v *sessionLoop) run(ctx context.Context) error {
	v.resumeWait()
	count := time.NewTimer(0)
	defer count.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-v.pair.lost:
			return v.pair.err()
		case <-count.C:
			count.Reset(v.countSchedulers(ctx))
		case d, open := <-v.deliveries():
			v.receive(ctx, d, open)
		case err := <-v.publishingClosed():
			v.fail(ctx, "the publishing channel was closed", errOrClosed(err))
		case <-v.pair.blockedChanged():
		case <-v.session.rebind:
			v.rebind(ctx)
		}
		v.report()
	}
}

// resumeWait continues a wait that began on earlier connections: what did not
// exist is not looked up before noLookupUntil.
func (v *sessionLoop) resumeWait() {
	s := v.session
	if !time.Now().Before(s.noLookupUntil) {
		return
	}
	if v.state = NoScheduler; s.schedulers != nil && *s.schedulers > 0 {
		v.state = NoExchange
	}
	v.report()
}

// report passes the session on if it has changed.
func (v *sessionLoop) report() {
	if v.state == "" || v.pair.isLost() {
		return // there is no state yet, or Run reports the loss
	}
	now := v.session.describe(v.state, v.pair, v.detail)
	if v.listener != nil {
		now.Listening = v.listener.mode
	}
	if reason := v.pair.blocked(); reason != nil && v.state == Ready {
		now.State, now.Detail = Blocked, *reason
	}
	if now != v.reported {
		v.reported = now
		v.to.onSession(now)
	}
}

// countSchedulers counts the schedulers, and opens or closes the channels as their
// number requires. It returns when to count again.
func (v *sessionLoop) countSchedulers(ctx context.Context) time.Duration {
	s, now := v.session, time.Now()
	if v.listener == nil && now.Before(s.noLookupUntil) {
		return countInterval
	}
	n, err := v.count(ctx)
	switch {
	case notFound(err):
		s.noLookupUntil = now.Add(s.pause)
	case err != nil:
		v.fail(ctx, "count the schedulers", err)
		return countInterval
	case n == 0 && v.listener != nil && !v.recounting:
		v.recounting = true
		return recountDelay
	}
	v.recounting = false
	if n > 0 && s.starting { // a scheduler declares its exchange a moment after its queue
		s.starting = false
		return countInterval
	}
	s.setSchedulers(n, now)
	switch {
	case n == 0:
		v.closeChannels(ctx)
		v.state, v.detail, s.starting = NoScheduler, nil, true
	case v.listener == nil && !now.Before(v.retryAt):
		v.open(ctx)
	}
	return countInterval
}

// setSchedulers records a count, made at an instant. If the number has changed, a
// scheduler may have started after the count before.
func (s *session) setSchedulers(n int, at time.Time) {
	if s.schedulers == nil || *s.schedulers != n {
		if s.schedulers != nil && s.countedAt.After(s.basesFrom) {
			s.basesFrom = s.countedAt
		}
		s.schedulers = &n
	}
	s.countedAt = at
}

// count returns the number of consumers of the schedulers' queue. The channel
// stays open for the next count.
func (v *sessionLoop) count(ctx context.Context) (int, error) {
	c := v.pair.listening
	if v.countChannel == nil || v.countChannel.IsClosed() {
		ch, err := withTimeout(ctx, c, c.conn.Channel)
		if err != nil {
			return 0, err
		}
		v.countChannel = ch
	}
	ch := v.countChannel
	return withTimeout(ctx, c, func() (int, error) {
		q, err := ch.QueueDeclarePassive(schedulerQueue, false, false, false, false, nil)
		return q.Consumers, err
	})
}

// open opens the channels to listen and to publish, if the schedulers' exchange
// exists.
func (v *sessionLoop) open(ctx context.Context) {
	exists, err := v.pair.listening.hasExchange(ctx, fanoutExchange, amqp.ExchangeFanout)
	switch {
	case err != nil:
		v.fail(ctx, "look for the exchange "+fanoutExchange, err)
		return
	case !exists:
		v.session.noLookupUntil = time.Now().Add(v.session.pause)
		v.state, v.detail = NoExchange, nil
		return
	}
	if v.publishing == nil && v.pair.publishing != nil {
		if v.publishing, err = newPublishing(ctx, v.pair.publishing, v.session.opt); err != nil {
			v.publishing = nil
			v.fail(ctx, "open the publishing channel", err)
			return
		}
	}
	v.listen(ctx, !v.notStream)
}

// listen opens the listener, after which the session is ready.
func (v *sessionLoop) listen(ctx context.Context, stream bool) {
	l, err := v.session.listen(ctx, v.pair.listening, stream)
	if err != nil {
		v.fail(ctx, "open the listening queue", err)
		return
	}
	if l.queue != v.queue {
		v.deleteQueue(ctx)
		v.queue = l.queue
	}
	v.listener, v.openedAt, v.failures = l, time.Now(), 0
	v.session.basesFrom = v.openedAt
	v.session.usePublishing(v.publishing)
	v.state, v.detail = Ready, l.note
}

// receive takes a delivery, or the end of them.
func (v *sessionLoop) receive(ctx context.Context, d amqp.Delivery, open bool) {
	switch {
	case !open:
		v.fail(ctx, "listening was interrupted", v.listener.err())
	case !v.listener.take(d):
		v.notStream = true
		v.fail(ctx, "listen", errors.New("the queue "+schedulerStream+" is not a stream"))
	case !v.listener.isOld(d):
		v.to.onMessage(d.Body)
	}
}

// rebind closes the listener and opens another. A stream from which nothing was
// received may have lost its binding to the exchange, so it is not used again.
func (v *sessionLoop) rebind(ctx context.Context) {
	if v.listener == nil {
		return // it will be opened by countSchedulers
	}
	silent := v.listener.mode == ListenStream && v.listener.received == 0
	v.stopListening(ctx)
	v.listen(ctx, !silent && !v.notStream)
}

// closeChannels ends publishing, and listening, and deletes the queue, which would
// keep the schedulers' exchange alive.
func (v *sessionLoop) closeChannels(ctx context.Context) {
	v.session.usePublishing(nil)
	v.stopListening(ctx)
	v.deleteQueue(ctx)
}

// stopListening keeps the queue: RabbitMQ 4.0 refuses messages of cinder-volume while a
// queue of the same name is deleted and declared again.
func (v *sessionLoop) stopListening(ctx context.Context) {
	if v.listener != nil {
		v.listener.stop(ctx)
		v.listener = nil
	}
}

// deleteQueue deletes the queue of our own, if there is one.
func (v *sessionLoop) deleteQueue(ctx context.Context) {
	if v.queue != "" {
		_ = v.pair.listening.deleteQueue(ctx, v.queue) // it expires by itself
		v.queue = ""
	}
}

// fail closes the channels, to be opened again after a while, and records why,
// unless the connection is lost: run returns its more precise error next.
func (v *sessionLoop) fail(ctx context.Context, what string, err error) {
	open := time.Duration(0)
	if v.listener != nil {
		open = time.Since(v.openedAt)
	}
	v.session.usePublishing(nil)
	v.stopListening(ctx)
	if v.failures > 0 { // the queue itself may be the cause
		v.deleteQueue(ctx)
	}
	if v.publishing != nil && v.publishing.ch.IsClosed() {
		v.publishing = nil
	}
	if v.pair.err() != nil {
		return
	}
	v.failures++
	v.retryAt = time.Now().Add(v.session.opt.reconnectAfter(open, v.failures))
	v.state, v.detail = Connecting, fmt.Errorf("%s: %w", what, explain(err))
}

func (v *sessionLoop) deliveries() <-chan amqp.Delivery {
	if v.listener == nil {
		return nil
	}
	return v.listener.deliveries
}

func (v *sessionLoop) publishingClosed() <-chan *amqp.Error {
	if v.publishing == nil {
		return nil
	}
	return v.publishing.closed
}

// errOrClosed makes an error of a notification, which is nil for a clean close.
func errOrClosed(e *amqp.Error) error {
	if e == nil {
		return amqp.ErrClosed
	}
	return e
}
