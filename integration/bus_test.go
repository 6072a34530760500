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

	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
	"github.com/poolcast/poolcast/publisher"
)

// TestPublisher runs publishers against a real broker, with stand-ins for schedulers
// and cinder-volume. All share the broker, each in a virtual host of its own;
// those that stop or block it come last.
func TestPublisher(t *testing.T) {
	broker := rabbitmq.Start(t, rabbitmq.Options{User: "cinder", Password: `p@ss:"w/rd%`, TLS: true})
	testBus(t, broker, busRun)
	testBusAlone(t, broker, busRun)
}

// busRunner runs a test as a subtest.
type busRunner func(t *testing.T, name string, parallel bool, test func(*testing.T))

func busRun(t *testing.T, name string, parallel bool, test func(*testing.T)) {
	t.Run(name, func(t *testing.T) {
		if parallel {
			t.Parallel()
		}
		test(t)
	})
}

// testBus runs the tests that any broker must pass, one broker or a cluster.
func testBus(t *testing.T, broker *rabbitmq.Broker, run busRunner) {
	beside := map[string]func(*testing.T, *rabbitmq.Broker, string){
		"overlay":     testBusOverlay,
		"twoagents":   testBusTwoAgents,
		"lostbinding": testBusLostBinding,
		"nothing":     testBusNothing,
		"durable":     func(t *testing.T, b *rabbitmq.Broker, uri string) { testBusLayout(t, b, uri, true) },
		"transient":   func(t *testing.T, b *rabbitmq.Broker, uri string) { testBusLayout(t, b, uri, false) },
		"noscheduler": testBusNoScheduler,
		"logins":      testBusLogins,
		"notify":      testBusNotify,
		"misnotify":   testBusNotifyNowhere,
		"standalone":  testBusStandalone,
		"tls":         testBusTLS,
		"failover":    testBusFailover,
	}
	broker.VHosts(t, slices.Collect(maps.Keys(beside))...)
	t.Run("beside", func(t *testing.T) {
		for name, test := range beside {
			run(t, name, true, func(t *testing.T) { in := broker.In(t, name); test(t, in, in.URL()) })
		}
	})
}

// testBusAlone runs those that stop or block their only broker.
func testBusAlone(t *testing.T, broker *rabbitmq.Broker, run busRunner) {
	broker.VHosts(t, "blocked", "outages")
	for _, tt := range []struct {
		name string
		test func(*testing.T, *rabbitmq.Broker, string)
	}{
		{"blocked", testBusBlocked},
		{"outages", testBusOutages},
	} {
		run(t, tt.name, false, func(t *testing.T) { in := broker.In(t, tt.name); tt.test(t, in, in.URL()) })
	}
}

func testBusOverlay(t *testing.T, _ *rabbitmq.Broker, uri string) {
	s := startBusScheduler(t, uri, busLayout{})
	volume := startBusVolume(t, uri)
	a := startBusAgent(t, busOptions(t, uri))
	a.awaits(publisher.Ready)
	volume.report(1)
	process.Await(t, busBound, "the report to be received", func() error {
		if n := a.Status().Counters.HeardReports; n != 1 {
			return fmt.Errorf("%d were", n)
		}
		return nil
	})
	a.offer(42) // a sample that is newer than the base report
	unknown := map[string]string{"allocated_capacity_gb": "17", "rack": `"ä"`, "limits": `{"a":[1e3,null],"z":1.50}`}
	ours := map[string]string{"total_volumes": "42", "free_capacity_gb": "400.0"}
	for range 3 {
		s.awaits(t, "our numbers", ours)
		last := s.awaits(t, "cinder-volume's keys", unknown)
		if p := last.properties; p.ContentType != "application/json" || p.ContentEncoding != "utf-8" || p.DeliveryMode != 2 || p.RoutingKey != "" {
			t.Errorf("the properties are %+v", p)
		}
		before := len(s.reports())
		volume.report(1)
		process.Await(t, busBound, "an overlay right after the report", func() error {
			more := s.reports()[before:]
			if len(more) < 2 || more[0].fromAgent() || !more[1].fromAgent() {
				return fmt.Errorf("there are %d reports more", len(more))
			}
			return nil
		})
		a.offer(42)
	}
	a.stop()
	s.awaits(t, "the base report once more", map[string]string{"metrics_agent": "", "free_capacity_gb": "500.0", "total_volumes": "1"})
	volume.report(2)
	last := s.awaits(t, "cinder-volume's own report", map[string]string{"total_volumes": "2", "free_capacity_gb": "500.0"})
	if last.fromAgent() || len(last.Args.Capabilities) != 6 {
		t.Errorf("after stopping, the scheduler knows %v", last.Args.Capabilities)
	}
	if c := a.Status().Counters; c.Confirms != c.Publishes || c.Overlays == 0 || c.Unreadable != 0 {
		t.Errorf("the counters are %+v", c)
	}
}

func testBusTwoAgents(t *testing.T, _ *rabbitmq.Broker, uri string) {
	s := startBusScheduler(t, uri, busLayout{})
	volume := startBusVolume(t, uri)
	one, two := startBusAgent(t, busOptions(t, uri)), startBusAgent(t, busOptions(t, uri))
	one.awaits(publisher.Ready)
	two.awaits(publisher.Ready)
	const rounds = 5
	for i := range rounds {
		volume.report(1)
		one.offer(int64(10 + i))
		two.offer(int64(20 + i))
		s.awaits(t, "an overlay", map[string]string{"metrics_agent": `"poolcast"`, "allocated_capacity_gb": "17"})
	}
	process.Await(t, busBound, "everything to be heard by both", func() error {
		first, second := one.Status().Counters, two.Status().Counters
		if first.HeardReports != rounds || first.HeardOwn != first.Confirms || first.HeardAgents != second.Confirms || second.HeardAgents != first.Confirms {
			return fmt.Errorf("%+v, %+v", first, second)
		}
		return nil
	})
	agents := map[string]int{}
	for _, r := range s.reports() {
		if r.fromAgent() {
			agents[r.ID[:16]]++
		}
	}
	total := 0
	for _, n := range agents {
		total += n
	}
	if total > 2*rounds+4 {
		t.Errorf("the agents cast %v reports in %d rounds", agents, rounds)
	}
	states := []publisher.State{one.Status().Backends[0].State, two.Status().Backends[0].State}
	slices.Sort(states)
	if !slices.Equal(states, []publisher.State{publisher.Overlaying, publisher.Standby}) {
		t.Errorf("the agents are %v", states)
	}
}

// testBusLostBinding removes the binding of the agent's queue on the broker: the
// agent binds it again, and cinder-volume's next report is overlaid.
func testBusLostBinding(t *testing.T, b *rabbitmq.Broker, uri string) {
	s := startBusScheduler(t, uri, busLayout{durable: true, quorum: true})
	volume := startBusVolume(t, uri)
	o := busOptions(t, uri)
	o.TransientQuorum = true
	a := startBusAgent(t, o)
	a.awaits(publisher.Ready)
	volume.report(1)
	a.offer(42)
	s.awaits(t, "an overlay", map[string]string{"total_volumes": "42"})

	queue := ""
	for _, q := range b.Bound(busExchange) {
		if strings.HasPrefix(q, "poolcast.") {
			queue = q
		}
	}
	busMust(t, busChannel(t, busDial(t, uri)).QueueUnbind(queue, "", busExchange, nil))
	volume.report(2)
	s.awaits(t, "cinder-volume's report, unknown to the agent", map[string]string{"total_volumes": "2"})
	a.offer(43) // published, and does not return
	process.Await(t, busBound, "the queue to be bound again", func() error {
		if bound := b.Bound(busExchange); !slices.Contains(bound, queue) {
			return fmt.Errorf("bound are %v", bound)
		}
		return nil
	})
	volume.report(3)
	a.offer(44)
	s.awaits(t, "an overlay of the report after that", map[string]string{"total_volumes": "44"})
	if n := strings.Count(a.log.String(), "binding the listening queue again"); n != 1 {
		t.Errorf("the log says so %d times", n)
	}
}

// testBusNothing begins on an empty virtual host: the agent makes nothing, says
// so once, and finds the scheduler that starts at last.
func testBusNothing(t *testing.T, b *rabbitmq.Broker, uri string) {
	a := startBusAgent(t, busAlone(t, uri))
	a.offer(42)
	a.awaits(publisher.NoScheduler)
	if made := busMade(b, "nothing"); len(made) != 0 {
		t.Errorf("the agent made %v", made)
	}
	s := startBusScheduler(t, uri, busLayout{})
	s.awaitsWithin(t, busSecondLook, "the report", map[string]string{"total_volumes": "42"})
	if n := strings.Count(a.log.String(), `"no_scheduler"`); n != 1 {
		t.Errorf("the log says so %d times", n)
	}
	if n := strings.Count(b.Log(), "in vhost 'nothing' due to timeout") + strings.Count(b.Log(), "no queue 'cinder-scheduler' in vhost 'nothing'"); n > 4 {
		t.Errorf("the broker logged %d lines", n)
	}
}

func testBusLayout(t *testing.T, b *rabbitmq.Broker, uri string, durable bool) {
	vhost := uri[strings.LastIndex(uri, "/")+1:]
	s := startBusScheduler(t, uri, busLayout{durable: durable})
	before := busMade(b, vhost)
	a := startBusAgent(t, busAlone(t, uri))
	a.offer(42)
	s.awaits(t, "the report", map[string]string{"total_volumes": "42"})
	during := busMade(b, vhost)
	if len(during) != len(before)+1 {
		t.Errorf("besides %v there are %v, want one queue more", before, during)
	}
	if session := a.Status().Session; session.Schedulers == nil || *session.Schedulers != 1 {
		t.Errorf("the session is %+v, want one scheduler", session)
	}
	a.stop()
	process.Await(t, busBound, "the queue to be gone", func() error {
		if after := busMade(b, vhost); !slices.Equal(before, after) {
			return fmt.Errorf("%v", after)
		}
		return nil
	})
}

// testBusNoScheduler ends the last scheduler and deletes its queues, as for a
// change of their settings: the agent must let the exchange go, and find the one
// that an upgraded scheduler declares in its place.
func testBusNoScheduler(t *testing.T, b *rabbitmq.Broker, uri string) {
	old := startBusScheduler(t, uri, busLayout{durable: false})
	a := startBusAgent(t, busAlone(t, uri))
	a.offer(42)
	old.awaits(t, "the report", map[string]string{"total_volumes": "42"})
	old.stop()
	ch := busChannel(t, busDial(t, uri))
	for _, q := range []string{"cinder-scheduler", old.queue} {
		_, err := ch.QueueDelete(q, false, false, false)
		busMust(t, err)
	}
	a.awaits(publisher.NoScheduler)
	process.Await(t, busBound, "the exchange to delete itself", func() error {
		if made := busMade(b, "noscheduler"); slices.ContainsFunc(made, func(s string) bool { return strings.Contains(s, "fanout") }) {
			return fmt.Errorf("there are %v", made)
		}
		return nil
	})
	busMust(t, ch.ExchangeDelete("openstack", false, false))
	upgraded := startBusScheduler(t, uri, busLayout{durable: true})
	a.offer(43)
	upgraded.awaitsWithin(t, busSecondLook, "the report", map[string]string{"total_volumes": "43"})
}

func testBusLogins(t *testing.T, b *rabbitmq.Broker, uri string) {
	s := startBusScheduler(t, uri, busLayout{})
	for i, method := range []string{"AMQPLAIN", "PLAIN"} {
		o := busAlone(t, uri)
		o.LoginMethod = method
		a := startBusAgent(t, o)
		a.offer(int64(50 + i))
		s.awaits(t, "the report by "+method, map[string]string{"total_volumes": strconv.Itoa(50 + i)})
		a.stop()
		if strings.Contains(a.log.String(), string(o.Brokers[0].Password.(busSecret))) {
			t.Error("the password is in the log")
		}
	}
	for what, tt := range map[string]struct {
		change func(*publisher.Options)
		line   string // of the broker's log
	}{
		"password": {func(o *publisher.Options) { o.Brokers[0].Password = busSecret("hushhush") }, "user 'cinder' - invalid credentials"},
		"vhost":    {func(o *publisher.Options) { o.VirtualHost = "elsewhere" }, "vhost elsewhere not found"},
	} {
		o := busAlone(t, uri)
		tt.change(&o)
		a := startBusAgent(t, o)
		a.awaits(publisher.Connecting)
		process.Await(t, busBound, "a reason", func() error {
			if d := a.Status().Session.Detail; !strings.Contains(d, "log in as cinder") {
				return fmt.Errorf("it is %q", d)
			}
			return nil
		})
		process.Await(t, busBound, "some more attempts", func() error {
			if n := strings.Count(b.Log(), tt.line); n < 4 {
				return fmt.Errorf("there were %d", n)
			}
			return nil
		})
		a.stop()
		text := fmt.Sprintf("%s%+v", a.log, a.Status())
		if strings.Contains(text, "hushhush") || strings.Contains(text, "p@ss") {
			t.Errorf("wrong %s: the password is in the log or the status", what)
		}
		if n := strings.Count(a.log.String(), "\n"); n != 1 {
			t.Errorf("wrong %s: the log has %d lines", what, n)
		}
	}
}

func testBusNotify(t *testing.T, _ *rabbitmq.Broker, uri string) {
	s := startBusScheduler(t, uri, busLayout{})
	o := busAlone(t, uri)
	o.Notify = true
	a := startBusAgent(t, o)
	a.offer(42)
	process.Await(t, busBound, "both messages", func() error {
		var topics []string
		for _, r := range s.reports() {
			topics = append(topics, r.properties.Exchange+"/"+r.properties.RoutingKey)
		}
		if !slices.Contains(topics, busExchange+"/") || !slices.Contains(topics, "openstack/cinder-scheduler") {
			return fmt.Errorf("there are %v", topics)
		}
		return nil
	})
}

// testBusNotifyNowhere has a wrong control_exchange: the reports go out all the
// same.
func testBusNotifyNowhere(t *testing.T, b *rabbitmq.Broker, uri string) {
	s := startBusScheduler(t, uri, busLayout{})
	before := busMade(b, "misnotify")
	o := busAlone(t, uri)
	o.Notify, o.ControlExchange = true, "nowhere"
	a := startBusAgent(t, o)
	for i := range 3 {
		a.offer(int64(i))
		s.awaits(t, "the report", map[string]string{"total_volumes": strconv.Itoa(i)})
	}
	process.Await(t, busBound, "the reason", func() error {
		if f := a.Status().Backends[0].Failure; !strings.Contains(f, "nowhere") {
			return fmt.Errorf("it is %q", f)
		}
		return nil
	})
	if made := busMade(b, "misnotify"); len(made) != len(before)+1 {
		t.Errorf("besides %v there are %v, want one queue more", before, made)
	}
}

// testBusStandalone listens too: a cinder-volume may report after all.
func testBusStandalone(t *testing.T, _ *rabbitmq.Broker, uri string) {
	s := startBusScheduler(t, uri, busLayout{})
	a := startBusAgent(t, busAlone(t, uri))
	a.offer(43)
	s.awaits(t, "the report", map[string]string{"total_volumes": "43", "free_capacity_gb": "400.0"})
	if mode := a.Status().Session.Listening; mode != publisher.ListenExclusive {
		t.Errorf("it listens in the mode %q", mode)
	}
}

// busMade lists what clients have made in a virtual host.
func busMade(b *rabbitmq.Broker, vhost string) []string {
	var made []string
	for _, q := range strings.Fields(b.Ctl("list_queues", "--no-table-headers", "-p", vhost, "name")) {
		made = append(made, "queue "+q)
	}
	for _, e := range strings.Fields(b.Ctl("list_exchanges", "--no-table-headers", "-p", vhost, "name")) {
		if !strings.HasPrefix(e, "amq.") {
			made = append(made, "exchange "+e)
		}
	}
	slices.Sort(made)
	return made
}

func testBusTLS(t *testing.T, broker *rabbitmq.Broker, uri string) {
	s := startBusScheduler(t, uri, busLayout{})
	wrong := filepath.Join(t.TempDir(), "wrong.pem")
	busMust(t, os.WriteFile(wrong, []byte("no certificate"), 0o600))
	straight, detour := broker.TLSAddr(), busForward(t, broker.TLSAddr()).Addr().String()
	options := func(addr string, tls publisher.TLS) publisher.Options {
		o := busAlone(t, strings.Replace(uri, broker.Addr(), addr, 1))
		o.TLS = &tls
		return o
	}
	for i, tt := range []struct {
		name string
		o    publisher.Options
		want string // in the reason; "" means that reports arrive
	}{
		{"good", options(straight, publisher.TLS{CAFile: broker.CAFile()}), ""},
		{"unknown authority", options(straight, publisher.TLS{}), "set ssl_ca_file"},
		{"another name", options(detour, publisher.TLS{CAFile: broker.CAFile()}), "ssl_enforce_hostname_verification = false"},
		{"any name", options(detour, publisher.TLS{CAFile: broker.CAFile(), AnyName: true}), ""},
		{"any name, unknown authority", options(detour, publisher.TLS{AnyName: true}), "set ssl_ca_file"},
		{"no such file", options(straight, publisher.TLS{CAFile: wrong + "2"}), "ssl_ca_file"},
		{"not a certificate", options(straight, publisher.TLS{CAFile: wrong}), "holds no certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := startBusAgent(t, tt.o)
			a.offer(int64(60 + i))
			if tt.want == "" {
				s.awaits(t, "the report", map[string]string{"total_volumes": strconv.Itoa(60 + i)})
				return
			}
			process.Await(t, busBound, "a reason", func() error {
				if d := a.Status().Session.Detail; !strings.Contains(d, tt.want) {
					return fmt.Errorf("it is %q", d)
				}
				return nil
			})
		})
	}
}

// testBusBlocked has the broker read from nobody who publishes, and stops while
// it does so.
func testBusBlocked(t *testing.T, broker *rabbitmq.Broker, uri string) {
	s := startBusScheduler(t, uri, busLayout{})
	a := startBusAgent(t, busAlone(t, uri))
	a.offer(1)
	s.awaits(t, "the report", map[string]string{"total_volumes": "1"})
	broker.Block()
	defer broker.Unblock()
	a.offer(2)
	a.awaits(publisher.Blocked)
	a.offer(3)
	broker.Unblock()
	s.awaits(t, "the newest report after a block", map[string]string{"total_volumes": "3"})
	broker.Block()
	a.offer(4)
	a.awaits(publisher.Blocked)
	begun := time.Now()
	a.stop()
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("stopping took %s", took)
	}
	busNoGoroutines(t)
}

func testBusOutages(t *testing.T, broker *rabbitmq.Broker, uri string) {
	s := startBusScheduler(t, uri, busLayout{})
	a := startBusAgent(t, busAlone(t, uri))
	a.offer(1)
	s.awaits(t, "the first report", map[string]string{"total_volumes": "1"})

	broker.Kill()
	a.awaits(publisher.Connecting)
	a.offer(2)
	a.offer(3)
	broker.Start()
	s = startBusScheduler(t, uri, busLayout{})
	s.awaitsWithin(t, busSecondLook, "the newest report after a crash", map[string]string{"total_volumes": "3"})

	broker.Stop()
	a.awaits(publisher.Connecting)
	broker.Start()
	s = startBusScheduler(t, uri, busLayout{})
	s.awaitsWithin(t, busSecondLook, "the report after a restart", map[string]string{"total_volumes": "3"})

	broker.Freeze()
	a.offer(4)
	a.awaits(publisher.Connecting)
	broker.Thaw()
	s.awaitsWithin(t, busSecondLook, "the report after a freeze", map[string]string{"total_volumes": "4"})

	a.stop()
	busNoGoroutines(t)
	process.Await(t, busBound, "the agent's queue to be gone", func() error {
		for _, made := range busMade(broker, "outages") {
			if strings.Contains(made, "amq.gen") {
				return fmt.Errorf("there is %s", made)
			}
		}
		return nil
	})
}

// busNoGoroutines waits until no code of the publisher runs.
func busNoGoroutines(t *testing.T) {
	t.Helper()
	process.Await(t, busBound, "the publisher's goroutines to end", func() error {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if n := strings.Count(string(stacks), "poolcast/publisher.(*"); n > 0 {
			return fmt.Errorf("there are %d frames:\n%s", n, stacks)
		}
		return nil
	})
}

// testBusFailover reaches the broker through two hosts, one of which is lost.
func testBusFailover(t *testing.T, broker *rabbitmq.Broker, uri string) {
	s := startBusScheduler(t, uri, busLayout{})
	hosts := map[string]*busForwarder{}
	o := busAlone(t, uri)
	o.Brokers = nil
	for range 2 {
		f := busForward(t, broker.Addr())
		hosts[f.Addr().String()] = f
		o.Brokers = append(o.Brokers, busOptions(t, strings.Replace(uri, broker.Addr(), f.Addr().String(), 1)).Brokers...)
	}
	a := startBusAgent(t, o)
	a.offer(1)
	s.awaits(t, "the report", map[string]string{"total_volumes": "1"})
	first := a.awaits(publisher.Ready).Broker
	hosts[first].close()
	a.offer(2)
	s.awaits(t, "the report through the other host", map[string]string{"total_volumes": "2"})
	if s := a.awaits(publisher.Ready); s.Broker == first || hosts[s.Broker] == nil {
		t.Errorf("the session is %+v", s)
	}
}
