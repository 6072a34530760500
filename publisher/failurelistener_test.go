//go:build integration

package publisher

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// runningFailures is a failure listener at work.
type runningFailures struct {
	*FailureListener
	t    testing.TB
	stop func()

	mu       sync.Mutex
	failures []Failure
	log      bytes.Buffer
}

func startFailures(t testing.TB, o FailureOptions) *runningFailures {
	t.Helper()
	r := &runningFailures{t: t}
	o.Topics = []string{"notifications", "audit"}
	o.Logger = zerolog.New(zerolog.SyncWriter(r))
	l, err := NewFailureListener(o, func(f Failure) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.failures = append(r.failures, f)
	})
	must(t, err)
	l.pause, l.bind = time.Second, time.Second
	r.FailureListener = l
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.Run(ctx)
	}()
	r.stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(r.stop)
	return r
}

// Write takes a line of the log.
func (r *runningFailures) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(line)
}

func (r *runningFailures) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

func (r *runningFailures) volumes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for _, f := range r.failures {
		ids = append(ids, f.VolumeID)
	}
	return ids
}

func (r *runningFailures) awaits(state FailureState, detail string) {
	r.t.Helper()
	process.Await(r.t, bound, "the state "+string(state), func() error {
		if s := r.Status(); s.State != state || !strings.Contains(s.Detail, detail) {
			return fmt.Errorf("the status is %+v", s)
		}
		return nil
	})
}

func (r *runningFailures) receives(ids ...string) {
	r.t.Helper()
	process.Await(r.t, bound, "failures", func() error {
		if got := r.volumes(); !slices.Equal(got, ids) {
			return fmt.Errorf("got %q, want %q", got, ids)
		}
		return nil
	})
}

// notifier publishes as oslo.messaging's driver messagingv2 does.
type notifier struct {
	t  testing.TB
	ch *amqp.Channel
}

func newNotifier(t testing.TB, uri string) *notifier {
	t.Helper()
	n := &notifier{t, channelOn(t, connect(t, uri))}
	n.declare()
	return n
}

func (n *notifier) declare() {
	n.t.Helper()
	must(n.t, n.ch.ExchangeDeclare("openstack", "topic", false, false, false, false, nil))
}

func (n *notifier) fails(key, volume string) {
	n.t.Helper()
	inner := fmt.Sprintf(`{"event_type":"scheduler.create_volume","message_id":%q,"payload":{"volume_id":%q,"request_spec":{"volume_properties":{"size":1}}}}`, volume, volume)
	n.send(key, []byte(envelope(inner)))
}

func (n *notifier) send(key string, body []byte) {
	n.t.Helper()
	must(n.t, n.ch.PublishWithContext(n.t.Context(), "openstack", key, false, false, amqp.Publishing{
		ContentType: "application/json", DeliveryMode: amqp.Persistent, Body: body,
	}))
}

// TestFailureListener runs on a real broker.
func TestFailureListener(t *testing.T) {
	t.Parallel()
	broker := rabbitmq.Start(t, rabbitmq.Options{})
	tests := map[string]func(*testing.T, *rabbitmq.Broker){
		"exclusive":         func(t *testing.T, b *rabbitmq.Broker) { testFailures(t, b, ListenExclusive) },
		"quorum":            func(t *testing.T, b *rabbitmq.Broker) { testFailures(t, b, ListenQuorum) },
		"reconnects":        testFailuresReconnect,
		"waits":             testFailuresExchange,
		"keeps its queue":   testFailuresChannel,
		"rights":            testFailureRights,
		"bounded and burst": testFailureBurst,
	}
	var vhosts []string
	for name := range tests {
		vhosts = append(vhosts, name)
	}
	broker.VHosts(t, vhosts...)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, broker.In(t, name)) })
	}
}

// testFailures checks what is received, how the queue is declared, and that nothing is
// left after a clean stop.
func testFailures(t *testing.T, b *rabbitmq.Broker, mode ListenMode) {
	n := newNotifier(t, b.URL())
	before := queues(b)
	r := startFailures(t, FailureOptions{Options: optionsFor(t, b.URL()), Quorum: mode == ListenQuorum})
	r.awaits(FailuresListening, "")
	if s := r.Status(); s.Listening != mode || s.Broker != b.Addr() {
		t.Errorf("the status is %+v", s)
	}
	n.fails("notifications.error", "one")
	n.fails("notifications.info", "info")
	n.send("notifications.error", []byte("\x1b[2J{"))
	n.send("notifications.error", []byte(`{"event_type":"volume.create.error"}`))
	n.fails("notifications.error", "one") // the same again
	n.fails("audit.error", "one")         // the same to another topic
	n.send("audit.error", createFailed(t))
	r.receives("one", "c7cb6f1e-99fd-4f99-9329-cc239a4f5f42")
	added := slices.DeleteFunc(queues(b), func(q string) bool { return slices.Contains(before, q) })
	want := []string{`"x-max-length",1000`, `"x-max-length-bytes",8388608`}
	if mode == ListenQuorum {
		want = append(want, "poolcast.notifications.", `"x-expires",60000`, `"x-queue-type","quorum"`)
	}
	for _, part := range want {
		if len(added) != 1 || !strings.Contains(added[0], part) {
			t.Errorf("declared %q, want %q", added, part)
		}
	}
	r.stop()
	process.Await(t, bound, "nothing to be left", func() error {
		if after := queues(b); !slices.Equal(after, before) {
			return fmt.Errorf("there are %q, before %q", after, before)
		}
		return nil
	})
	if log := r.logged(); strings.Count(log, "\n") != 2 || !strings.Contains(log, "receiving error notifications") || !strings.Contains(log, "skipped an error notification") {
		t.Errorf("the log is %s", log)
	}
}

// testFailuresReconnect: a quorum queue keeps what was sent while the connection was
// lost, and no publisher is refused meanwhile.
func testFailuresReconnect(t *testing.T, b *rabbitmq.Broker) {
	n := newNotifier(t, b.URL())
	proxy := rabbitmq.StartProxy(t, "127.0.0.1", b.Addr(), 0)
	o := optionsFor(t, b.URL())
	host, port, err := net.SplitHostPort(proxy.Addr())
	must(t, err)
	o.Brokers[0].Host = host
	o.Brokers[0].Port, err = strconv.Atoi(port)
	must(t, err)
	r := startFailures(t, FailureOptions{Options: o, Quorum: true})
	r.awaits(FailuresListening, "")
	n.fails("notifications.error", "one")
	r.receives("one")
	proxy.Cut()
	r.awaits(FailuresConnecting, "")
	n.fails("notifications.error", "two")
	proxy.Restore()
	r.receives("one", "two")
	r.awaits(FailuresListening, "")
	r.stop()
	if left := queues(b); len(left) != 0 {
		t.Errorf("left are %q", left)
	}
	log := r.logged()
	if strings.Count(log, "not receiving error notifications") == 0 || strings.Count(log, "receiving error notifications of cinder-scheduler") != 2 {
		t.Errorf("the log is %s", log)
	}
}

// testFailuresChannel: a quorum queue is used again when its exchange was deleted while the
// connection lives, and it is deleted at a stop that comes before that.
func testFailuresChannel(t *testing.T, b *rabbitmq.Broker) {
	n := newNotifier(t, b.URL())
	r := startFailures(t, FailureOptions{Options: optionsFor(t, b.URL()), Quorum: true})
	for _, volume := range []string{"one", "two"} {
		r.awaits(FailuresListening, "")
		must(t, n.ch.ExchangeDelete("openstack", false, false))
		r.awaits(FailuresNoExchange, "")
		must(t, n.ch.PublishWithContext(t.Context(), "", r.queue, false, false, amqp.Publishing{ // the queue is there
			Body: []byte(envelope(`{"event_type":"scheduler.extend_volume","payload":{"volume_id":"` + volume + `"}}`)),
		}))
		if volume == "two" {
			break
		}
		n.declare()
		r.receives("one")
	}
	r.stop()
	if left := queues(b); len(left) != 0 {
		t.Errorf("left are %q", left)
	}
}

// testFailuresExchange: control_exchange is waited for and never declared, and its queue
// is bound again after the exchange was deleted.
func testFailuresExchange(t *testing.T, b *rabbitmq.Broker) {
	r := startFailures(t, FailureOptions{Options: optionsFor(t, b.URL())})
	r.awaits(FailuresNoExchange, "the exchange openstack does not exist")
	if len(b.Exchanges()) != 0 {
		t.Errorf("declared %v", b.Exchanges())
	}
	n := newNotifier(t, b.URL())
	r.awaits(FailuresListening, "")
	must(t, n.ch.ExchangeDelete("openstack", false, false))
	r.awaits(FailuresNoExchange, "")
	n.declare()
	r.awaits(FailuresListening, "")
	n.fails("notifications.error", "one")
	r.receives("one")
}

// testFailureRights checks the lines of OPERATIONS.md, and that a missing right is
// named.
func testFailureRights(t *testing.T, b *rabbitmq.Broker) {
	n := newNotifier(t, b.URL())
	text, err := os.ReadFile("../OPERATIONS.md")
	must(t, err)
	documented := regexp.MustCompile(`(?m)^rabbitmqctl set_permissions --vhost / poolcast '(.*)' '(.*)' '(.*)'$`).FindAllStringSubmatch(string(text), -1)
	if len(documented) != 2 {
		t.Fatalf("OPERATIONS.md has %d lines of rights for explain_failures", len(documented))
	}
	b.Ctl("add_user", "few", "few")
	for i, mode := range []ListenMode{ListenExclusive, ListenQuorum} {
		rights := documented[i][1:]
		o := FailureOptions{Options: optionsFor(t, b.URL()), Quorum: mode == ListenQuorum}
		o.Brokers[0].User, o.Brokers[0].Password = "few", word("few")
		b.Ctl("set_permissions", "-p", b.VHost(), "few", rights[0], rights[1], rights[2])
		r := startFailures(t, o)
		r.awaits(FailuresListening, "")
		n.fails("notifications.error", string(mode))
		r.receives(string(mode))
		r.stop()
		for missing, named := range []string{"the user needs the right to configure", "to read the exchange openstack and to write to the queue", "to read the exchange openstack"} {
			less := slices.Clone(rights)
			less[missing] = "^$"
			b.Ctl("set_permissions", "-p", b.VHost(), "few", less[0], less[1], less[2])
			r := startFailures(t, o)
			r.awaits(FailuresConnecting, named)
			if s := r.Status(); !strings.Contains(s.Detail, "ACCESS_REFUSED") {
				t.Errorf("the status is %+v", s)
			}
			r.stop()
			if n := strings.Count(r.logged(), "\n"); n != 1 {
				t.Errorf("%d lines of log: %s", n, r.logged())
			}
		}
	}
}

// testFailureBurst: the queue has a bound when nothing consumes, and all of a burst that
// is consumed arrives.
func testFailureBurst(t *testing.T, b *rabbitmq.Broker) {
	n := newNotifier(t, b.URL())
	r := startFailures(t, FailureOptions{Options: optionsFor(t, b.URL())})
	r.awaits(FailuresListening, "")
	for i := range 500 {
		n.fails("notifications.error", fmt.Sprint(i))
	}
	process.Await(t, bound, "a burst", func() error {
		if got := len(r.volumes()); got != 500 {
			return fmt.Errorf("%d arrived", got)
		}
		return nil
	})
}
