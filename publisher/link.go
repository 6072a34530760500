package publisher

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	// queueLength bounds the listening queue: the reports of a large cloud in
	// one burst. What does not fit is dropped, oldest first.
	queueLength = 1000
	// prefetch bounds what waits on our side of the socket.
	prefetch = 64
	// closeTimeout bounds the farewell.
	closeTimeout = 5 * time.Second
)

var (
	errNoQueue     = errors.New("no such queue")
	errNoExchange  = errors.New("the exchange " + fanoutExchange + " does not exist")
	errNoScheduler = errors.New("the queue " + schedulerQueue + " has no consumer")
)

// link is one connection and the channels on it. A channel that has seen an
// error is of no use any more, so whatever may fail by design, such as to look
// for a queue, has a short-lived channel to itself.
type link struct {
	conn   *amqp.Connection
	broker Broker
	opt    Options
	lost   chan *amqp.Error
	// blocked is set while the broker protects itself. It does not read from
	// the connection then, so every question would wait.
	blocked atomic.Pointer[string] // the broker's reason
	toggled chan struct{}

	// Of one round of open, used by the session's goroutine alone.
	listening  *amqp.Channel
	deliveries <-chan amqp.Delivery
	closed     chan *amqp.Error
	schedulers *int

	mu         sync.Mutex
	publishing *amqp.Channel
	returns    chan amqp.Return
	notifies   bool  // whether there is a control exchange to notify on
	fault      error // why the connection was given up
}

func newLink(conn *amqp.Connection, broker Broker, o Options) *link {
	return &link{
		conn: conn, broker: broker, opt: o, toggled: make(chan struct{}, 1),
		lost: conn.NotifyClose(make(chan *amqp.Error, 1)),
	}
}

// open makes both channels, once there is an exchange and a scheduler.
func (l *link) open(ctx context.Context) error {
	if err := l.within(ctx, l.findExchange); err != nil {
		return err
	}
	if err := l.count(ctx); err != nil {
		return err
	}
	if l.opt.Notify {
		if err := l.within(ctx, l.findControlExchange); err != nil {
			return err
		}
	}
	return l.within(ctx, func() error {
		l.closed = make(chan *amqp.Error, 1)
		if err := l.openPublishing(); err != nil {
			return fmt.Errorf("open the publishing channel: %w", err)
		}
		if l.opt.Standalone {
			return nil
		}
		if err := l.openListening(); err != nil {
			return fmt.Errorf("open the listening queue: %w", err)
		}
		return nil
	})
}

// findExchange looks for the schedulers' exchange without making one.
func (l *link) findExchange() error {
	err := l.glance(func(ch *amqp.Channel) error {
		return ch.ExchangeDeclarePassive(fanoutExchange, amqp.ExchangeFanout, false, true, false, false, nil)
	})
	if notFound(err) {
		return errNoExchange
	}
	return err
}

// findControlExchange looks for the exchange of notifications. To publish to
// one that does not exist would cost the channel.
func (l *link) findControlExchange() error {
	err := l.glance(func(ch *amqp.Channel) error {
		return ch.ExchangeDeclarePassive(l.opt.ControlExchange, amqp.ExchangeTopic, false, false, false, false, nil)
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.notifies = err == nil; notFound(err) {
		return nil
	}
	return err
}

func (l *link) openPublishing() error {
	ch, err := l.conn.Channel()
	if err != nil {
		return err
	}
	if err := ch.Confirm(false); err != nil {
		return err
	}
	ch.NotifyClose(l.closed)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.publishing = ch
	l.returns = ch.NotifyReturn(make(chan amqp.Return, 4))
	return nil
}

// openListening binds a queue that leaves no trace to the exchange.
func (l *link) openListening() error {
	ch, err := l.conn.Channel()
	if err != nil {
		return err
	}
	l.listening = ch
	if err := ch.Qos(prefetch, 0, false); err != nil {
		return err
	}
	queue, err := ch.QueueDeclare("", false, true, true, false, amqp.Table{"x-max-length": int64(queueLength)})
	if err != nil {
		return err
	}
	if err := ch.QueueBind(queue.Name, "", fanoutExchange, false, nil); err != nil {
		return err
	}
	l.deliveries, err = ch.Consume(queue.Name, "", false, true, false, false, nil)
	return err
}

// leave gives up both channels, and with them the listening queue.
func (l *link) leave(ctx context.Context) {
	l.mu.Lock()
	publishing := l.publishing
	l.publishing = nil
	l.mu.Unlock()
	_ = l.within(ctx, func() error {
		for _, ch := range []*amqp.Channel{l.listening, publishing} {
			if ch != nil {
				_ = ch.Close()
			}
		}
		return nil
	})
	l.listening, l.deliveries = nil, nil
}

// count learns how many schedulers there are. That the queue does not exist
// proves nothing; that it has no consumer does.
func (l *link) count(ctx context.Context) error {
	n, err := l.consumers(ctx, schedulerQueue)
	l.schedulers = nil
	switch {
	case errors.Is(err, errNoQueue):
		return nil
	case err != nil:
		return err
	case n == 0:
		l.schedulers = &n
		return errNoScheduler
	}
	l.schedulers = &n
	return nil
}

// consumers counts a queue's consumers.
func (l *link) consumers(ctx context.Context, queue string) (int, error) {
	var n int
	err := l.within(ctx, func() error {
		return l.glance(func(ch *amqp.Channel) error {
			q, err := ch.QueueDeclarePassive(queue, false, false, false, false, nil)
			n = q.Consumers
			return err
		})
	})
	if notFound(err) {
		return 0, errNoQueue
	}
	if err != nil {
		return 0, fmt.Errorf("look at the queue %s: %w", queue, err)
	}
	return n, nil
}

// glance looks at something on a channel of its own.
func (l *link) glance(look func(*amqp.Channel) error) error {
	ch, err := l.conn.Channel()
	if err != nil {
		return err
	}
	if err := look(ch); err != nil {
		return err
	}
	return ch.Close()
}

// publish sends one message and waits for the broker's confirmation.
func (l *link) publish(ctx context.Context, m Method, body []byte) error {
	l.mu.Lock()
	ch, returns, notifies := l.publishing, l.returns, l.notifies
	l.mu.Unlock()
	if ch == nil {
		return errNotConnected
	}
	exchange, key := fanoutExchange, ""
	if m == NotifyCapabilities {
		exchange, key = l.opt.ControlExchange, schedulerQueue
		if !notifies {
			return fmt.Errorf("notify: the exchange %s does not exist; is control_exchange right?", exchange)
		}
	}
	return l.within(ctx, func() error {
		confirm, err := ch.PublishWithDeferredConfirm(exchange, key, true, false, amqp.Publishing{
			ContentType: "application/json", ContentEncoding: "utf-8", DeliveryMode: amqp.Persistent, Body: body,
		})
		if err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		taken := confirm.Wait()
		select {
		case <-returns: // it comes before the confirmation
			return errReturned
		default:
		}
		switch {
		case !taken && ch.IsClosed():
			return errNotConnected
		case !taken:
			return errNack
		}
		return nil
	})
}

// within bounds a conversation with the broker. A write that the broker does
// not read cannot be interrupted, only cut off: when the time is up, the
// connection is given up, and with it ends the goroutine.
func (l *link) within(ctx context.Context, talk func() error) error {
	if l.blocked.Load() != nil {
		return errBlocked
	}
	done := make(chan error, 1)
	go func() { done <- talk() }()
	timer := time.NewTimer(l.opt.ConfirmTimeout)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		if l.blocked.Load() != nil {
			return errBlocked // talk ends when the broker reads again
		}
		err := fmt.Errorf("no answer within %s", l.opt.ConfirmTimeout)
		l.giveUp(err)
		return err
	}
}

// giveUp cuts the connection off.
func (l *link) giveUp(err error) {
	l.mu.Lock()
	if l.fault == nil {
		l.fault = err
	}
	l.mu.Unlock()
	_ = l.conn.CloseDeadline(time.Now())
}

// watchBlocking keeps blocked true to what the broker says, until the
// connection is closed.
func (l *link) watchBlocking() {
	for b := range l.conn.NotifyBlocked(make(chan amqp.Blocking, 1)) {
		if b.Active {
			l.blocked.Store(&b.Reason)
		} else {
			l.blocked.Store(nil)
		}
		select {
		case l.toggled <- struct{}{}:
		default:
		}
	}
}

// untilLost returns when the connection is gone or the context has ended.
func (l *link) untilLost(ctx context.Context) {
	select {
	case <-ctx.Done():
	case err := <-l.lost:
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.fault == nil && err != nil {
			l.fault = err
		}
	}
}

func (l *link) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault == nil {
		return errors.New("the broker closed it")
	}
	return l.fault
}

// close says goodbye within a bound. The listening queue goes with its channel,
// or with the connection if the broker does not listen.
func (l *link) close(ctx context.Context) {
	if l.blocked.Load() != nil {
		_ = l.conn.CloseDeadline(time.Now())
		return
	}
	l.leave(ctx)
	_ = l.conn.CloseDeadline(time.Now().Add(closeTimeout))
}

// ready describes the session while the channels are open.
func (l *link) ready() Session {
	s := Session{State: Ready, Broker: l.broker.address(), Schedulers: l.schedulers}
	if reason := l.blocked.Load(); reason != nil {
		s.State, s.Detail = Blocked, *reason
	}
	return s
}

// describe explains why the channels are not open.
func (l *link) describe(err error) Session {
	s := Session{State: Connecting, Broker: l.broker.address(), Schedulers: l.schedulers}
	switch {
	case errors.Is(err, errNoExchange):
		s.State = NoExchange
	case errors.Is(err, errNoScheduler):
		s.State = NoScheduler
	default:
		s.Detail = plain(err).Error()
	}
	return s
}

func notFound(err error) bool {
	var e *amqp.Error
	return errors.As(err, &e) && e.Code == amqp.NotFound
}

// whole makes an error of a notification, which is nil for a clean close.
func whole(e *amqp.Error) error {
	if e == nil {
		return amqp.ErrClosed
	}
	return e
}
