//go:build integration

package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/publisher"
)

const (
	busBackend  = "ctl1@fa1"
	busExchange = "cinder-scheduler_fanout"
	busBound    = 20 * time.Second
	// busSecondLook is how long it takes at most until something is found that
	// was looked for in vain: half a minute, and what a busy machine needs.
	busSecondLook = 30*time.Second + busBound
)

// busLayout is how oslo.messaging sets up the schedulers' queues, which depends
// on its release and on cinder.conf.
type busLayout struct {
	durable bool
	quorum  bool // rabbit_quorum_queue and rabbit_transient_quorum_queue, durable too
	stream  bool // rabbit_stream_fanout, durable too
}

// arguments are those of a queue.
func (l busLayout) arguments() amqp.Table {
	if l.quorum {
		return amqp.Table{"x-queue-type": "quorum"}
	}
	return amqp.Table{}
}

// fanout are name and arguments of the queue that receives what is sent to all
// schedulers. They share a stream.
func (l busLayout) fanout() (name string, arguments amqp.Table) {
	if l.stream {
		return busExchange, amqp.Table{"x-queue-type": "stream", "x-max-age": "1800s"}
	}
	arguments = l.arguments()
	arguments["x-expires"] = int64(1800000)
	return busExchange + "_" + strconv.FormatInt(time.Now().UnixNano(), 16), arguments
}

// busScheduler does to the broker what a starting cinder-scheduler does, and
// keeps what it hears.
type busScheduler struct {
	t     *testing.T
	conn  *amqp.Connection
	queue string // its fanout queue

	mu    sync.Mutex
	inbox []busReport
}

type busReport struct {
	ID   string `json:"_unique_id"`
	Args struct {
		Host         string
		Timestamp    string
		Capabilities map[string]json.RawMessage
	}
	properties amqp.Delivery
}

func (r busReport) value(key string) string { return string(r.Args.Capabilities[key]) }

func (r busReport) fromAgent() bool { return r.value("metrics_agent") != "" }

func startBusScheduler(t *testing.T, uri string, layout busLayout) *busScheduler {
	t.Helper()
	s := &busScheduler{t: t, conn: busDial(t, uri)}
	ch := busChannel(t, s.conn)
	busMust(t, ch.ExchangeDeclare("openstack", "topic", layout.durable, false, false, false, nil))
	busMust(t, ch.Qos(50, 0, false))
	_, err := ch.QueueDeclare("cinder-scheduler", layout.durable, false, false, false, layout.arguments())
	busMust(t, err)
	busMust(t, ch.QueueBind("cinder-scheduler", "cinder-scheduler", "openstack", false, nil))
	topic, err := ch.Consume("cinder-scheduler", "", false, false, false, false, nil)
	busMust(t, err)
	busMust(t, ch.ExchangeDeclare(busExchange, "fanout", layout.durable, true, false, false, nil))
	name, arguments := layout.fanout()
	q, err := ch.QueueDeclare(name, layout.durable, false, false, false, arguments)
	busMust(t, err)
	s.queue = q.Name
	busMust(t, ch.QueueBind(q.Name, "cinder-scheduler", busExchange, false, nil))
	fanout, err := ch.Consume(q.Name, "", false, false, false, false, nil)
	busMust(t, err)
	go s.take(topic)
	go s.take(fanout)
	return s
}

func (s *busScheduler) take(deliveries <-chan amqp.Delivery) {
	for d := range deliveries {
		var envelope map[string]string
		r := busReport{properties: d}
		if json.Unmarshal(d.Body, &envelope) != nil || json.Unmarshal([]byte(envelope["oslo.message"]), &r) != nil {
			s.t.Errorf("the scheduler cannot read %s", d.Body)
		}
		s.mu.Lock()
		s.inbox = append(s.inbox, r)
		s.mu.Unlock()
		_ = d.Ack(false)
	}
}

func (s *busScheduler) reports() []busReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]busReport(nil), s.inbox...)
}

// awaits waits until the last report has the values.
func (s *busScheduler) awaits(t *testing.T, what string, values map[string]string) busReport {
	t.Helper()
	return s.awaitsWithin(t, busBound, what, values)
}

func (s *busScheduler) awaitsWithin(t *testing.T, bound time.Duration, what string, values map[string]string) busReport {
	t.Helper()
	var last busReport
	process.Await(t, bound, what, func() error {
		all := s.reports()
		if len(all) == 0 {
			return fmt.Errorf("no report has come")
		}
		last = all[len(all)-1]
		for key, want := range values {
			if got := last.value(key); got != want {
				return fmt.Errorf("%s is %s, want %s", key, got, want)
			}
		}
		return nil
	})
	return last
}

// stop is a scheduler that ends: its fanout queue stays behind for a while, as
// that of oslo.messaging does.
func (s *busScheduler) stop() {
	s.t.Helper()
	busMust(s.t, s.conn.Close())
}

// busVolume casts reports as cinder-volume does, with keys nobody else knows.
type busVolume struct {
	t  *testing.T
	ch *amqp.Channel
}

func startBusVolume(t *testing.T, uri string) *busVolume {
	t.Helper()
	return &busVolume{t: t, ch: busChannel(t, busDial(t, uri))}
}

const busUnknownKeys = `"allocated_capacity_gb":17,"rack":"\u00e4","limits":{"a":[1e3,null],"z":1.50}`

func (v *busVolume) report(volumes int) {
	v.t.Helper()
	v.say(busBackend, busCapabilities(volumes))
}

// busCapabilities are those of cinder-volume's reports.
func busCapabilities(volumes int) string {
	return fmt.Sprintf(`{"total_capacity_gb":1000.0,"free_capacity_gb":500.0,"total_volumes":%d,%s}`, volumes, busUnknownKeys)
}

// say casts capabilities for any backend.
func (v *busVolume) say(host, capabilities string) {
	v.t.Helper()
	set, err := capability.ParseSet([]byte(capabilities))
	busMust(v.t, err)
	body, err := castBody(host, set)
	busMust(v.t, err)
	busMust(v.t, v.ch.PublishWithContext(v.t.Context(), busExchange, "", false, false, busMessage(body)))
}

// busMessage is a message as oslo.messaging sends it.
func busMessage(body []byte) amqp.Publishing {
	return amqp.Publishing{
		ContentType: "application/json", ContentEncoding: "utf-8", DeliveryMode: amqp.Persistent, Body: body,
	}
}

// busAgent is a publisher at work.
type busAgent struct {
	*publisher.Publisher
	t    *testing.T
	log  *busLog
	stop func()
}

type busLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *busLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *busLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

type busSecret string

func (s busSecret) Reveal() string { return string(s) }

func startBusAgent(t *testing.T, o publisher.Options) *busAgent {
	t.Helper()
	a := &busAgent{t: t, log: &busLog{}}
	o.Logger = zerolog.New(a.log)
	o.Interval = busOr(o.Interval, 4*time.Second)
	o.ConfirmTimeout = busOr(o.ConfirmTimeout, 3*time.Second)
	p, err := publisher.New(o)
	busMust(t, err)
	a.Publisher = p
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	a.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			busMust(t, err)
		case <-time.After(busBound):
			t.Error("the publisher does not stop")
		}
	})
	t.Cleanup(func() {
		a.stop()
		if t.Failed() {
			t.Logf("the agent's log:\n%s", a.log)
		}
	})
	return a
}

func busOr[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

func (a *busAgent) offer(volumes int64) {
	set := capability.Set{
		"total_capacity_gb": capability.OfFloat(1000), "free_capacity_gb": capability.OfFloat(400),
		"total_volumes": capability.OfInt(volumes), "metrics_agent": capability.OfString("poolcast"),
	}
	a.Update(capability.Report{
		Host: busBackend, CollectedAt: time.Now(), Status: capability.OK,
		Capabilities: set, LiveKeys: set.SortedKeys(),
	})
}

func (a *busAgent) awaits(state publisher.SessionState) publisher.Session {
	a.t.Helper()
	var s publisher.Session
	process.Await(a.t, busBound, "the session to be "+string(state), func() error {
		if s = a.Status().Session; s.State != state {
			return fmt.Errorf("it is %+v", s)
		}
		return nil
	})
	return s
}

// busOptions are those for one virtual host of a broker.
func busOptions(t *testing.T, uri string) publisher.Options {
	t.Helper()
	u, err := url.Parse(uri)
	busMust(t, err)
	host, port, err := net.SplitHostPort(u.Host)
	busMust(t, err)
	n, err := strconv.Atoi(port)
	busMust(t, err)
	password, _ := u.User.Password()
	return publisher.Options{
		Brokers:     []publisher.Broker{{Host: host, Port: n, User: u.User.Username(), Password: busSecret(password)}},
		VirtualHost: u.Path[1:],
	}
}

// busAlone are options with which reports are sent although no cinder-volume
// reports.
func busAlone(t *testing.T, uri string) publisher.Options {
	t.Helper()
	o := busOptions(t, uri)
	o.Standalone = true
	return o
}

// busForwarder reaches a broker by an address that its certificate does not
// name.
type busForwarder struct {
	net.Listener

	mu    sync.Mutex
	conns []net.Conn
}

func busForward(t *testing.T, addr string) *busForwarder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.2:0")
	busMust(t, err)
	f := &busForwarder{Listener: l}
	t.Cleanup(f.close)
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go f.forward(from, addr)
		}
	}()
	return f
}

func (f *busForwarder) forward(from net.Conn, addr string) {
	defer func() { _ = from.Close() }()
	to, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	f.mu.Lock()
	f.conns = append(f.conns, from, to)
	f.mu.Unlock()
	go func() {
		defer func() { _ = to.Close() }()
		_, _ = io.Copy(to, from)
	}()
	_, _ = io.Copy(from, to)
}

// close cuts all connections and takes no others.
func (f *busForwarder) close() {
	_ = f.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		_ = c.Close()
	}
}

func busDial(t *testing.T, uri string) *amqp.Connection {
	t.Helper()
	var c *amqp.Connection
	process.Await(t, busBound, "a connection", func() (err error) {
		c, err = amqp.DialConfig(uri, amqp.Config{Dial: amqp.DefaultDial(5 * time.Second)})
		return err
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func busChannel(t *testing.T, c *amqp.Connection) *amqp.Channel {
	t.Helper()
	ch, err := c.Channel()
	busMust(t, err)
	return ch
}

func busMust(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
