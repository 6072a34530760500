//go:build integration

package publisher

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

const (
	// bound is how long anything may take on a busy machine.
	bound = 30 * time.Second
	// pause is what these tests have in place of lookupInterval.
	pause = 4 * time.Second
)

// recorder keeps what a session reports.
type recorder struct {
	mu       sync.Mutex
	sessions []Session
	bodies   []string
}

func (r *recorder) onMessage(body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies = append(r.bodies, string(body))
}

func (r *recorder) onSession(s Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions = append(r.sessions, s)
}

func (r *recorder) last() Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.sessions) == 0 {
		return Session{}
	}
	return r.sessions[len(r.sessions)-1]
}

func (r *recorder) all() []Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.sessions)
}

func (r *recorder) received() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.bodies)
}

// running is a session at work.
type running struct {
	*session
	recorder
	t    testing.TB
	stop func()
}

func startSession(t testing.TB, o Options) *running {
	t.Helper()
	r := &running{session: newSession(o.withDefaults()), t: t}
	if r.pause != lookupInterval || lookupInterval < 30*time.Second {
		t.Errorf("what does not exist is looked for every %s", r.pause)
	}
	r.pause = pause
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx, &r.recorder)
	}()
	r.stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(func() {
		r.stop()
		if t.Failed() {
			for _, s := range r.all() {
				t.Logf("session: %+v, %d schedulers", s, s.schedulers())
			}
		}
	})
	return r
}

// awaits waits until the session last reported is as expected.
func (r *running) awaits(what string, good func(Session) bool) Session {
	r.t.Helper()
	var s Session
	process.Await(r.t, bound, what, func() error {
		if s = r.last(); !good(s) {
			return fmt.Errorf("the session is %+v, %d schedulers", s, s.schedulers())
		}
		return nil
	})
	return s
}

// reopens waits until the session is ready anew.
func (r *running) reopens(since Session) Session {
	r.t.Helper()
	return r.awaits("another opening", func(s Session) bool {
		return s.State == Ready && s.basesFrom.After(since.basesFrom)
	})
}

func (r *running) awaitsState(state SessionState) Session {
	r.t.Helper()
	return r.awaits("the state "+string(state), func(s Session) bool { return s.State == state })
}

// publish publishes reports and returns what became of each.
func (r *running) publish(bodies ...string) []error {
	r.t.Helper()
	var messages []outgoing
	for _, b := range bodies {
		messages = append(messages, outgoing{updateCapabilities, []byte(b)})
	}
	results := r.Publish(context.Background(), messages)
	if len(results) != len(messages) {
		r.t.Fatalf("%d results for %d messages", len(results), len(messages))
	}
	return results
}

// publishes publishes one report, which the broker must confirm.
func (r *running) publishes(body string) {
	r.t.Helper()
	if err := r.publish(body)[0]; err != nil {
		r.t.Fatalf("publish %s: %v", body, err)
	}
}

// receives waits until the session has received a message.
func (r *running) receives(body string) {
	r.t.Helper()
	process.Await(r.t, bound, "the message "+body, func() error {
		if all := r.received(); !slices.Contains(all, body) {
			return fmt.Errorf("received are %q", all)
		}
		return nil
	})
}

// optionsFor are those for one virtual host of a broker.
func optionsFor(t testing.TB, uri string) Options {
	t.Helper()
	u, err := url.Parse(uri)
	must(t, err)
	port, err := strconv.Atoi(u.Port())
	must(t, err)
	password, _ := u.User.Password()
	return Options{
		Brokers:     []Broker{{Host: u.Hostname(), Port: port, User: u.User.Username(), Password: word(password)}},
		VirtualHost: strings.TrimPrefix(u.Path, "/"), ConfirmTimeout: 5 * time.Second,
	}
}

// layout is how a scheduler sets up its queues.
type layout struct {
	durable    bool // amqp_durable_queues
	autoDelete bool // amqp_auto_delete
	stream     bool // rabbit_stream_fanout
}

// full is the layout for the double. Its fanout queue ends with it.
func (l layout) full() cindertest.Layout {
	return cindertest.Layout{Durable: l.durable, AutoDelete: l.autoDelete, Stream: l.stream, Exclusive: true}
}

// cinderScheduler is the double of a cinder-scheduler.
type cinderScheduler struct{ *cindertest.Scheduler }

func startScheduler(t testing.TB, uri string, l layout) *cinderScheduler {
	t.Helper()
	return &cinderScheduler{cindertest.StartScheduler(t, uri, l.full())}
}

func (s *cinderScheduler) consumeTopic(l layout) error { return s.ConsumeTopic(l.full()) }

func (s *cinderScheduler) consumeFanout(l layout) error { return s.ConsumeFanout(l.full()) }

func (s *cinderScheduler) stop() { s.Stop() }

func connect(t testing.TB, uri string) *amqp.Connection {
	t.Helper()
	return rabbitmq.Dial(t, uri)
}

func channelOn(t testing.TB, c *amqp.Connection) *amqp.Channel {
	t.Helper()
	return rabbitmq.Channel(t, c)
}

// exchangeExists asks the broker for the schedulers' exchange.
func exchangeExists(t testing.TB, c *amqp.Connection) bool {
	t.Helper()
	ch := channelOn(t, c)
	err := ch.ExchangeDeclarePassive(fanoutExchange, "fanout", false, true, false, false, nil)
	if err == nil {
		_ = ch.Close()
	} else if !notFound(err) {
		t.Fatal(err)
	}
	return err == nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// schedulers is the number of schedulers, -1 while it is not known.
func (s Session) schedulers() int {
	if s.Schedulers == nil {
		return -1
	}
	return *s.Schedulers
}
