package publisher

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability"
)

// fanout is the schedulers' exchange without a broker: a message
// reaches every scheduler and every listening agent.
type fanout struct {
	t          *testing.T
	schedulers []*scheduler

	mu     sync.Mutex
	agents []*fakeBus
}

func (f *fanout) send(body []byte) {
	for _, s := range f.schedulers {
		s.receive(body)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.agents {
		a.deliver(body)
	}
}

// fakeBus is one agent's connection to the exchange.
type fakeBus struct {
	exchange *fanout
	state    chan Session
	incoming chan []byte

	mu      sync.Mutex
	refuse  error // what Publish returns
	unbound bool  // nothing is delivered until the queue is bound again
	broken  bool  // binding it again does not help
	rebinds int
	batches [][]outgoing
}

func (f *fanout) connect() *fakeBus {
	b := &fakeBus{exchange: f, state: make(chan Session, 10), incoming: make(chan []byte, 1000)}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.agents = append(f.agents, b)
	return b
}

func (b *fakeBus) deliver(body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.unbound {
		b.incoming <- body
	}
}

func (b *fakeBus) Run(ctx context.Context, to receiver) {
	to.onSession(ready())
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-b.state:
			to.onSession(s)
		case body := <-b.incoming:
			to.onMessage(body)
		}
	}
}

// ready is a session that was opened now.
func ready() Session {
	return Session{State: Ready, Broker: "fake:5672", Listening: ListenExclusive, basesFrom: time.Now()}
}

func (b *fakeBus) Publish(ctx context.Context, messages []outgoing) []error {
	b.mu.Lock()
	refuse := b.refuse
	b.batches = append(b.batches, messages)
	b.mu.Unlock()
	errs := make([]error, len(messages))
	for i, m := range messages {
		if errs[i] = refuse; refuse == nil && m.method == updateCapabilities {
			b.exchange.send(m.body)
		}
	}
	if ctx.Err() != nil {
		for i := range errs {
			errs[i] = ctx.Err()
		}
	}
	return errs
}

func (b *fakeBus) Rebind() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rebinds++
	if !b.broken {
		b.unbound = false
	}
	b.state <- ready()
}

func (b *fakeBus) set(change func(*fakeBus)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b)
}

// restarted is what a session reports when schedulers have started.
func (b *fakeBus) restarted() {
	b.state <- ready()
	synctest.Wait()
}

// agent is a publisher at work, with what it logged.
type agent struct {
	*Publisher
	bus  *fakeBus
	log  *bytes.Buffer
	stop func() // cleanly
}

// start runs an agent until the test ends, in a synctest bubble.
func (f *fanout) start(o Options) *agent { return f.startAs("", o) }

// startAs gives the agent a name: of two, the lower one publishes.
func (f *fanout) startAs(name string, o Options) *agent {
	a := &agent{bus: f.connect(), log: &bytes.Buffer{}}
	o.Brokers = []Broker{{Host: "fake"}}
	o.Logger = zerolog.New(a.log)
	a.Publisher = newPublisher(o.withDefaults(), a.bus)
	a.id.name = cmp.Or(name, a.id.name)
	ctx, cancel := context.WithCancel(f.t.Context())
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	a.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			f.t.Error(err)
		}
		a.bus.set(func(b *fakeBus) { b.unbound, b.broken = true, true })
	})
	f.t.Cleanup(a.stop)
	synctest.Wait()
	return a
}

// lines counts the lines of the log that hold a text.
func (a *agent) lines(text string) int {
	n := 0
	for line := range bytes.Lines(a.log.Bytes()) {
		if bytes.Contains(line, []byte(text)) {
			n++
		}
	}
	return n
}

// state of a backend.
func (a *agent) state(t *testing.T, name string) BackendStatus {
	t.Helper()
	for _, b := range a.Status().Backends {
		if b.Identity == name {
			return b
		}
	}
	t.Fatalf("the status has no backend %s", name)
	return BackendStatus{}
}

// cinderVolume is one cinder-volume service. It reports keys that poolcast does
// not have, in a form that poolcast does not write.
type cinderVolume struct {
	exchange  *fanout
	host      string
	cluster   string
	skew      time.Duration
	total     float64
	allocated int
	sent      int
}

const unknownKeys = `"rack":"r\u00e4ck","limits":{"a":[1e3,null],"z":1.50},"big":123456789012345678901234567890`

func (c *cinderVolume) report() { c.exchange.send(c.message(c.capabilities(), c.stamp())) }

func (c *cinderVolume) reportAs(capabilities string) {
	c.exchange.send(c.message(capabilities, c.stamp()))
}

// capabilities are those that it would report now.
func (c *cinderVolume) capabilities() string {
	return fmt.Sprintf(`{"volume_backend_name":"gold","total_capacity_gb":%.1f,"free_capacity_gb":500.0,"allocated_capacity_gb":%d,"total_volumes":1,"usec_per_read_op":0,%s}`,
		c.total, c.allocated, unknownKeys)
}

// replicating are these with targets of the replication, as JSON.
func (c *cinderVolume) replicating(targets string) string {
	return strings.TrimSuffix(c.capabilities(), "}") + `,"replication_targets":` + targets + "}"
}

// stamp is the time by its clock, as JSON.
func (c *cinderVolume) stamp() string {
	return strconv.Quote(time.Now().UTC().Add(c.skew).Format(stampFormat))
}

// message is a report as oslo.messaging encodes it, with an ID as uuid4 makes it.
func (c *cinderVolume) message(capabilities, stamp string) []byte {
	c.sent++
	cluster := "null"
	if c.cluster != "" {
		cluster = strconv.Quote(c.cluster)
	}
	return []byte(envelope(fmt.Sprintf(
		`{"method":"update_service_capabilities","version":"3.3","_unique_id":"%012x4000a00000000000","args":{"service_name":"volume","host":%q,"cluster_name":%s,"timestamp":%s,"capabilities":%s}}`,
		c.sent, c.host, cluster, stamp, capabilities)))
}

// newSample returns the report of a sample taken now.
func newSample(volumes int64, total float64) capability.Report {
	set := capability.Set{
		"volume_backend_name":     capability.OfString("gold"),
		"total_capacity_gb":       capability.OfFloat(total),
		"free_capacity_gb":        capability.OfFloat(400),
		"total_volumes":           capability.OfInt(volumes),
		"usec_per_read_op":        capability.OfInt(321),
		"provisioned_capacity_gb": capability.OfFloat(900),
		"array_id":                capability.OfString("array-1"),
		"metrics_age_seconds":     capability.OfInt(3),
		"metrics_status":          capability.OfString("ok"),
		"metrics_agent":           capability.OfString("poolcast"),
		"replication_targets":     capability.OfStrings("fa8", "fa9"),
	}
	live := set.Clone()
	delete(live, "volume_backend_name")
	delete(live, "replication_targets")
	return capability.Report{
		Host: fa1, Backend: "fa1", Pool: "gold", CollectedAt: time.Now(), Status: capability.OK,
		Capabilities: set, LiveKeys: live.SortedKeys(),
	}
}

// newStaleSample returns the report of a stale array with on_stale =
// down, or drop.
func newStaleSample(drop bool) capability.Report {
	r := newSample(42, 1000)
	over := capability.Set{
		"backend_state":     capability.OfString("down"),
		"metrics_status":    capability.OfString("stale"),
		"metrics_agent":     capability.OfString("poolcast"),
		"goodness_function": capability.OfString("0"),
	}
	if drop {
		over["total_capacity_gb"], over["free_capacity_gb"] = capability.OfFloat(0), capability.OfFloat(0)
	}
	r.Status = capability.Stale
	r.Capabilities, r.LiveKeys = r.Capabilities.Overlay(over), over.SortedKeys()
	return r
}
