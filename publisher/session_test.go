//go:build integration

package publisher

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// TestSession runs sessions against a real RabbitMQ, each in a virtual host of
// its own, with a stand-in for the schedulers.
func TestSession(t *testing.T) {
	broker := rabbitmq.Start(t, rabbitmq.Options{})
	beside := map[string]func(*testing.T, *rabbitmq.Broker){
		"exclusive": func(t *testing.T, b *rabbitmq.Broker) { testMode(t, b, ListenExclusive) },
		"quorum":    func(t *testing.T, b *rabbitmq.Broker) { testMode(t, b, ListenQuorum) },
		"stream":    func(t *testing.T, b *rabbitmq.Broker) { testMode(t, b, ListenStream) },
		"crash":     testCrash,
		"notstream": testNotStream,
		"rights":    testPermissions,
		"pools":     testPools,
		"noreply":   testPoolsWithoutReply,
		"stopped":   func(t *testing.T, b *rabbitmq.Broker) { testReleaseExchange(t, b, layout{}, false) },
		"autodel": func(t *testing.T, b *rabbitmq.Broker) {
			testReleaseExchange(t, b, layout{autoDelete: true}, false)
		},
		"deleted":   func(t *testing.T, b *rabbitmq.Broker) { testReleaseExchange(t, b, layout{}, true) },
		"absent":    testMissingExchange,
		"starting":  testStarting,
		"count":     testCount,
		"rebind":    testRebind,
		"keep":      testKeepQueue,
		"unbound":   testUnboundStream,
		"results":   testResults,
		"lost":      testLostChannel,
		"notify":    testNotify,
		"pipelined": testPipelined,
		"userdel":   testUserDeleted,
		"vhostdel":  testVHostDeleted,
		"limit":     testConnectionLimit,
		"refused":   testPermissionRevoked,
	}
	alone := map[string]func(*testing.T, *rabbitmq.Broker){
		"leaveblocked": testReleaseWhileBlocked,
		"stopblocked":  testStopWhileBlocked,
	}
	var vhosts []string
	for name := range beside {
		vhosts = append(vhosts, name)
	}
	for name := range alone {
		vhosts = append(vhosts, name)
	}
	broker.VHosts(t, vhosts...)
	t.Run("beside", func(t *testing.T) {
		for name, test := range beside {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, broker.In(t, name))
			})
		}
	})
	for name, test := range alone {
		t.Run(name, func(t *testing.T) { test(t, broker.In(t, name)) })
	}
	noGoroutines(t)
}

// modeOptions are the options and the layout with which a mode is used.
func modeOptions(t *testing.T, uri string, mode ListenMode) (Options, layout) {
	o := optionsFor(t, uri)
	o.TransientQuorum = mode != ListenExclusive
	return o, layout{durable: mode != ListenExclusive, stream: mode == ListenStream}
}

// testMode checks that a mode receives, that its queue is bounded, and that
// nothing is left when the session ends.
func testMode(t *testing.T, b *rabbitmq.Broker, mode ListenMode) {
	uri := b.URL()
	o, l := modeOptions(t, uri, mode)
	startScheduler(t, uri, l)
	before := queues(b)
	begun := time.Now()
	r := startSession(t, o)
	s := r.awaitsState(Ready)
	if s.Listening != mode || s.Detail != "" || s.schedulers() != 1 || s.basesFrom.Before(begun) || s.basesFrom.After(time.Now()) {
		t.Errorf("the session is %+v, %d schedulers", s, s.schedulers())
	}
	r.publishes("one")
	r.receives("one")
	if n := strings.Count(b.Log(), "no queue '"+schedulerStream+"' in vhost '"+b.VHost()+"'"); mode != ListenStream && n > 2 {
		t.Errorf("looking for a stream costs the broker %d lines", n)
	}
	during := queues(b)
	want := map[ListenMode][]string{
		ListenExclusive: {"amq.gen-", "\tfalse\ttrue\t", `"x-max-length",10000`, `"x-max-length-bytes",33554432`},
		ListenQuorum: {
			"poolcast.cinder-scheduler_fanout.", "\ttrue\tfalse\t", `"x-max-length",10000`, `"x-max-length-bytes",33554432`,
			`"x-overflow","drop-head"`, `"x-expires",60000`, `"x-queue-type","quorum"`,
		},
	}[mode]
	added := slices.DeleteFunc(slices.Clone(during), func(q string) bool { return slices.Contains(before, q) })
	if len(added) > 1 || (len(added) == 0) != (mode == ListenStream) {
		t.Errorf("the session declared %q", added)
	}
	for _, part := range want {
		if !strings.Contains(added[0], part) {
			t.Errorf("the session declared %q, want %q", added, part)
		}
	}
	for _, line := range strings.Split(b.Ctl("list_consumers", "--no-table-headers", "-p", b.VHost(), "queue_name", "prefetch_count"), "\n") {
		if len(added) == 1 && strings.HasPrefix(line, strings.Split(added[0], "\t")[0]) && !strings.HasSuffix(line, "\t4") {
			t.Errorf("the consumer is %q", line)
		}
	}
	r.stop()
	process.Await(t, bound, "nothing to be left", func() error {
		if after := queues(b); !slices.Equal(after, before) {
			return fmt.Errorf("there are %q, before %q", after, before)
		}
		return nil
	})
}

// queues lists the queues of a virtual host, sorted, with their properties.
func queues(b *rabbitmq.Broker) []string {
	out := b.Ctl("list_queues", "--no-table-headers", "-p", b.VHost(), "name", "durable", "auto_delete", "exclusive", "arguments")
	list := slices.DeleteFunc(strings.Split(out, "\n"), func(line string) bool { return line == "" })
	slices.Sort(list)
	return list
}

// testCrash cuts the connections of a session with a quorum queue, as a crash of
// the agent does: the queue has an end of its own, and the next connection uses
// the same name and sees nothing that is older than itself.
func testCrash(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	o, l := modeOptions(t, uri, ListenQuorum)
	startScheduler(t, uri, l)
	proxy := rabbitmq.StartProxy(t, "127.0.0.1", b.Addr(), 0)
	o.Brokers = optionsFor(t, strings.Replace(uri, b.Addr(), proxy.Addr(), 1)).Brokers
	r := startSession(t, o)
	first := r.awaitsState(Ready)
	proxy.Cut()
	r.awaitsState(Connecting)
	admin := channelOn(t, connect(t, uri))
	q, err := admin.QueueDeclarePassive(r.queue, true, false, false, false, nil)
	must(t, err)
	must(t, admin.Publish(fanoutExchange, "", false, false, amqp.Publishing{Body: []byte("missed")}))
	proxy.Restore()
	again := r.reopens(first)
	if again.Listening != ListenQuorum || q.Name != r.queue {
		t.Errorf("the session is %+v", again)
	}
	r.publishes("seen")
	r.receives("seen")
	if slices.Contains(r.received(), "missed") {
		t.Error("a message from before the opening was received")
	}
}

// testNotStream has an ordinary queue of the stream's name. Its messages belong
// to other consumers.
func testNotStream(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	startScheduler(t, uri, layout{})
	admin := channelOn(t, connect(t, uri))
	_, err := admin.QueueDeclare(schedulerStream, false, false, false, false, nil)
	must(t, err)
	must(t, admin.Publish("", schedulerStream, false, false, amqp.Publishing{Body: []byte("private")}))
	r := startSession(t, optionsFor(t, uri))
	r.awaits("an exclusive queue", func(s Session) bool { return s.State == Ready && s.Listening == ListenExclusive })
	r.publishes("one")
	r.receives("one")
	if slices.Contains(r.received(), "private") {
		t.Error("a message of another queue was received")
	}
	process.Await(t, bound, "the message to be in its queue", func() error {
		if q, err := admin.QueueDeclarePassive(schedulerStream, false, false, false, false, nil); err != nil || q.Messages != 1 {
			return fmt.Errorf("there are %d messages, %w", q.Messages, err)
		}
		return nil
	})
}

// testPermissions checks the least rights of each mode as OPERATIONS.md has them, and
// that without one of them the reason is reported.
func testPermissions(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	scheduler := startScheduler(t, uri, layout{durable: true})
	b.Ctl("add_user", "least", "least")
	text, err := os.ReadFile("../OPERATIONS.md")
	must(t, err)
	documented := regexp.MustCompile(`(?m)^rabbitmqctl set_permissions -p / poolcast '(.*)' '(.*)' '(.*)'$`).FindAllStringSubmatch(string(text), -1)
	modes := []ListenMode{ListenExclusive, ListenQuorum, ListenStream}
	if len(documented) != len(modes)+1 {
		t.Fatalf("OPERATIONS.md has %d lines of rights, want one for each of %v and one for the scheduler's list", len(documented), modes)
	}
	for i, mode := range modes {
		rights := documented[i][1:]
		o, _ := modeOptions(t, uri, mode)
		o.Brokers[0].User, o.Brokers[0].Password = "least", word("least")
		if mode == ListenStream {
			must(t, scheduler.consumeFanout(layout{stream: true}))
		}
		b.Ctl("set_permissions", "-p", b.VHost(), "least", rights[0], rights[1], rights[2])
		r := startSession(t, o)
		r.awaits(string(mode), func(s Session) bool { return s.State == Ready && s.Listening == mode && s.Detail == "" })
		r.publishes(string(mode))
		r.receives(string(mode))
		r.stop()
		for missing := range rights {
			less := slices.Clone(rights)
			less[missing] = "^$"
			if less[missing] == rights[missing] {
				continue // the mode needs none of this kind
			}
			b.Ctl("set_permissions", "-p", b.VHost(), "least", less[0], less[1], less[2])
			r := startSession(t, o)
			process.Await(t, bound, fmt.Sprintf("%s with the rights %q to report what is refused", mode, less), func() error {
				r.publish("refused")
				if s := r.last(); s.State != Connecting || !strings.Contains(s.Detail, "ACCESS_REFUSED - access to ") {
					return fmt.Errorf("the session is %+v", s)
				}
				return nil
			})
			r.stop()
		}
	}
}

// testReleaseExchange ends the last scheduler, and with it what the layout requires. Nothing
// of the session may then keep the exchange alive, and a scheduler with another
// layout can start.
func testReleaseExchange(t *testing.T, b *rabbitmq.Broker, l layout, deleted bool) {
	uri := b.URL()
	old := startScheduler(t, uri, l)
	r := startSession(t, optionsFor(t, uri))
	r.awaitsState(Ready)
	admin := connect(t, uri)
	old.stop()
	stopped := time.Now()
	if deleted {
		_, err := channelOn(t, admin).QueueDelete(schedulerQueue, false, false, false)
		must(t, err)
	}
	process.Await(t, bound, "the exchange to be gone", func() error {
		if exchangeExists(t, admin) {
			return errors.New("it is there")
		}
		return nil
	})
	// Three seconds, and two that a busy machine may need in addition.
	if took := time.Since(stopped); took > 5*time.Second {
		t.Errorf("the exchange was kept alive for %s", took)
	}
	if s := r.awaitsState(NoScheduler); s.Listening != "" || s.schedulers() != 0 {
		t.Errorf("the session is %+v, %d schedulers", s, s.schedulers())
	}
	ch := channelOn(t, admin)
	_, err := ch.QueueDelete(schedulerQueue, false, false, false)
	must(t, err)
	must(t, ch.ExchangeDelete("openstack", false, false))
	startScheduler(t, uri, layout{durable: !l.durable})
	r.awaitsState(Ready)
	r.publishes("to the new scheduler")
}

// testMissingExchange begins where nothing exists: no other state is reported,
// nothing is declared, and the broker logs its errors with pauses.
func testMissingExchange(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	r := startSession(t, optionsFor(t, uri))
	r.awaitsState(NoScheduler)
	process.Await(t, bound, "two lookups", func() error {
		if n := len(errorsIn(b)); n < 2 {
			return fmt.Errorf("there was %d", n)
		}
		return nil
	})
	if made := queues(b); len(made) > 0 || exchangeExists(t, connect(t, uri)) {
		t.Errorf("the session declared %q", made)
	}
	checkPauses(t, b)
	startScheduler(t, uri, layout{})
	r.awaitsState(Ready)
	var states []SessionState
	for _, s := range r.all() {
		states = append(states, s.State)
	}
	if !slices.Equal(states, []SessionState{NoScheduler, Ready}) {
		t.Errorf("the states were %v", states)
	}
}

// testStarting has schedulers that consume their queue, but no exchange, as in
// the moment of their start, or where exchanges were deleted.
func testStarting(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	scheduler := &cinderScheduler{cindertest.ConnectScheduler(t, uri)}
	must(t, scheduler.consumeTopic(layout{}))
	r := startSession(t, optionsFor(t, uri))
	r.awaitsState(NoExchange)
	r.stop()
	must(t, scheduler.consumeFanout(layout{}))
	r = startSession(t, optionsFor(t, uri))
	r.awaitsState(Ready)
	must(t, channelOn(t, connect(t, uri)).ExchangeDelete(fanoutExchange, false, false))
	if err := r.publish("without an exchange")[0]; !errors.Is(err, errNotConnected) {
		t.Errorf("without an exchange, publishing ends with %v", err)
	}
	r.awaitsState(NoExchange)
	must(t, scheduler.consumeFanout(layout{}))
	r.awaitsState(Ready)
	r.publishes("found")
	r.receives("found")
}

// errorsIn returns when the broker logged that something does not exist in a
// virtual host, other than a stream.
func errorsIn(b *rabbitmq.Broker) (at []time.Time) {
	for line := range strings.Lines(b.Log()) {
		if strings.Contains(line, "in vhost '"+b.VHost()+"'") && strings.Contains(line, "not_found") && !strings.Contains(line, schedulerStream) {
			if when, err := time.Parse("2006-01-02 15:04:05.999999-07:00", line[:32]); err == nil {
				at = append(at, when)
			}
		}
	}
	return at
}

// checkPauses fails the test if errors follow one another too soon.
func checkPauses(t *testing.T, b *rabbitmq.Broker) {
	t.Helper()
	at := errorsIn(b)
	for i := range at[1:] {
		if d := at[i+1].Sub(at[i]); d < pause-100*time.Millisecond {
			t.Errorf("the broker logs two errors within %s", d)
		}
	}
}

// testCount starts and stops schedulers beside one that stays.
func testCount(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	startScheduler(t, uri, layout{})
	r := startSession(t, optionsFor(t, uri))
	opened := r.awaitsState(Ready)
	two := opened
	for !two.basesFrom.After(opened.basesFrom) { // more than once only if none has looked since the opening
		second := startScheduler(t, uri, layout{})
		started := time.Now()
		two = r.awaits("two schedulers", func(s Session) bool { return s.schedulers() == 2 })
		if two.State != Ready || two.basesFrom.After(started) {
			t.Errorf("a scheduler started before %s, bases count from %s", started, two.basesFrom)
		}
		second.stop()
		r.awaits("one scheduler", func(s Session) bool { return s.schedulers() == 1 })
	}
	all := r.all()
	for i := range all[1:] {
		if all[i].schedulers() == all[i+1].schedulers() {
			t.Errorf("nothing has changed between %+v and %+v", all[i], all[i+1])
		}
	}
	// Another connection is no other number.
	b.Ctl("close_all_connections", "-p", b.VHost(), "test")
	startScheduler(t, uri, layout{})
	r.reopens(r.last())
	for _, s := range r.all() {
		if s.schedulers() < 0 {
			t.Errorf("the number was forgotten: %+v", s)
		}
	}
}

// testRebind takes the binding away, as a partition of a cluster may.
func testRebind(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	o, l := modeOptions(t, uri, ListenQuorum)
	startScheduler(t, uri, l)
	r := startSession(t, o)
	first := r.awaitsState(Ready)
	must(t, channelOn(t, connect(t, uri)).QueueUnbind(r.queue, "", fanoutExchange, nil))
	r.publishes("unheard")
	r.Rebind()
	again := r.reopens(first)
	if again.Listening != ListenQuorum || len(r.all()) != 2 {
		t.Errorf("the sessions were %+v", r.all())
	}
	r.publishes("bound again")
	r.receives("bound again")
	if slices.Contains(r.received(), "unheard") {
		t.Error("the binding was still there")
	}
}

// testKeepQueue loses binding and channel while the connection lives. The quorum queue is
// used again: a second binding of it, which a new queue would not have, still works.
func testKeepQueue(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	o, l := modeOptions(t, uri, ListenQuorum)
	startScheduler(t, uri, l)
	r := startSession(t, o)
	before := r.awaitsState(Ready)
	admin := channelOn(t, connect(t, uri))
	must(t, admin.ExchangeDeclare("kept", amqp.ExchangeFanout, false, true, false, false, nil))
	must(t, admin.QueueBind(r.queue, "", "kept", false, nil))
	for n, lose := range []func(){
		r.Rebind,
		func() { must(t, admin.ExchangeDelete(fanoutExchange, false, false)); r.publish("lost") },
	} {
		lose()
		if n == 1 {
			startScheduler(t, uri, l)
		}
		before = r.reopens(before)
		text := fmt.Sprintf("kept %d", n)
		must(t, admin.Publish("kept", "", false, false, amqp.Publishing{Body: []byte(text)}))
		r.receives(text)
	}
}

// testUnboundStream has a stream that was left over: nothing reaches it, so
// Rebind tries without.
func testUnboundStream(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	startScheduler(t, uri, layout{})
	admin := channelOn(t, connect(t, uri))
	_, err := admin.QueueDeclare(schedulerStream, true, false, false, false, amqp.Table{"x-queue-type": "stream"})
	must(t, err)
	r := startSession(t, optionsFor(t, uri))
	r.awaits("the stream", func(s Session) bool { return s.Listening == ListenStream })
	r.publishes("unheard")
	r.Rebind()
	r.awaits("a queue", func(s Session) bool { return s.Listening == ListenExclusive })
	r.publishes("bound again")
	r.receives("bound again")
}

// testResults has the broker confirm, refuse and return messages of one batch.
func testResults(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	scheduler := startScheduler(t, uri, layout{stream: true})
	r := startSession(t, optionsFor(t, uri))
	r.awaitsState(Ready)
	if got := r.publish("a", "b", "c"); !slices.Equal(got, []error{nil, nil, nil}) {
		t.Errorf("the results are %v", got)
	}
	must(t, scheduler.QueueUnbind(schedulerStream, schedulerQueue, fanoutExchange, nil))
	// Without a queue an auto-delete exchange would be gone; this one has an
	// exchange bound to it that routes by its bindings.
	must(t, scheduler.ExchangeDeclare(fanoutExchange, "fanout", true, true, false, false, nil))
	must(t, scheduler.ExchangeDeclare("dead", "headers", false, false, false, false, nil))
	must(t, scheduler.ExchangeBind("dead", "", fanoutExchange, false, nil))
	big := make([]string, 3*batchSize)
	for i := range big {
		big[i] = fmt.Sprint("returned ", i)
	}
	for i, err := range r.publish(big...) {
		if !errors.Is(err, errReturned) {
			t.Fatalf("message %d of %d: %v", i, len(big), err)
		}
	}
	_, err := scheduler.QueueDeclare("full", false, true, false, false, amqp.Table{"x-max-length": int64(1), "x-overflow": "reject-publish"})
	must(t, err)
	must(t, scheduler.QueueBind("full", "", fanoutExchange, false, nil))
	got := r.publish("fits", "does not fit", "nor this")
	if got[0] != nil || !errors.Is(got[1], errNack) || !errors.Is(got[2], errNack) {
		t.Errorf("the results are %v", got)
	}
}

// testLostChannel loses channel and connection under messages: none of them may
// count as returned.
func testLostChannel(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	startScheduler(t, uri, layout{})
	proxy := rabbitmq.StartProxy(t, "127.0.0.1", b.Addr(), 0)
	o := optionsFor(t, uri)
	o.Brokers = optionsFor(t, strings.Replace(uri, b.Addr(), proxy.Addr(), 1)).Brokers
	r := startSession(t, o)
	r.awaitsState(Ready)
	for _, lose := range []func(){
		func() { must(t, channelOn(t, connect(t, uri)).ExchangeDelete(fanoutExchange, false, false)) },
		proxy.Cut,
	} {
		before := r.last()
		lose()
		process.Await(t, bound, "a message that is lost", func() error {
			switch err := r.publish("lost")[0]; {
			case errors.Is(err, errNotConnected):
				return nil
			case err != nil:
				t.Fatalf("a lost message ends with %v", err)
			}
			return errors.New("it was confirmed")
		})
		proxy.Restore()
		startScheduler(t, uri, layout{})
		r.reopens(before)
	}
}

// testNotify sends both kinds of message in one batch.
func testNotify(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	startScheduler(t, uri, layout{})
	for _, exchange := range []string{"openstack", "nowhere"} {
		o := optionsFor(t, uri)
		o.Notify, o.ControlExchange = true, exchange
		r := startSession(t, o)
		r.awaitsState(Ready)
		got := r.Publish(t.Context(), []outgoing{{updateCapabilities, []byte("a")}, {notifyCapabilities, []byte("a")}, {updateCapabilities, []byte("b")}})
		if got[0] != nil || got[2] != nil || exchange == "openstack" && got[1] != nil {
			t.Errorf("%s: the results are %v", exchange, got)
		}
		if exchange == "nowhere" && (got[1] == nil || !strings.Contains(got[1].Error(), "control_exchange")) {
			t.Errorf("the error is %v", got[1])
		}
		r.receives("b")
		r.stop()
	}
}

// testPipelined publishes a thousand reports through connections that delay
// everything by 5 ms in each direction. One at a time they would take more than
// ten seconds.
func testPipelined(t *testing.T, b *rabbitmq.Broker) {
	publish := delayedPublisher(t, b)
	best := time.Hour
	for range 5 {
		begun := time.Now()
		publish()
		best = min(best, time.Since(begun))
	}
	t.Logf("1,000 reports in %s", best)
	if best > 500*time.Millisecond {
		t.Errorf("1,000 reports took %s, want half a second at most", best)
	}
}

// BenchmarkPublishDelayed is the same for itself.
func BenchmarkPublishDelayed(b *testing.B) {
	broker := rabbitmq.Start(b, rabbitmq.Options{})
	publish := delayedPublisher(b, broker)
	for b.Loop() {
		publish()
	}
}

// delayedPublisher returns what publishes a thousand reports.
func delayedPublisher(t testing.TB, b *rabbitmq.Broker) func() {
	uri := b.URL()
	startScheduler(t, uri, layout{})
	o := optionsFor(t, strings.Replace(uri, b.Addr(), rabbitmq.StartProxy(t, "127.0.0.1", b.Addr(), 5*time.Millisecond).Addr(), 1))
	r := startSession(t, o)
	r.awaitsState(Ready)
	messages := make([]string, 1000)
	for i := range messages {
		messages[i] = fmt.Sprint(i, strings.Repeat("x", 3000))
	}
	return func() {
		for i, err := range r.publish(messages...) {
			if err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
		}
	}
}

// testUserDeleted and the next three take the permission to be there away in
// other ways. The reason must be in the session, in any order of events.
func testUserDeleted(t *testing.T, b *rabbitmq.Broker) {
	r := startAs(t, b)
	b.Ctl("delete_user", b.VHost())
	r.awaits("the reason", func(s Session) bool {
		return s.State == Connecting && strings.Contains(s.Detail, "the user or the password is wrong")
	})
	checkReasons(t, r, "user '"+b.VHost()+"' is deleted")
}

func testVHostDeleted(t *testing.T, b *rabbitmq.Broker) {
	r := startAs(t, b)
	b.Ctl("delete_vhost", b.VHost())
	r.awaits("the reason", func(s Session) bool {
		return s.State == Connecting && strings.Contains(s.Detail, "vhost "+b.VHost()+" not found")
	})
	checkReasons(t, r, "vhost '"+b.VHost()+"' is ") // deleted, or down for that
}

func testConnectionLimit(t *testing.T, b *rabbitmq.Broker) {
	r := startAs(t, b)
	b.Ctl("set_user_limits", b.VHost(), `{"max-connections": 1}`)
	b.Ctl("close_all_connections", "-p", b.VHost(), "maintenance")
	r.awaits("the reason", func(s Session) bool {
		return s.State == Connecting && strings.Contains(s.Detail, "connection limit (1) is reached")
	})
	checkReasons(t, r, "maintenance")
}

func testPermissionRevoked(t *testing.T, b *rabbitmq.Broker) {
	r := startAs(t, b)
	b.Ctl("set_permissions", "-p", b.VHost(), b.VHost(), "^$", "^$", "^$")
	process.Await(t, bound, "a refused message", func() error {
		if err := r.publish("refused")[0]; !errors.Is(err, errNotConnected) {
			return fmt.Errorf("the result is %w", err)
		}
		return nil
	})
	r.awaits("the reason", func(s Session) bool {
		return s.State == Connecting && strings.Contains(s.Detail, "ACCESS_REFUSED")
	})
	checkReasons(t, r, "ACCESS_REFUSED - access to exchange '"+fanoutExchange+"'")
}

// startAs starts a session with a user of its own.
func startAs(t *testing.T, b *rabbitmq.Broker) *running {
	uri := b.URL()
	startScheduler(t, uri, layout{})
	b.Ctl("add_user", b.VHost(), "secret")
	b.Ctl("set_permissions", "-p", b.VHost(), b.VHost(), ".*", ".*", ".*")
	o := optionsFor(t, uri)
	o.Brokers[0].User, o.Brokers[0].Password = b.VHost(), word("secret")
	r := startSession(t, o)
	r.awaitsState(Ready)
	return r
}

// checkReasons fails the test if the session was ever not ready for another
// reason first.
func checkReasons(t *testing.T, r *running, first string) {
	t.Helper()
	for _, s := range r.all() {
		if s.State == Ready && s.Listening == "" {
			t.Errorf("ready without listening: %+v", s)
		}
		if s.State == Connecting {
			if !strings.Contains(s.Detail, first) {
				t.Errorf("the first reason is %q, want %q", s.Detail, first)
			}
			return
		}
	}
	t.Error("there was no reason")
}

// testReleaseWhileBlocked ends the last scheduler while the broker reads from
// no publishers.
func testReleaseWhileBlocked(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	scheduler := startScheduler(t, uri, layout{})
	r := startSession(t, optionsFor(t, uri))
	r.awaitsState(Ready)
	admin := connect(t, uri)
	b.Block()
	defer b.Unblock()
	blocked(t, r)
	if s := r.last(); s.schedulers() != 1 || s.Listening != ListenExclusive || s.Detail == "" {
		t.Errorf("the session is %+v", s)
	}
	begun := time.Now()
	if err := r.publish("not now")[0]; !errors.Is(err, errBlocked) || time.Since(begun) > time.Second {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
	scheduler.stop()
	r.awaitsState(NoScheduler)
	if exchangeExists(t, admin) {
		t.Error("the exchange is kept alive")
	}
	startScheduler(t, uri, layout{durable: false})
	r.awaitsState(Blocked)
	b.Unblock()
	r.awaitsState(Ready)
	r.publishes("now")
	r.receives("now")
	own := slices.DeleteFunc(queues(b), func(q string) bool { return !strings.Contains(q, "x-max-length") })
	if len(own) != 1 {
		t.Errorf("the session has %q", own)
	}
	channels := 0
	for line := range strings.Lines(b.Ctl("list_channels", "--no-table-headers", "vhost", "confirm")) {
		if line == b.VHost()+"\ttrue\n" {
			channels++
		}
	}
	if channels != 1 {
		t.Errorf("the session has %d channels to publish on", channels)
	}
}

// blocked publishes until the broker reports that it has blocked the session.
func blocked(t *testing.T, r *running) {
	t.Helper()
	process.Await(t, bound, "the block", func() error {
		results := r.publish("refused")
		if s := r.last(); s.State != Blocked {
			return fmt.Errorf("the session is %+v, the result %w", s, results[0])
		}
		return nil
	})
}

func testStopWhileBlocked(t *testing.T, b *rabbitmq.Broker) {
	uri := b.URL()
	o, l := modeOptions(t, uri, ListenQuorum)
	startScheduler(t, uri, l)
	before := queues(b)
	r := startSession(t, o)
	r.awaitsState(Ready)
	b.Block()
	defer b.Unblock()
	blocked(t, r)
	begun := time.Now()
	r.stop()
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("stopping took %s", took)
	}
	if after := queues(b); !slices.Equal(after, before) {
		t.Errorf("there are %q, before %q", after, before)
	}
}

// noGoroutines waits until no code of the session runs.
func noGoroutines(t *testing.T) {
	t.Helper()
	process.Await(t, bound, "the session's goroutines to end", func() error {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if n := strings.Count(string(stacks), "publisher.(*"); n > 0 {
			return fmt.Errorf("there are %d frames:\n%s", n, stacks)
		}
		return nil
	})
}
