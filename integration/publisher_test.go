//go:build integration

package integration

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
	"github.com/poolcast/poolcast/publisher"
)

// TestPublisher runs publishers with a real broker and doubles of scheduler and
// cinder-volume. All tests share the broker, each with a virtual host of its own;
// those that stop or block it come last.
func TestPublisher(t *testing.T) {
	broker := rabbitmq.Start(t, rabbitmq.Options{User: "cinder", Password: `p@ss:"w/rd%`, TLS: true})
	testPublisher(t, broker, runSubtest)
	testPublisherAlone(t, broker, runSubtest)
}

// subtestRunner runs a test as a subtest.
type subtestRunner func(t *testing.T, name string, parallel bool, test func(*testing.T))

func runSubtest(t *testing.T, name string, parallel bool, test func(*testing.T)) {
	t.Run(name, func(t *testing.T) {
		if parallel {
			t.Parallel()
		}
		test(t)
	})
}

// testPublisher runs the tests for one broker and for a cluster.
func testPublisher(t *testing.T, broker *rabbitmq.Broker, run subtestRunner) {
	beside := map[string]func(*testing.T, *rabbitmq.Broker, string){
		"overlay":     testPublisherOverlay,
		"twoagents":   testPublisherTwoAgents,
		"lostbinding": testPublisherLostBinding,
		"nothing":     testPublisherNothing,
		"durable":     func(t *testing.T, b *rabbitmq.Broker, uri string) { testPublisherLayout(t, b, uri, true) },
		"transient":   func(t *testing.T, b *rabbitmq.Broker, uri string) { testPublisherLayout(t, b, uri, false) },
		"noscheduler": testPublisherNoScheduler,
		"logins":      testPublisherLogins,
		"notify":      testPublisherNotify,
		"misnotify":   testPublisherNotifyWrongExchange,
		"standalone":  testPublisherStandalone,
		"tls":         testPublisherTLS,
		"failover":    testPublisherFailover,
	}
	broker.VHosts(t, slices.Collect(maps.Keys(beside))...)
	t.Run("beside", func(t *testing.T) {
		for name, test := range beside {
			run(t, name, true, func(t *testing.T) { in := broker.In(t, name); test(t, in, in.URL()) })
		}
	})
}

// testPublisherAlone runs the tests that stop or block their only broker.
func testPublisherAlone(t *testing.T, broker *rabbitmq.Broker, run subtestRunner) {
	broker.VHosts(t, "blocked", "outages")
	for _, tt := range []struct {
		name string
		test func(*testing.T, *rabbitmq.Broker, string)
	}{
		{"blocked", testPublisherBlocked},
		{"outages", testPublisherOutages},
	} {
		run(t, tt.name, false, func(t *testing.T) { in := broker.In(t, tt.name); tt.test(t, in, in.URL()) })
	}
}

func testPublisherOverlay(t *testing.T, _ *rabbitmq.Broker, uri string) {
	s := cindertest.StartScheduler(t, uri, cindertest.Layout{})
	volume := cindertest.StartVolume(t, uri)
	a := startPublisher(t, publisherOptions(t, uri))
	a.awaits(publisher.Ready)
	volume.Report(publisherBackend, baseReport(t, 1))
	process.Await(t, pollBound, "the report to be received", func() error {
		if n := a.Status().Counters.ReceivedReports; n != 1 {
			return fmt.Errorf("%d were", n)
		}
		return nil
	})
	a.offer(42) // a sample that is newer than the base report
	base := map[string]string{"allocated_capacity_gb": "17", "rack": `"ä"`, "limits": `{"a":[1e3,null],"z":1.50}`}
	measured := map[string]string{"total_volumes": "42", "free_capacity_gb": "400.0"}
	for range 3 {
		s.AwaitLast(pollBound, "the measured keys", measured)
		last := s.AwaitLast(pollBound, "cinder-volume's keys", base)
		if p := last.Delivery; p.ContentType != "application/json" || p.ContentEncoding != "utf-8" || p.DeliveryMode != 2 || p.RoutingKey != "" {
			t.Errorf("the properties are %+v", p)
		}
		before := len(s.Reports())
		volume.Report(publisherBackend, baseReport(t, 1))
		process.Await(t, pollBound, "an overlay right after the report", func() error {
			more := s.Reports()[before:]
			// The agent may have published once more at its interval, before the report.
			base := slices.IndexFunc(more, func(r cindertest.Report) bool { return !r.FromAgent() })
			if base < 0 || base+1 == len(more) || !more[base+1].FromAgent() {
				return fmt.Errorf("there are %d more reports", len(more))
			}
			return nil
		})
		a.offer(42)
	}
	a.stop()
	s.AwaitLast(pollBound, "the base report again", map[string]string{"metrics_agent": "", "free_capacity_gb": "500.0", "total_volumes": "1"})
	volume.Report(publisherBackend, baseReport(t, 2))
	last := s.AwaitLast(pollBound, "cinder-volume's own report", map[string]string{"total_volumes": "2", "free_capacity_gb": "500.0"})
	if last.FromAgent() || len(last.Capabilities) != 6 {
		t.Errorf("after the end, the scheduler has %v", last.Capabilities)
	}
	if c := a.Status().Counters; c.Confirms != c.Publishes || c.Overlays == 0 || c.Unreadable != 0 {
		t.Errorf("the counters are %+v", c)
	}
}

func testPublisherTwoAgents(t *testing.T, _ *rabbitmq.Broker, uri string) {
	s := cindertest.StartScheduler(t, uri, cindertest.Layout{})
	volume := cindertest.StartVolume(t, uri)
	one, two := startPublisher(t, publisherOptions(t, uri)), startPublisher(t, publisherOptions(t, uri))
	one.awaits(publisher.Ready)
	two.awaits(publisher.Ready)
	const rounds = 5
	begun := time.Now()
	for i := range rounds {
		volume.Report(publisherBackend, baseReport(t, 1))
		one.offer(int64(10 + i))
		two.offer(int64(20 + i))
		s.AwaitLast(pollBound, "an overlay", map[string]string{"metrics_agent": `"poolcast"`, "allocated_capacity_gb": "17"})
	}
	process.Await(t, pollBound, "all reports to be received by both", func() error {
		first, second := one.Status().Counters, two.Status().Counters
		if first.ReceivedReports != rounds || first.ReceivedOwn != first.Confirms || first.ReceivedPeers != second.Confirms || second.ReceivedPeers != first.Confirms {
			return fmt.Errorf("%+v, %+v", first, second)
		}
		return nil
	})
	agents := map[string]int{}
	for _, r := range s.Reports() {
		if r.FromAgent() {
			agents[r.ID[:16]]++
		}
	}
	total := 0
	for _, n := range agents {
		total += n
	}
	intervals := int(time.Since(begun) / publisherInterval) // each agent may publish at each
	if total > 2*rounds+4+2*intervals {
		t.Errorf("the agents sent %v reports in %d rounds and %d intervals", agents, rounds, intervals)
	}
	states := []publisher.State{one.Status().Backends[0].State, two.Status().Backends[0].State}
	slices.Sort(states)
	if !slices.Equal(states, []publisher.State{publisher.Overlaying, publisher.Standby}) {
		t.Errorf("the agents are %v", states)
	}
}

// testPublisherLostBinding removes the binding of the agent's queue on the broker: the
// agent binds it again, and cinder-volume's next report is overlaid.
func testPublisherLostBinding(t *testing.T, b *rabbitmq.Broker, uri string) {
	s := cindertest.StartScheduler(t, uri, cindertest.Layout{Durable: true, Quorum: true})
	volume := cindertest.StartVolume(t, uri)
	o := publisherOptions(t, uri)
	o.TransientQuorum = true
	a := startPublisher(t, o)
	a.awaits(publisher.Ready)
	volume.Report(publisherBackend, baseReport(t, 1))
	a.offer(42)
	s.AwaitLast(pollBound, "an overlay", map[string]string{"total_volumes": "42"})

	queue := ""
	for _, q := range b.Bound(cindertest.FanoutExchange) {
		if strings.HasPrefix(q, "poolcast.") {
			queue = q
		}
	}
	must(t, rabbitmq.Channel(t, rabbitmq.Dial(t, uri)).QueueUnbind(queue, "", cindertest.FanoutExchange, nil))
	volume.Report(publisherBackend, baseReport(t, 2))
	s.AwaitLast(pollBound, "cinder-volume's report, which the agent does not receive", map[string]string{"total_volumes": "2"})
	a.offer(43) // published, and not received back
	process.Await(t, pollBound, "the queue to be bound again", func() error {
		if bound := b.Bound(cindertest.FanoutExchange); !slices.Contains(bound, queue) {
			return fmt.Errorf("bound are %v", bound)
		}
		return nil
	})
	volume.Report(publisherBackend, baseReport(t, 3))
	a.offer(44)
	s.AwaitLast(pollBound, "an overlay of the report after that", map[string]string{"total_volumes": "44"})
	if n := strings.Count(a.log.String(), "binding the listening queue again"); n != 1 {
		t.Errorf("the log has %d such lines, want 1", n)
	}
}

// testPublisherNothing begins with an empty virtual host: the agent declares nothing,
// logs that once, and finds the scheduler that starts later.
func testPublisherNothing(t *testing.T, b *rabbitmq.Broker, uri string) {
	begun := time.Now()
	a := startPublisher(t, standaloneOptions(t, uri))
	a.offer(42)
	a.awaits(publisher.NoScheduler)
	if declared := declaredIn(b, "nothing"); len(declared) != 0 {
		t.Errorf("the agent has declared %v", declared)
	}
	s := cindertest.StartScheduler(t, uri, cindertest.Layout{})
	s.AwaitLast(reconnectBound, "the report", map[string]string{"total_volumes": "42"})
	if n := strings.Count(a.log.String(), `"no_scheduler"`); n != 1 {
		t.Errorf("the log has %d such lines, want 1", n)
	}
	if n := strings.Count(b.Log(), "in vhost 'nothing' due to timeout") + strings.Count(b.Log(), "no queue 'cinder-scheduler' in vhost 'nothing'"); n > 2*(int(time.Since(begun)/(30*time.Second))+1) {
		t.Errorf("the broker logged %d lines, want at most two each half a minute", n)
	}
}

func testPublisherLayout(t *testing.T, b *rabbitmq.Broker, uri string, durable bool) {
	vhost := uri[strings.LastIndex(uri, "/")+1:]
	s := cindertest.StartScheduler(t, uri, cindertest.Layout{Durable: durable})
	before := declaredIn(b, vhost)
	a := startPublisher(t, standaloneOptions(t, uri))
	a.offer(42)
	s.AwaitLast(pollBound, "the report", map[string]string{"total_volumes": "42"})
	during := declaredIn(b, vhost)
	if len(during) != len(before)+1 {
		t.Errorf("besides %v there are %v, want one more queue", before, during)
	}
	if session := a.Status().Session; session.Schedulers == nil || *session.Schedulers != 1 {
		t.Errorf("the session is %+v, want one scheduler", session)
	}
	a.stop()
	process.Await(t, pollBound, "the queue to be gone", func() error {
		if after := declaredIn(b, vhost); !slices.Equal(before, after) {
			return fmt.Errorf("%v", after)
		}
		return nil
	})
}

// testPublisherNoScheduler stops the last scheduler and deletes its queues, as for a
// change of their settings: the agent must release the exchange, and find the one that
// an upgraded scheduler declares instead.
func testPublisherNoScheduler(t *testing.T, b *rabbitmq.Broker, uri string) {
	old := cindertest.StartScheduler(t, uri, cindertest.Layout{Durable: false})
	a := startPublisher(t, standaloneOptions(t, uri))
	a.offer(42)
	old.AwaitLast(pollBound, "the report", map[string]string{"total_volumes": "42"})
	old.Stop()
	ch := rabbitmq.Channel(t, rabbitmq.Dial(t, uri))
	for _, q := range []string{"cinder-scheduler", old.Queue} {
		_, err := ch.QueueDelete(q, false, false, false)
		must(t, err)
	}
	a.awaits(publisher.NoScheduler)
	process.Await(t, pollBound, "the exchange to delete itself", func() error {
		if declared := declaredIn(b, "noscheduler"); slices.ContainsFunc(declared, func(s string) bool { return strings.Contains(s, "fanout") }) {
			return fmt.Errorf("there are %v", declared)
		}
		return nil
	})
	must(t, ch.ExchangeDelete("openstack", false, false))
	upgraded := cindertest.StartScheduler(t, uri, cindertest.Layout{Durable: true})
	a.offer(43)
	upgraded.AwaitLast(reconnectBound, "the report", map[string]string{"total_volumes": "43"})
}

func testPublisherLogins(t *testing.T, b *rabbitmq.Broker, uri string) {
	s := cindertest.StartScheduler(t, uri, cindertest.Layout{})
	for i, method := range []string{"AMQPLAIN", "PLAIN"} {
		o := standaloneOptions(t, uri)
		o.LoginMethod = method
		a := startPublisher(t, o)
		a.offer(int64(50 + i))
		s.AwaitLast(pollBound, "the report by "+method, map[string]string{"total_volumes": strconv.Itoa(50 + i)})
		a.stop()
		if strings.Contains(a.log.String(), string(o.Brokers[0].Password.(password))) {
			t.Error("the password is in the log")
		}
	}
	for what, tt := range map[string]struct {
		change func(*publisher.Options)
		line   string // of the broker's log
	}{
		"password": {func(o *publisher.Options) { o.Brokers[0].Password = password("wrong-word") }, "user 'cinder' - invalid credentials"},
		"vhost":    {func(o *publisher.Options) { o.VirtualHost = "elsewhere" }, "vhost elsewhere not found"},
	} {
		o := standaloneOptions(t, uri)
		tt.change(&o)
		a := startPublisher(t, o)
		a.awaits(publisher.Connecting)
		process.Await(t, pollBound, "a reason", func() error {
			if d := a.Status().Session.Detail; !strings.Contains(d, "log in as cinder") {
				return fmt.Errorf("it is %q", d)
			}
			return nil
		})
		process.Await(t, pollBound, "some more attempts", func() error {
			if n := strings.Count(b.Log(), tt.line); n < 4 {
				return fmt.Errorf("there were %d", n)
			}
			return nil
		})
		a.stop()
		text := fmt.Sprintf("%s%+v", a.log, a.Status())
		if strings.Contains(text, "wrong-word") || strings.Contains(text, "p@ss") {
			t.Errorf("wrong %s: the password is in the log or the status", what)
		}
		if n := strings.Count(a.log.String(), "\n"); n != 1 {
			t.Errorf("wrong %s: the log has %d lines", what, n)
		}
	}
}

func testPublisherNotify(t *testing.T, _ *rabbitmq.Broker, uri string) {
	s := cindertest.StartScheduler(t, uri, cindertest.Layout{})
	o := standaloneOptions(t, uri)
	o.Notify = true
	a := startPublisher(t, o)
	a.offer(42)
	process.Await(t, pollBound, "both messages", func() error {
		var topics []string
		for _, r := range s.Reports() {
			topics = append(topics, r.Delivery.Exchange+"/"+r.Delivery.RoutingKey)
		}
		if !slices.Contains(topics, cindertest.FanoutExchange+"/") || !slices.Contains(topics, "openstack/cinder-scheduler") {
			return fmt.Errorf("there are %v", topics)
		}
		return nil
	})
}

// testPublisherNotifyWrongExchange has a wrong control_exchange: reports are published all
// the same.
func testPublisherNotifyWrongExchange(t *testing.T, b *rabbitmq.Broker, uri string) {
	s := cindertest.StartScheduler(t, uri, cindertest.Layout{})
	before := declaredIn(b, "misnotify")
	o := standaloneOptions(t, uri)
	o.Notify, o.ControlExchange = true, "nowhere"
	a := startPublisher(t, o)
	for i := range 3 {
		a.offer(int64(i))
		s.AwaitLast(pollBound, "the report", map[string]string{"total_volumes": strconv.Itoa(i)})
	}
	process.Await(t, pollBound, "the reason", func() error {
		if f := a.Status().Backends[0].Failure; !strings.Contains(f, "nowhere") {
			return fmt.Errorf("it is %q", f)
		}
		return nil
	})
	if declared := declaredIn(b, "misnotify"); len(declared) != len(before)+1 {
		t.Errorf("besides %v there are %v, want one more queue", before, declared)
	}
}

// testPublisherStandalone listens too, because a cinder-volume may report later.
func testPublisherStandalone(t *testing.T, _ *rabbitmq.Broker, uri string) {
	s := cindertest.StartScheduler(t, uri, cindertest.Layout{})
	a := startPublisher(t, standaloneOptions(t, uri))
	a.offer(43)
	s.AwaitLast(pollBound, "the report", map[string]string{"total_volumes": "43", "free_capacity_gb": "400.0"})
	if mode := a.Status().Session.Listening; mode != publisher.ListenExclusive {
		t.Errorf("it listens in the mode %q", mode)
	}
}

// declaredIn lists the queues and exchanges of clients in a virtual host.
func declaredIn(b *rabbitmq.Broker, vhost string) []string {
	var declared []string
	for _, q := range strings.Fields(b.Ctl("list_queues", "--no-table-headers", "-p", vhost, "name")) {
		declared = append(declared, "queue "+q)
	}
	for _, e := range strings.Fields(b.Ctl("list_exchanges", "--no-table-headers", "-p", vhost, "name")) {
		if !strings.HasPrefix(e, "amq.") {
			declared = append(declared, "exchange "+e)
		}
	}
	slices.Sort(declared)
	return declared
}

func testPublisherTLS(t *testing.T, broker *rabbitmq.Broker, uri string) {
	s := cindertest.StartScheduler(t, uri, cindertest.Layout{})
	wrong := filepath.Join(t.TempDir(), "wrong.pem")
	must(t, os.WriteFile(wrong, []byte("no certificate"), 0o600))
	direct, proxied := broker.TLSAddr(), rabbitmq.StartProxy(t, "127.0.0.2", broker.TLSAddr(), 0).Addr()
	options := func(addr string, tls publisher.TLS) publisher.Options {
		o := standaloneOptions(t, strings.Replace(uri, broker.Addr(), addr, 1))
		o.TLS = &tls
		return o
	}
	for i, tt := range []struct {
		name string
		o    publisher.Options
		want string // in the reason; "" means that reports are received
	}{
		{"good", options(direct, publisher.TLS{CAFile: broker.CAFile()}), ""},
		{"unknown authority", options(direct, publisher.TLS{}), "set ssl_ca_file"},
		{"another name", options(proxied, publisher.TLS{CAFile: broker.CAFile()}), "ssl_enforce_hostname_verification = false"},
		{"any name", options(proxied, publisher.TLS{CAFile: broker.CAFile(), AnyName: true}), ""},
		{"any name, unknown authority", options(proxied, publisher.TLS{AnyName: true}), "set ssl_ca_file"},
		{"no such file", options(direct, publisher.TLS{CAFile: wrong + "2"}), "ssl_ca_file"},
		{"not a certificate", options(direct, publisher.TLS{CAFile: wrong}), "holds no certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := startPublisher(t, tt.o)
			a.offer(int64(60 + i))
			if tt.want == "" {
				s.AwaitLast(pollBound, "the report", map[string]string{"total_volumes": strconv.Itoa(60 + i)})
				return
			}
			process.Await(t, pollBound, "a reason", func() error {
				if d := a.Status().Session.Detail; !strings.Contains(d, tt.want) {
					return fmt.Errorf("it is %q", d)
				}
				return nil
			})
		})
	}
}

// testPublisherBlocked blocks all publishers, and stops the agent while it is blocked:
// it must not wait for a confirmation.
func testPublisherBlocked(t *testing.T, broker *rabbitmq.Broker, uri string) {
	s := cindertest.StartScheduler(t, uri, cindertest.Layout{})
	o := standaloneOptions(t, uri)
	o.ConfirmTimeout = 2 * time.Minute
	a := startPublisher(t, o)
	a.offer(1)
	s.AwaitLast(pollBound, "the report", map[string]string{"total_volumes": "1"})
	broker.Block()
	defer broker.Unblock()
	a.offer(2)
	a.awaits(publisher.Blocked)
	a.offer(3)
	broker.Unblock()
	s.AwaitLast(pollBound, "the newest report after a block", map[string]string{"total_volumes": "3"})
	broker.Block()
	a.offer(4)
	a.awaits(publisher.Blocked)
	begun := time.Now()
	a.stop()
	if took := time.Since(begun); took > o.ConfirmTimeout/2 {
		t.Errorf("stopping took %s", took)
	}
	awaitNoGoroutines(t)
}

func testPublisherOutages(t *testing.T, broker *rabbitmq.Broker, uri string) {
	s := cindertest.StartScheduler(t, uri, cindertest.Layout{})
	a := startPublisher(t, standaloneOptions(t, uri))
	a.offer(1)
	s.AwaitLast(pollBound, "the first report", map[string]string{"total_volumes": "1"})

	broker.Kill()
	a.awaits(publisher.Connecting)
	a.offer(2)
	a.offer(3)
	broker.Start()
	s = cindertest.StartScheduler(t, uri, cindertest.Layout{})
	s.AwaitLast(reconnectBound, "the newest report after a crash", map[string]string{"total_volumes": "3"})

	broker.Stop()
	a.awaits(publisher.Connecting)
	broker.Start()
	s = cindertest.StartScheduler(t, uri, cindertest.Layout{})
	s.AwaitLast(reconnectBound, "the report after a restart", map[string]string{"total_volumes": "3"})

	broker.Freeze()
	a.offer(4)
	a.awaits(publisher.Connecting)
	broker.Thaw()
	s.AwaitLast(reconnectBound, "the report after a freeze", map[string]string{"total_volumes": "4"})

	a.stop()
	awaitNoGoroutines(t)
	process.Await(t, pollBound, "the agent's queue to be gone", func() error {
		for _, name := range declaredIn(broker, "outages") {
			if strings.Contains(name, "amq.gen") {
				return fmt.Errorf("there is %s", name)
			}
		}
		return nil
	})
}

// awaitNoGoroutines waits until no code of the publisher runs.
func awaitNoGoroutines(t *testing.T) {
	t.Helper()
	process.Await(t, pollBound, "the publisher's goroutines to end", func() error {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if n := strings.Count(string(stacks), "poolcast/publisher.(*"); n > 0 {
			return fmt.Errorf("there are %d frames:\n%s", n, stacks)
		}
		return nil
	})
}

// testPublisherFailover reaches the broker through two addresses, one of which is lost.
func testPublisherFailover(t *testing.T, broker *rabbitmq.Broker, uri string) {
	s := cindertest.StartScheduler(t, uri, cindertest.Layout{})
	hosts := map[string]*rabbitmq.Proxy{}
	o := standaloneOptions(t, uri)
	o.Brokers = nil
	for range 2 {
		p := rabbitmq.StartProxy(t, "127.0.0.2", broker.Addr(), 0)
		hosts[p.Addr()] = p
		o.Brokers = append(o.Brokers, publisherOptions(t, strings.Replace(uri, broker.Addr(), p.Addr(), 1)).Brokers...)
	}
	a := startPublisher(t, o)
	a.offer(1)
	s.AwaitLast(pollBound, "the report", map[string]string{"total_volumes": "1"})
	first := a.awaits(publisher.Ready).Broker
	hosts[first].Cut()
	a.offer(2)
	s.AwaitLast(pollBound, "the report through the other host", map[string]string{"total_volumes": "2"})
	if s := a.awaits(publisher.Ready); s.Broker == first || hosts[s.Broker] == nil {
		t.Errorf("the session is %+v", s)
	}
}

// TestPublisherWithScheduler checks with a real cinder-scheduler, which receives the
// reports of a publisher and, by Cinder's own class, those of a cinder-volume.
func TestPublisherWithScheduler(t *testing.T) {
	broker := rabbitmq.Start(t, rabbitmq.Options{})
	cinder := scheduler.Start(t, scheduler.Options{
		Broker: broker, Backends: []scheduler.Backend{{Host: publisherBackend, Zone: "dc1"}},
	})
	o := publisherOptions(t, broker.URL())
	o.VirtualHost = "/"
	a := startPublisher(t, o)

	a.awaits(publisher.Ready)
	cinder.Report(scheduler.Report{Host: publisherBackend, Capabilities: baseReport(t, 7)})
	awaitPool(t, cinder, "the report", map[string]string{"total_volumes": "7", "rack": "ä", "metrics_agent": ""})
	a.offer(1)
	awaitPool(t, cinder, "the overlay", map[string]string{"total_volumes": "1", "rack": "ä", "allocated_capacity_gb": "17", "free_capacity_gb": "400.0"})
	a.offer(2)
	awaitPool(t, cinder, "the next overlay", map[string]string{"total_volumes": "2", "rack": "ä", "allocated_capacity_gb": "17"})

	cinder.Restart()
	a.awaits(publisher.Ready)
	cinder.Report(scheduler.Report{Host: publisherBackend, Capabilities: baseReport(t, 7)})
	a.offer(3)
	awaitPool(t, cinder, "the overlay after a restart", map[string]string{"total_volumes": "3", "rack": "ä", "allocated_capacity_gb": "17"})
	if s := a.Status().Session; s.Schedulers == nil || *s.Schedulers != 1 {
		t.Errorf("the session is %+v, want one scheduler", s)
	}

	a.stop()
	awaitPool(t, cinder, "the base report again", map[string]string{"total_volumes": "7", "rack": "ä", "metrics_agent": "", "free_capacity_gb": "500.0"})
	cinder.Report(scheduler.Report{Host: publisherBackend, Capabilities: baseReport(t, 8)})
	awaitPool(t, cinder, "cinder-volume's own report", map[string]string{"total_volumes": "8", "rack": "ä", "metrics_agent": "", "free_capacity_gb": "500.0"})
}

// awaitPool waits until get_pools has these values; "" is an absent key.
func awaitPool(t *testing.T, cinder *scheduler.Scheduler, what string, values map[string]string) {
	t.Helper()
	process.Await(t, pollBound, what, func() error {
		pools, err := cinder.Pools()
		if err != nil {
			return err
		}
		if len(pools) != 1 {
			return fmt.Errorf("there are %d pools", len(pools))
		}
		for key, want := range values {
			v, there := pools[0].Capabilities[key]
			if there != (want != "") || there && v.String() != want {
				return fmt.Errorf("%s is %v, want %q", key, v, want)
			}
		}
		return nil
	})
}
