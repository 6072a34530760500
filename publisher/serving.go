package publisher

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// serving is the use of one link. Every second it counts the schedulers, and it
// listens and publishes while there are some.
type serving struct {
	session *session
	link    *link
	to      receiver

	looking    *amqp.Channel // on which schedulers are counted, nil after an error
	doubtful   bool          // the last look saw no scheduler, and is to be repeated
	listener   *listener     // nil while not listening
	publishing *publishing   // nil while there is no channel for it
	openedAt   time.Time     // of the listener
	notStream  bool          // another queue has the stream's name
	failures   int           // to open them, in a row
	retryAt    time.Time

	state    SessionState
	detail   error
	reported Session
}

// run uses the link until it is lost or the context ends.
func (v *serving) run(ctx context.Context) error {
	v.recall()
	look := time.NewTimer(0)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-v.link.lost:
			return v.link.reason()
		case <-look.C:
			look.Reset(v.look(ctx))
		case d, open := <-v.deliveries():
			v.receive(ctx, d, open)
		case err := <-v.publishingClosed():
			v.fail(ctx, "the publishing channel was closed", orClosed(err))
		case <-v.link.blockedChanged():
		case <-v.session.rebind:
			v.rebind(ctx)
		}
		v.report()
	}
}

// recall continues a wait that began on an earlier link: what did not exist is
// not looked for before its time.
func (v *serving) recall() {
	s := v.session
	if !time.Now().Before(s.quietUntil) {
		return
	}
	if v.state = NoScheduler; s.schedulers != nil && *s.schedulers > 0 {
		v.state = NoExchange
	}
	v.report()
}

// report passes the session on if it has changed.
func (v *serving) report() {
	if v.state == "" || v.link.isLost() {
		return // nothing is known yet, or more is known soon
	}
	now := v.session.describe(v.state, v.link, v.detail)
	if v.listener != nil {
		now.Listening = v.listener.mode
	}
	if reason := v.link.blocked(); reason != nil && v.state == Ready {
		now.State, now.Detail = Blocked, *reason
	}
	if now != v.reported {
		v.reported = now
		v.to.onSession(now)
	}
}

// look counts the schedulers and does what follows from that. It returns when to
// look again.
func (v *serving) look(ctx context.Context) time.Duration {
	s, now := v.session, time.Now()
	if v.listener == nil && now.Before(s.quietUntil) {
		return lookEvery
	}
	n, err := v.count(ctx)
	switch {
	case notFound(err):
		s.quietUntil = now.Add(s.pause)
	case err != nil:
		v.fail(ctx, "count the schedulers", err)
		return lookEvery
	case n == 0 && v.listener != nil && !v.doubtful:
		v.doubtful = true
		return confirmAfter
	}
	v.doubtful = false
	if n > 0 && s.settling { // a scheduler declares its exchange a moment after its queue
		s.settling = false
		return lookEvery
	}
	s.counted(n, now)
	switch {
	case n == 0:
		v.leave(ctx)
		v.state, v.detail, s.settling = NoScheduler, nil, true
	case v.listener == nil && !now.Before(v.retryAt):
		v.open(ctx)
	}
	return lookEvery
}

// counted records a look at the schedulers, made at an instant. If their number
// has changed, one of them may have started after the look before.
func (s *session) counted(n int, at time.Time) {
	if s.schedulers == nil || *s.schedulers != n {
		if s.schedulers != nil && s.lookedAt.After(s.basesFrom) {
			s.basesFrom = s.lookedAt
		}
		s.schedulers = &n
	}
	s.lookedAt = at
}

// count returns the number of consumers of the schedulers' queue. The channel
// stays open for the next time.
func (v *serving) count(ctx context.Context) (int, error) {
	c := v.link.listening
	if v.looking == nil || v.looking.IsClosed() {
		ch, err := within(ctx, c, c.conn.Channel)
		if err != nil {
			return 0, err
		}
		v.looking = ch
	}
	ch := v.looking
	return within(ctx, c, func() (int, error) {
		q, err := ch.QueueDeclarePassive(schedulerQueue, false, false, false, false, nil)
		return q.Consumers, err
	})
}

// open begins to listen and to publish, if the schedulers' exchange exists.
func (v *serving) open(ctx context.Context) {
	there, err := v.link.listening.hasExchange(ctx, fanoutExchange, amqp.ExchangeFanout)
	switch {
	case err != nil:
		v.fail(ctx, "look for the exchange "+fanoutExchange, err)
		return
	case !there:
		v.session.quietUntil = time.Now().Add(v.session.pause)
		v.state, v.detail = NoExchange, nil
		return
	}
	if v.publishing == nil && v.link.publishing != nil {
		if v.publishing, err = newPublishing(ctx, v.link.publishing, v.session.opt); err != nil {
			v.publishing = nil
			v.fail(ctx, "open the publishing channel", err)
			return
		}
	}
	v.listen(ctx, !v.notStream)
}

// listen opens the listener, and with it the session is ready.
func (v *serving) listen(ctx context.Context, stream bool) {
	l, err := v.session.listen(ctx, v.link.listening, stream)
	if err != nil {
		v.fail(ctx, "open the listening queue", err)
		return
	}
	v.listener, v.openedAt, v.failures = l, time.Now(), 0
	v.session.basesFrom = v.openedAt
	v.session.usePublishing(v.publishing)
	v.state, v.detail = Ready, l.note
}

// receive takes a delivery, or the end of them.
func (v *serving) receive(ctx context.Context, d amqp.Delivery, open bool) {
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

// rebind closes the listener and opens another. A stream from which nothing came
// may have lost its binding to the exchange, so it is not tried again at once.
func (v *serving) rebind(ctx context.Context) {
	if v.listener == nil {
		return // it is about to be opened in any case
	}
	mute := v.listener.mode == ListenStream && v.listener.received == 0
	v.listener.close(ctx)
	v.listener = nil
	v.listen(ctx, !mute && !v.notStream)
}

// leave ends listening, which would keep the schedulers' exchange alive, and
// publishing.
func (v *serving) leave(ctx context.Context) {
	v.session.usePublishing(nil)
	if v.listener != nil {
		v.listener.close(ctx)
		v.listener = nil
	}
}

// fail leaves, and says why unless the whole connection is lost, which says more
// and is seen next. The channels are opened again after a while.
func (v *serving) fail(ctx context.Context, what string, err error) {
	held := time.Duration(0)
	if v.listener != nil {
		held = time.Since(v.openedAt)
	}
	v.leave(ctx)
	if v.publishing != nil && v.publishing.ch.IsClosed() {
		v.publishing = nil
	}
	if v.link.reason() != nil {
		return
	}
	v.failures++
	v.retryAt = time.Now().Add(v.session.opt.reconnectAfter(held, v.failures))
	v.state, v.detail = Connecting, fmt.Errorf("%s: %w", what, explain(err))
}

func (v *serving) deliveries() <-chan amqp.Delivery {
	if v.listener == nil {
		return nil
	}
	return v.listener.deliveries
}

func (v *serving) publishingClosed() <-chan *amqp.Error {
	if v.publishing == nil {
		return nil
	}
	return v.publishing.closed
}

// orClosed makes an error of a notification, which is nil for a clean close.
func orClosed(e *amqp.Error) error {
	if e == nil {
		return amqp.ErrClosed
	}
	return e
}
