//go:build integration

package publisher

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/integration/process"
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
func (r *running) awaits(within time.Duration, what string, good func(Session) bool) Session {
	r.t.Helper()
	var s Session
	process.Await(r.t, within, what, func() error {
		if s = r.last(); !good(s) {
			return fmt.Errorf("the session is %+v, %d schedulers", s, s.schedulers())
		}
		return nil
	})
	return s
}

// reopens waits until the session is ready anew.
func (r *running) reopens(within time.Duration, since Session) Session {
	r.t.Helper()
	return r.awaits(within, "another opening", func(s Session) bool {
		return s.State == Ready && s.basesFrom.After(since.basesFrom)
	})
}

func (r *running) awaitsState(within time.Duration, state SessionState) Session {
	r.t.Helper()
	return r.awaits(within, "the state "+string(state), func(s Session) bool { return s.State == state })
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

// cinderScheduler does to the broker what a cinder-scheduler does at its start.
// Its fanout queue ends with it, as it would after half an hour.
type cinderScheduler struct {
	conn *amqp.Connection
	*amqp.Channel
}

func startScheduler(t testing.TB, uri string, l layout) *cinderScheduler {
	t.Helper()
	s := &cinderScheduler{conn: connect(t, uri)}
	s.Channel = channelOn(t, s.conn)
	must(t, s.consumeTopic(l))
	must(t, s.consumeFanout(l))
	return s
}

// consumeTopic declares and consumes the queue cinder-scheduler.
func (s *cinderScheduler) consumeTopic(l layout) error {
	if err := s.ExchangeDeclare("openstack", "topic", l.durable, l.autoDelete, false, false, nil); err != nil {
		return err
	}
	if _, err := s.QueueDeclare(schedulerQueue, l.durable, l.autoDelete, false, false, nil); err != nil {
		return err
	}
	if err := s.QueueBind(schedulerQueue, schedulerQueue, "openstack", false, nil); err != nil {
		return err
	}
	topic, err := s.Consume(schedulerQueue, "", true, false, false, false, nil)
	go drain(topic)
	return err
}

// consumeFanout declares and consumes its queue on the fanout exchange.
func (s *cinderScheduler) consumeFanout(l layout) error {
	durable := l.durable || l.stream
	if err := s.ExchangeDeclare(fanoutExchange, "fanout", durable, true, false, false, nil); err != nil {
		return err
	}
	name, args, consume := "", amqp.Table(nil), amqp.Table(nil)
	if l.stream {
		name, args = schedulerStream, amqp.Table{"x-queue-type": "stream", "x-max-age": "1800s"}
		consume = amqp.Table{"x-stream-offset": "next"}
	}
	if err := s.Qos(10, 0, false); err != nil {
		return err
	}
	q, err := s.QueueDeclare(name, durable, false, !l.stream, false, args)
	if err != nil {
		return err
	}
	if err := s.QueueBind(q.Name, schedulerQueue, fanoutExchange, false, nil); err != nil {
		return err
	}
	fanout, err := s.Consume(q.Name, "", false, false, false, false, consume)
	go func() {
		for d := range fanout {
			_ = d.Ack(false)
		}
	}()
	return err
}

func drain(deliveries <-chan amqp.Delivery) {
	for range deliveries {
	}
}

func (s *cinderScheduler) stop() { _ = s.conn.Close() }

func connect(t testing.TB, uri string) *amqp.Connection {
	t.Helper()
	var c *amqp.Connection
	process.Await(t, bound, "a connection", func() (err error) {
		c, err = amqp.DialConfig(uri, amqp.Config{Dial: amqp.DefaultDial(5 * time.Second)})
		return err
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func channelOn(t testing.TB, c *amqp.Connection) *amqp.Channel {
	t.Helper()
	ch, err := c.Channel()
	must(t, err)
	return ch
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

// delayed reaches an address through a connection on which everything arrives
// later, in both directions.
func delayed(t testing.TB, addr string, delay time.Duration) net.Addr {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", addr)
			if err != nil {
				_ = from.Close()
				return
			}
			go forward(to, from, delay)
			go forward(from, to, delay)
		}
	}()
	return l.Addr()
}

func forward(to, from net.Conn, delay time.Duration) {
	type chunk struct {
		data []byte
		due  time.Time
	}
	chunks := make(chan chunk, 1<<16)
	go func() {
		defer close(chunks)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if n > 0 {
				chunks <- chunk{data[:n], time.Now().Add(delay)}
			}
			if err != nil {
				return
			}
		}
	}()
	for c := range chunks {
		<-time.After(time.Until(c.due))
		if _, err := to.Write(c.data); err != nil {
			break
		}
	}
	_ = from.Close()
	_ = to.Close()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// cutter reaches an address through connections that can be cut.
type cutter struct {
	listener net.Listener
	mu       sync.Mutex
	conns    []net.Conn
	down     bool
}

func newCutter(t testing.TB, addr string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	c := &cutter{listener: l}
	t.Cleanup(func() {
		_ = l.Close()
		c.cut()
	})
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			c.accept(from, addr)
		}
	}()
	return c
}

func (c *cutter) accept(from net.Conn, addr string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	to, err := net.Dial("tcp", addr)
	if err != nil || c.down {
		_ = from.Close()
		return
	}
	c.conns = append(c.conns, from, to)
	go forward(to, from, 0)
	go forward(from, to, 0)
}

// cut closes all connections and takes no others.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = true
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

// restore takes connections again.
func (c *cutter) restore() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = false
}

func (c *cutter) host(t testing.TB) (string, int) {
	t.Helper()
	a, ok := c.listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("listening on %v", c.listener.Addr())
	}
	return a.IP.String(), a.Port
}

// schedulers is the number of schedulers, -1 while it is not known.
func (s Session) schedulers() int {
	if s.Schedulers == nil {
		return -1
	}
	return *s.Schedulers
}
