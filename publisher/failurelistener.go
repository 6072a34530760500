package publisher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	// failureQueueLength and failureQueueBytes bound the queue of notifications.
	failureQueueLength = 1_000
	failureQueueBytes  = 8 << 20
	// seenIDs is how many notifications are recognised when they are sent again.
	seenIDs = 256
	// bindInterval is how often the queue is bound again: an exchange that was deleted
	// and declared again has no bindings, and nothing reports that.
	bindInterval = time.Minute
)

// FailureOptions say where the notifications of the schedulers are. Options need only
// what reaches the broker: Brokers, VirtualHost and the rest up to ControlExchange.
type FailureOptions struct {
	Options
	// Topics are those of [oslo_messaging_notifications]; at least one.
	Topics []string
	// Quorum is rabbit_quorum_queue: receive through a quorum queue.
	Quorum bool
}

// FailureState is whether notifications are received.
type FailureState string

// The states of a [FailureListener].
const (
	FailuresConnecting FailureState = "connecting"  // they are not received; see Detail
	FailuresNoExchange FailureState = "no_exchange" // control_exchange does not exist
	FailuresListening  FailureState = "listening"
)

// FailureStatus is a snapshot of a [FailureListener].
type FailureStatus struct {
	State     FailureState
	Broker    string     // host:port, "" while there is none
	Listening ListenMode // "" while nothing is received
	Detail    string     // why nothing is received
}

// FailureListener receives the error notifications of the schedulers through a queue
// of its own on a connection of its own, so that it never disturbs publishing. The
// exchange is looked up, never declared. Its methods may be called from any goroutine;
// [FailureListener.Run] is called once.
type FailureListener struct {
	opt       FailureOptions
	dialer    *dialer
	queue     string        // the name of a quorum queue
	pause     time.Duration // lookupInterval, or less in tests
	bind      time.Duration // bindInterval, or less in tests
	onFailure func(Failure)

	seen       []string // ids of the last notifications
	unreadable bool     // one was logged
	declared   bool     // the quorum queue may be on the broker
	tries      int      // failed attempts in a row

	mu     sync.Mutex
	status FailureStatus
	logged map[FailureStatus]bool // since it was last listening
}

// NewFailureListener checks the options. It does not connect. Run calls onFailure from
// its goroutine.
func NewFailureListener(o FailureOptions, onFailure func(Failure)) (*FailureListener, error) {
	o.Options = o.withDefaults()
	o.ListenOnly, o.Standalone = true, false
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("configure explain_failures: %w", err)
	}
	if len(o.Topics) == 0 {
		return nil, errors.New("configure explain_failures: topics in [oslo_messaging_notifications] is empty, so the schedulers send no notification")
	}
	return &FailureListener{
		opt: o, dialer: newDialer(o.Options), onFailure: onFailure, pause: lookupInterval, bind: bindInterval,
		queue:  "poolcast.notifications." + newInstance().name,
		status: FailureStatus{State: FailuresConnecting}, logged: map[FailureStatus]bool{},
	}, nil
}

// Status returns a snapshot.
func (l *FailureListener) Status() FailureStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// Run receives notifications until the context ends, and reconnects as often as
// necessary. At the end it deletes its queue.
func (l *FailureListener) Run(ctx context.Context) {
	for ctx.Err() == nil {
		pair, err := l.dialer.open(ctx)
		if err != nil {
			l.tries++
			l.retryAfter(ctx, FailureStatus{State: FailuresConnecting, Detail: err.Error()}, l.opt.retryAfter(l.tries))
			continue
		}
		opened, broker := time.Now(), pair.broker.address()
		err = l.serve(ctx, pair)
		pair.close()
		if ctx.Err() == nil {
			l.retryAfter(ctx, FailureStatus{State: FailuresConnecting, Detail: fmt.Sprintf("%s: the connection was lost: %v", broker, err)},
				l.opt.reconnectAfter(time.Since(opened), 1))
		}
	}
}

// serve listens on one connection until it is lost, and returns why. If the context
// has ended, nothing is left on the broker.
func (l *FailureListener) serve(ctx context.Context, pair *connectionPair) error {
	defer func() { l.deleteQueue(ctx, pair) }()
	for {
		status, wait := l.listen(ctx, pair)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if pair.isLost() {
			return pair.err()
		}
		l.setStatus(status)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-pair.lost:
			return pair.err()
		case <-time.After(wait):
		}
	}
}

// listen opens the queue and receives until that ends. It returns why, and when to
// try again.
func (l *FailureListener) listen(ctx context.Context, pair *connectionPair) (FailureStatus, time.Duration) {
	broker, exchange := pair.broker.address(), l.opt.ControlExchange
	failed := func(what string, err error, open time.Duration) (FailureStatus, time.Duration) {
		l.tries++
		return FailureStatus{State: FailuresConnecting, Broker: broker, Detail: fmt.Sprintf("%s: %v", what, explainRight(err))},
			l.opt.reconnectAfter(open, l.tries)
	}
	exists, err := pair.listening.hasExchange(ctx, exchange, amqp.ExchangeTopic)
	if err != nil {
		return failed("look for the exchange "+exchange, withRight(err, "to read the exchange "+exchange), 0)
	}
	if !exists {
		return FailureStatus{State: FailuresNoExchange, Broker: broker, Detail: "the exchange " + exchange + " does not exist"}, l.pause
	}
	own, err := withTimeout(ctx, pair.listening, func() (*listener, error) {
		return newListener(pair.listening, l.queueOptions(), l.open)
	})
	if err != nil {
		return failed("open a queue for notifications", err, 0)
	}
	defer func() { l.stopListening(ctx, pair, own) }()
	l.tries, l.declared = 0, own.queue != ""
	opened := time.Now()
	l.setStatus(FailureStatus{State: FailuresListening, Broker: broker, Listening: own.mode})
	return failed("listening was interrupted", l.receive(ctx, pair, own), time.Since(opened))
}

func (l *FailureListener) queueOptions() queueOptions {
	o := queueOptions{length: failureQueueLength, bytes: failureQueueBytes, keep: true}
	for _, topic := range l.opt.Topics {
		o.bindings = append(o.bindings, binding{l.opt.ControlExchange, topic + ".error"})
	}
	return o
}

func (l *FailureListener) open(own *listener) error {
	if l.opt.Quorum {
		return quorumQueue(own, l.queue)
	}
	return exclusiveQueue(own)
}

// stopListening ends receiving. A quorum queue is kept for the notifications that are
// sent until it is used again: it has an expiry.
func (l *FailureListener) stopListening(ctx context.Context, pair *connectionPair, own *listener) {
	if !pair.isLost() {
		own.stop(ctx)
	}
}

// deleteQueue deletes a quorum queue at a clean stop.
func (l *FailureListener) deleteQueue(ctx context.Context, pair *connectionPair) {
	if !l.declared || ctx.Err() == nil || pair.isLost() {
		return
	}
	l.declared = false
	_ = pair.listening.deleteQueue(ctx, l.queue) // it expires by itself
}

// receive takes notifications until they end, and returns why.
func (l *FailureListener) receive(ctx context.Context, pair *connectionPair, own *listener) error {
	bind := time.NewTicker(l.bind)
	defer bind.Stop()
	for {
		select {
		case <-bind.C:
			if err := own.bindAgain(ctx); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-pair.lost:
			return pair.err()
		case d, open := <-own.deliveries:
			if !open {
				return own.err()
			}
			own.take(d)
			l.onMessage(d.Body)
		}
	}
}

// onMessage passes a failure on, unless it was passed on before.
func (l *FailureListener) onMessage(body []byte) {
	f, err := decodeFailure(body)
	switch {
	case errors.Is(err, errOtherNotification):
	case err != nil:
		if !l.unreadable {
			l.unreadable = true
			l.opt.Logger.Warn().Err(err).Msg("skipped an error notification that cannot be read; further ones are skipped without a line")
		}
	case f.id != "" && slices.Contains(l.seen, f.id):
	default:
		l.seen = append(l.seen, f.id)
		l.seen = l.seen[max(0, len(l.seen)-seenIDs):]
		l.onFailure(f)
	}
}

// retryAfter sets a status, and waits unless the context ends.
func (l *FailureListener) retryAfter(ctx context.Context, s FailureStatus, wait time.Duration) {
	if ctx.Err() == nil {
		l.setStatus(s)
		sleep(ctx, wait)
	}
}

// setStatus sets the status and logs it, if the state or its reason is new.
func (l *FailureListener) setStatus(s FailureStatus) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = s
	if s.State == FailuresListening {
		if !l.logged[s] {
			clear(l.logged)
			l.log(s, "receiving error notifications of cinder-scheduler")
		}
		return
	}
	if l.logged[s] || len(l.logged) > maxReasons {
		return
	}
	for logged := range l.logged {
		if logged.State == FailuresListening {
			delete(l.logged, logged)
		}
	}
	l.log(s, "not receiving error notifications, failed creates are not explained")
}

func (l *FailureListener) log(s FailureStatus, text string) {
	l.logged[s] = true
	e := l.opt.Logger.Info()
	if s.State == FailuresConnecting {
		e = l.opt.Logger.Warn()
	}
	e = optional(optional(e, "broker", s.Broker), "listening", string(s.Listening))
	if s.State == FailuresListening {
		e = e.Str("exchange", l.opt.ControlExchange).Str("topics", strings.Join(l.opt.Topics, ","))
	}
	optional(e, "reason", s.Detail).Msg(text)
}
