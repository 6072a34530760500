package cindertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// The names that Cinder's schedulers give to what they declare.
const (
	ControlExchange = "openstack"
	TopicQueue      = "cinder-scheduler"
	FanoutExchange  = "cinder-scheduler_fanout"
)

// timeFormat is how Cinder writes a time: UTC, without a zone.
const timeFormat = "2006-01-02T15:04:05.000000"

// Layout is how oslo.messaging declares the queues of a scheduler, which depends
// on its release and on cinder.conf.
type Layout struct {
	Durable    bool // amqp_durable_queues
	AutoDelete bool // amqp_auto_delete
	Quorum     bool // rabbit_quorum_queue and rabbit_transient_quorum_queue; set Durable too
	Stream     bool // rabbit_stream_fanout

	// Exclusive deletes the fanout queue with its connection. oslo.messaging leaves
	// it behind for half an hour.
	Exclusive bool
}

// arguments are those of a queue.
func (l Layout) arguments() amqp.Table {
	if l.Quorum {
		return amqp.Table{"x-queue-type": "quorum"}
	}
	return amqp.Table{}
}

// fanout returns name and arguments of the queue for what is sent to all
// schedulers. Schedulers share a stream.
func (l Layout) fanout() (name string, arguments amqp.Table) {
	switch {
	case l.Stream:
		return FanoutExchange, amqp.Table{"x-queue-type": "stream", "x-max-age": "1800s"}
	case l.Exclusive:
		return "", nil
	}
	arguments = l.arguments()
	arguments["x-expires"] = int64(1800000)
	return FanoutExchange + "_" + strconv.FormatInt(time.Now().UnixNano(), 16), arguments
}

// Report is a report as it was on the bus.
type Report struct {
	ID           string // of the message
	Host         string
	Capabilities capability.Set
	Timestamp    time.Time
	Received     time.Time
	Delivery     amqp.Delivery

	values map[string]json.RawMessage
}

// Value is a capability as JSON text, "" if it is absent.
func (r Report) Value(key string) string { return string(r.values[key]) }

// FromAgent says whether an agent has sent the report, not cinder-volume.
func (r Report) FromAgent() bool { return r.Value(capability.KeyMetricsAgent) != "" }

// Scheduler declares on a broker what a cinder-scheduler declares at its start,
// and keeps every report that it receives. Its channel is open for further
// commands.
type Scheduler struct {
	*amqp.Channel
	Queue string // its fanout queue

	t      testing.TB
	conn   *amqp.Connection
	layout Layout

	mu         sync.Mutex
	reports    []Report
	unreadable []error
}

// StartScheduler connects to a broker, declares a scheduler's queues and consumes
// them until the test ends.
func StartScheduler(t testing.TB, url string, l Layout) *Scheduler {
	t.Helper()
	s := ConnectScheduler(t, url)
	s.layout = l
	s.consume()
	return s
}

// ConnectScheduler only connects, for tests of what happens while a scheduler
// starts.
func ConnectScheduler(t testing.TB, url string) *Scheduler {
	t.Helper()
	s := &Scheduler{t: t}
	s.connect(url)
	return s
}

// Reconnect connects again after the broker was stopped, and declares everything
// again. The reports so far are kept.
func (s *Scheduler) Reconnect(url string) {
	s.t.Helper()
	s.connect(url)
	s.consume()
}

func (s *Scheduler) connect(url string) {
	s.t.Helper()
	s.conn = rabbitmq.Dial(s.t, url)
	s.Channel = rabbitmq.Channel(s.t, s.conn)
	if err := s.Qos(50, 0, false); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Scheduler) consume() {
	s.t.Helper()
	if err := errors.Join(s.ConsumeTopic(s.layout), s.ConsumeFanout(s.layout)); err != nil {
		s.t.Fatal(err)
	}
}

// ConsumeTopic declares and consumes the queue cinder-scheduler.
func (s *Scheduler) ConsumeTopic(l Layout) error {
	if err := s.ExchangeDeclare(ControlExchange, "topic", l.Durable, l.AutoDelete, false, false, nil); err != nil {
		return err
	}
	if _, err := s.QueueDeclare(TopicQueue, l.Durable, l.AutoDelete, false, false, l.arguments()); err != nil {
		return err
	}
	if err := s.QueueBind(TopicQueue, TopicQueue, ControlExchange, false, nil); err != nil {
		return err
	}
	return s.receive(TopicQueue, nil)
}

// ConsumeFanout declares the exchange for all schedulers, and declares and
// consumes the queue at it.
func (s *Scheduler) ConsumeFanout(l Layout) error {
	durable := l.Durable || l.Stream
	if err := s.ExchangeDeclare(FanoutExchange, "fanout", durable, true, false, false, nil); err != nil {
		return err
	}
	name, arguments := l.fanout()
	q, err := s.QueueDeclare(name, durable, false, l.Exclusive && !l.Stream, false, arguments)
	if err != nil {
		return err
	}
	s.Queue = q.Name
	if err := s.QueueBind(q.Name, TopicQueue, FanoutExchange, false, nil); err != nil {
		return err
	}
	if l.Stream {
		return s.receive(q.Name, amqp.Table{"x-stream-offset": "next"})
	}
	return s.receive(q.Name, nil)
}

// receive consumes a queue until its connection ends.
func (s *Scheduler) receive(queue string, arguments amqp.Table) error {
	deliveries, err := s.Consume(queue, "", false, false, false, false, arguments)
	if err != nil {
		return err
	}
	go func() {
		for d := range deliveries {
			if queue, id, ok := poolsCall(d); ok {
				if err := s.sendPools(queue, id); err != nil {
					s.mu.Lock()
					s.unreadable = append(s.unreadable, err)
					s.mu.Unlock()
				}
				_ = d.Ack(false)
				continue
			}
			r, err := decode(d)
			s.mu.Lock()
			if err == nil {
				s.reports = append(s.reports, r)
			} else {
				s.unreadable = append(s.unreadable, fmt.Errorf("%w\n%s", err, d.Body))
			}
			s.mu.Unlock()
			_ = d.Ack(false)
		}
	}()
	return nil
}

// decode reads a message of oslo.messaging.
func decode(d amqp.Delivery) (Report, error) {
	r := Report{Delivery: d, Received: time.Now()}
	var envelope struct {
		Message string `json:"oslo.message"`
	}
	if err := json.Unmarshal(d.Body, &envelope); err != nil {
		return r, fmt.Errorf("decode the envelope: %w", err)
	}
	var message struct {
		ID     string `json:"_unique_id"`
		Method string `json:"method"`
		Args   struct {
			Host         string          `json:"host"`
			Capabilities json.RawMessage `json:"capabilities"`
			Timestamp    string          `json:"timestamp"`
		} `json:"args"`
	}
	if err := json.Unmarshal([]byte(envelope.Message), &message); err != nil {
		return r, fmt.Errorf("decode the message: %w", err)
	}
	want := "update_service_capabilities"
	if d.Exchange == ControlExchange {
		want = "notify_service_capabilities"
	}
	if message.Method != want {
		return r, fmt.Errorf("decode the message: the method is %q, want %q", message.Method, want)
	}
	r.ID, r.Host = message.ID, message.Args.Host
	var err error
	if r.Timestamp, err = time.Parse(timeFormat, message.Args.Timestamp); err != nil {
		return r, fmt.Errorf("decode the timestamp: %w", err)
	}
	return r, errors.Join(
		json.Unmarshal(message.Args.Capabilities, &r.values),
		json.Unmarshal(message.Args.Capabilities, &r.Capabilities))
}

// Reports returns all reports so far. The test fails where a message was none.
func (s *Scheduler) Reports() []Report {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, err := range s.unreadable {
		s.t.Errorf("receive a report: %v", err)
	}
	s.unreadable = nil
	return slices.Clone(s.reports)
}

// ReportsOf returns all reports of a backend so far.
func (s *Scheduler) ReportsOf(host string) []Report {
	s.t.Helper()
	return slices.DeleteFunc(s.Reports(), func(r Report) bool { return r.Host != host })
}

// AwaitLast waits until the last report has these values, as JSON texts, and
// returns it; "" is an absent key.
func (s *Scheduler) AwaitLast(within time.Duration, what string, values map[string]string) Report {
	s.t.Helper()
	var last Report
	process.Await(s.t, within, what, func() error {
		all := s.Reports()
		if len(all) == 0 {
			return errors.New("no report was received")
		}
		last = all[len(all)-1]
		for key, want := range values {
			if got := last.Value(key); got != want {
				return fmt.Errorf("%s is %s, want %s", key, got, want)
			}
		}
		return nil
	})
	return last
}

// Await waits for a report of a backend that was received after a time and for
// which check returns nil.
func (s *Scheduler) Await(within time.Duration, host string, since time.Time, check func(capability.Set) error) {
	s.t.Helper()
	process.Await(s.t, within, "a report of "+host, func() error {
		err := errors.New("none was received")
		for _, r := range s.ReportsOf(host) {
			if r.Received.Before(since) {
				continue
			}
			if err = check(r.Capabilities); err == nil {
				return nil
			}
		}
		return err
	})
}

// Stop closes the connection. The fanout queue stays, unless it is exclusive.
func (s *Scheduler) Stop() { _ = s.conn.Close() }
