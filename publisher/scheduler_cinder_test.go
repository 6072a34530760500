//go:build integration

package publisher

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	// sequences is how many schedulers are compared.
	sequences = 60
	// steps is how much happens to each.
	steps = 80
)

// TestSchedulerModel compares the model of the scheduler, by which this package
// tests the publisher, with Cinder's own classes: after any reports and
// placements in any order and by any clock, both hold the same of each
// backend.
func TestSchedulerModel(t *testing.T) {
	c := startCinder(t)
	seen := map[string]int{}
	for seed := range uint64(sequences) {
		synctest.Test(t, func(t *testing.T) {
			newComparison(t, c, seed, seen).run()
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Log(seen)
	for _, what := range []string{"kept", "dropped as old", "replayed", "without a stamp", "in the future", "restart", "accounting not taken"} {
		if seen[what] < sequences/2 {
			t.Errorf("%q happened %d times, which proves little", what, seen[what])
		}
	}
}

// comparison is a model and Cinder's classes that are given the same.
type comparison struct {
	t        *testing.T
	chance   *rand.Rand
	cinder   *cinder
	model    *scheduler
	names    []string
	clusters map[string]string
	sent     [][]byte
	history  []string // what was done, for a message
	seen     map[string]int
}

func newComparison(t *testing.T, c *cinder, seed uint64, seen map[string]int) *comparison {
	m := &comparison{
		t: t, chance: rand.New(rand.NewPCG(seed, 2)), cinder: c, seen: seen,
		names: []string{"ctl1@fa0", "ctl1@fa1", "east@fa2"}, clusters: map[string]string{"east@fa2": "east@fa2"},
	}
	m.model = newScheduler(t)
	if m.chance.IntN(2) == 0 {
		m.model.skew = m.offset()
	}
	m.begin()
	return m
}

// begin starts a scheduler.
func (m *comparison) begin() {
	east := m.names[2]
	m.cinder.begin(m.t, "CapacityWeigher", cinderBackend{Host: m.names[0]}, cinderBackend{Host: m.names[1]},
		cinderBackend{Host: "ctl1@fa2", Cluster: &east})
}

// offset draws a difference in time: none, microseconds, seconds, and seldom
// hours, after which a scheduler takes little else.
func (m *comparison) offset() time.Duration {
	units := []time.Duration{0, time.Microsecond, time.Second, 10 * time.Second}
	if m.chance.IntN(60) == 0 {
		units = []time.Duration{time.Hour}
	}
	return time.Duration(m.chance.IntN(21)-10) * units[m.chance.IntN(len(units))]
}

func (m *comparison) run() {
	for range steps {
		time.Sleep(time.Duration(m.chance.IntN(3)) * []time.Duration{time.Microsecond, time.Second, 20 * time.Second}[m.chance.IntN(3)])
		switch n := m.chance.IntN(100); {
		case n < 55:
			m.report()
		case n < 65 && len(m.sent) > 0:
			m.note("replayed", "replay")
			m.deliver(m.sent[m.chance.IntN(len(m.sent))])
		case n < 95:
			m.place()
		case n < 97:
			m.note("restart", "restart")
			m.model.restart()
			m.begin()
		}
		if m.chance.IntN(3) > 0 { // sometimes several reports come between two requests
			m.compare()
		}
	}
	m.compare()
}

func (m *comparison) note(what, format string, args ...any) {
	m.seen[what]++
	m.history = append(m.history, m.model.now().Format("15:04:05.000000 ")+fmt.Sprintf(format, args...))
}

// report sends one with a random stamp and random numbers, some of them
// missing.
func (m *comparison) report() {
	name := m.names[m.chance.IntN(len(m.names))]
	caps := []string{
		fmt.Sprintf(`"volume_backend_name":"gold%d"`, m.chance.IntN(20)/19), `"total_capacity_gb":1000.0`,
		`"thin_provisioning_support":true`, fmt.Sprintf(`"load_percent":%d`, m.chance.IntN(100)),
	}
	for _, key := range []string{"free_capacity_gb", "allocated_capacity_gb", "provisioned_capacity_gb"} {
		if m.chance.IntN(5) > 0 {
			caps = append(caps, fmt.Sprintf(`%q:%d`, key, m.chance.IntN(1000)))
		}
	}
	if m.chance.IntN(2) == 0 {
		caps = append(caps, `"metrics_agent":"poolcast"`)
	}
	stamp := m.stamp(name)
	host, cluster := name, "null"
	if m.clusters[name] != "" {
		host, cluster = "ctl1@fa2", strconv.Quote(name)
	}
	body := envelope(fmt.Sprintf(
		`{"method":"update_service_capabilities","version":"3.3","_unique_id":"%d","args":{"service_name":"volume","host":%q,"cluster_name":%s,"timestamp":%s,"capabilities":{%s}}}`,
		len(m.sent), host, cluster, stamp, strings.Join(caps, ",")))
	m.sent = append(m.sent, []byte(body))
	m.note("report", "%s reports with stamp %s: %s", name, stamp, caps)
	m.deliver([]byte(body))
}

// stamp draws one: near the clock, far from it, equal to the stored one, just
// above or below it, or none.
func (m *comparison) stamp(name string) string {
	stamp := m.model.now().Add(m.offset())
	switch m.chance.IntN(10) {
	case 0:
		m.seen["without a stamp"]++
		return "null"
	case 1, 2, 3, 4:
		if st := m.model.states[name]; st != nil {
			stamp = st.stamp.Add(time.Duration(m.chance.IntN(4)-1) * time.Microsecond)
		}
	}
	if stamp.After(m.model.now()) {
		m.seen["in the future"]++
	}
	return strconv.Quote(stamp.Format(stampFormat))
}

func (m *comparison) deliver(body []byte) {
	m.model.receive(body)
	m.cinder.report(m.t, m.model.now(), body)
	inbox := m.model.received()
	if inbox[len(inbox)-1].ignored {
		m.seen["dropped as old"]++
	} else {
		m.seen["kept"]++
	}
}

// place puts a volume on a backend that has reported.
func (m *comparison) place() {
	name := m.names[m.chance.IntN(len(m.names))]
	if m.model.states[name] == nil {
		return
	}
	size := 1 + m.chance.IntN(100)
	m.note("placement", "place %d on %s", size, name)
	m.model.place(name, float64(size))
	m.cinder.request(m.t, m.model.now(), "place", map[string]any{"backend": name, "size": size})
}

// compare compares what both hold.
func (m *comparison) compare() {
	states := m.cinder.state(m.t, m.model.now())
	for _, name := range m.names {
		theirs, there := states[name]
		if there != (m.model.states[name] != nil) {
			m.t.Errorf("Cinder has %s: %t", name, there)
		}
		if !there {
			continue
		}
		m.same(name, "free", m.model.free(name), theirs.Free)
		m.same(name, "allocated", m.model.allocated(name), theirs.Allocated)
		m.same(name, "provisioned", m.model.provisioned(name), theirs.Provisioned)
		known := m.model.held(name)
		m.same(name, "capabilities", known, plainSet(theirs.Capabilities))
		m.same(name, "what get_pools shows", known, plainSet(theirs.Shown))
		m.same(name, "load_percent", m.model.capability(name, "load_percent"), string(theirs.Capabilities["load_percent"]))
		if p := m.model.states[name]; p.pool.updated.After(p.stamp) {
			m.seen["accounting not taken"]++
		}
	}
	if m.t.Failed() {
		m.t.Fatalf("the clock is off by %s\n%s", m.model.skew, strings.Join(m.history, "\n"))
	}
}

func (m *comparison) same(name, what string, ours, theirs any) {
	if a, b := fmt.Sprint(ours), fmt.Sprint(theirs); a != b {
		m.t.Errorf("%s of %s: the model has %s, Cinder has %s", what, name, a, b)
	}
}

func plainSet(set map[string]json.RawMessage) map[string]string {
	out := map[string]string{}
	for key, value := range set {
		out[key] = string(value)
	}
	return out
}
