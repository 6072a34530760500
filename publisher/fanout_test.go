package publisher

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability"
)

// fanout is the schedulers' exchange without a broker: what anybody casts
// reaches every scheduler and every listening agent.
type fanout struct {
	t          *testing.T
	schedulers []*scheduler

	mu        sync.Mutex
	listeners []chan []byte
	queues    map[string]int // consumers by queue; absent means no such queue
}

func (f *fanout) cast(body []byte) {
	for _, s := range f.schedulers {
		s.receive(body)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.listeners {
		l <- body
	}
}

// fakeBus is one agent's way to the exchange.
type fakeBus struct {
	exchange *fanout
	state    chan Session

	mu     sync.Mutex
	refuse error // what Publish returns
	probes int
}

func (b *fakeBus) Run(ctx context.Context, to receiver) {
	mine := make(chan []byte, 100)
	b.exchange.mu.Lock()
	b.exchange.listeners = append(b.exchange.listeners, mine)
	b.exchange.mu.Unlock()
	to.change(Session{State: Ready, Broker: "fake:5672"})
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-b.state:
			to.change(s)
		case body := <-mine:
			to.hear(body)
		}
	}
}

func (b *fakeBus) Publish(_ context.Context, m Message, body []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse == nil && m.Method == UpdateCapabilities {
		b.exchange.cast(body)
	}
	return b.refuse
}

func (b *fakeBus) Consumers(_ context.Context, queue string) (int, error) {
	b.mu.Lock()
	b.probes++
	b.mu.Unlock()
	b.exchange.mu.Lock()
	defer b.exchange.mu.Unlock()
	if n, there := b.exchange.queues[queue]; there {
		return n, nil
	}
	return 0, errNoQueue
}

// agent is a publisher at work, with what it logged.
type agent struct {
	*Publisher
	bus *fakeBus
	log *bytes.Buffer
}

// start runs an agent until the test ends, in a synctest bubble.
func (f *fanout) start(o Options) *agent {
	a := &agent{bus: &fakeBus{exchange: f, state: make(chan Session)}, log: &bytes.Buffer{}}
	o.Brokers = []Broker{{Host: "fake"}}
	o.Logger = zerolog.New(a.log)
	a.Publisher = newPublisher(o.withDefaults(), a.bus)
	ctx, cancel := context.WithCancel(f.t.Context())
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	f.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			f.t.Error(err)
		}
	})
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
	t.Fatalf("the status does not know %s", name)
	return BackendStatus{}
}

// cinderVolume is one cinder-volume service. It reports keys that poolcast does
// not know, in a spelling that poolcast would not choose.
type cinderVolume struct {
	exchange *fanout
	host     string
	cluster  string
	skew     time.Duration
	total    float64
	sent     int
}

const strangeKeys = `"allocated_capacity_gb":17,"rack":"r\u00e4ck","limits":{"a":[1e3,null],"z":1.50},"big":123456789012345678901234567890`

func (c *cinderVolume) report() {
	c.sent++
	c.say(fmt.Sprintf(`{"volume_backend_name":"gold","total_capacity_gb":%.1f,"free_capacity_gb":500.0,"total_volumes":1,"usec_per_read_op":0,%s}`, c.total, strangeKeys))
}

func (c *cinderVolume) say(capabilities string) {
	cluster := "null"
	if c.cluster != "" {
		cluster = strconv.Quote(c.cluster)
	}
	stamp := time.Now().UTC().Add(c.skew).Format(stampFormat)
	c.exchange.cast([]byte(envelope(fmt.Sprintf(
		`{"method":"update_service_capabilities","version":"3.3","_unique_id":"%032x","args":{"service_name":"volume","host":%q,"cluster_name":%s,"timestamp":%q,"capabilities":%s}}`,
		c.sent, c.host, cluster, stamp, capabilities))))
}

// reading is what the collector would offer now.
func reading(volumes int64, total float64) capability.Report {
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
	}
	live := set.Clone()
	delete(live, "volume_backend_name")
	return capability.Report{
		Host: "ctl1@fa1", Backend: "fa1", Pool: "gold", CollectedAt: time.Now(), Status: capability.OK,
		Capabilities: set, LiveKeys: live.SortedKeys(),
	}
}
