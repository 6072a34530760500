package publisher

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"
)

// scheduler is a model of what a Cinder scheduler does with reports and
// placements (cinder/scheduler/host_manager.py); an integration test compares it
// with Cinder's own classes. It decodes messages by itself, so that an error of
// Encode is not mirrored. Not modelled: pools in a report, a report without
// volume_backend_name, and capacities that are not numbers.
type scheduler struct {
	t       testing.TB
	skew    time.Duration     // of its clock
	forward func(body []byte) // if set, takes every message instead of the model

	mu     sync.Mutex
	states map[string]*state
	inbox  []received
}

type received struct {
	id, identity string
	caps         map[string]json.RawMessage
	stamp        time.Time
	at           time.Time // by the scheduler's clock
	ignored      bool      // as older than what was known
}

// agent reports whether an agent sent the report.
func (r received) agent() bool { return r.caps["metrics_agent"] != nil }

// state is what a scheduler keeps of one backend: the stored report
// (HostManager.service_states), and what the last request made of it.
type state struct {
	caps  map[string]json.RawMessage
	stamp time.Time

	updated time.Time // BackendState.updated: stamp of the last report applied
	pool    *pool     // nil before the first request
}

// pool is PoolState.
type pool struct {
	name         string // volume_backend_name as JSON
	capabilities map[string]json.RawMessage
	// updated is the later of the last report's stamp that was taken, and the
	// last placement by the scheduler's clock. Zero means never.
	updated                             time.Time
	total, free, allocated, provisioned float64
}

func newScheduler(t testing.TB) *scheduler {
	return &scheduler{t: t, states: map[string]*state{}}
}

func (s *scheduler) now() time.Time { return time.Now().UTC().Add(s.skew).Truncate(time.Microsecond) }

// receive is HostManager.update_service_capabilities: a report replaces the
// stored one unless its stamp is lower. A report without a stamp gets the
// scheduler's time.
func (s *scheduler) receive(body []byte) {
	if s.forward != nil {
		s.forward(body)
		return
	}
	r := s.read(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.states[r.identity]
	if old == nil {
		old = &state{}
		s.states[r.identity] = old
	}
	if r.ignored = r.stamp.Before(old.stamp); !r.ignored {
		old.caps, old.stamp = r.caps, r.stamp
	}
	s.inbox = append(s.inbox, r)
}

// read decodes a message.
func (s *scheduler) read(body []byte) received {
	var envelope map[string]string
	var m struct {
		ID   string `json:"_unique_id"`
		Args struct {
			Host, Timestamp string
			Cluster         *string                    `json:"cluster_name"`
			Capabilities    map[string]json.RawMessage `json:"capabilities"`
		}
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		s.t.Errorf("the scheduler cannot read %s: %v", body, err)
	}
	python := strings.ReplaceAll(envelope["oslo.message"], ":NaN", ":null") // which Python can read
	if err := json.Unmarshal([]byte(python), &m); err != nil {
		s.t.Errorf("the scheduler cannot read %s: %v", body, err)
	}
	r := received{id: m.ID, identity: m.Args.Host, caps: m.Args.Capabilities, at: s.now()}
	if m.Args.Cluster != nil {
		r.identity = *m.Args.Cluster
	}
	r.stamp = r.at
	if m.Args.Timestamp != "" {
		var err error
		if r.stamp, err = time.Parse("2006-01-02T15:04:05.000000", m.Args.Timestamp); err != nil {
			s.t.Errorf("strptime refuses %q", m.Args.Timestamp)
		}
	}
	return r
}

// place chooses a backend for a volume: it deducts the size
// (PoolState.consume_from_volume).
func (s *scheduler) place(name string, size float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.request(name)
	p.allocated += size
	p.provisioned += size
	p.free -= size
	p.updated = s.now()
}

// free is the free capacity that the next request reads.
func (s *scheduler) free(name string) float64 { return s.next(name).free }

// allocated is the allocated capacity that the next request reads.
func (s *scheduler) allocated(name string) float64 { return s.next(name).allocated }

// provisioned is the provisioned capacity that the next request reads.
func (s *scheduler) provisioned(name string) float64 { return s.next(name).provisioned }

// capability is what filters and functions of the next request read under a
// key, as JSON; "" if there is no such key.
func (s *scheduler) capability(name, key string) string {
	return string(s.next(name).capabilities[key])
}

// held is what get_pools shows of a backend, keys to JSON text. It is empty
// for a backend that has not reported.
func (s *scheduler) held(name string) map[string]string {
	out := map[string]string{}
	for key, value := range s.next(name).capabilities {
		out[key] = string(value)
	}
	return out
}

// next is the state of a backend as the next request reads it.
func (s *scheduler) next(name string) pool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.states[name] == nil {
		return pool{}
	}
	return *s.request(name)
}

// request does what each request begins with: every stored report is applied
// (HostManager._update_backend_state_map).
func (s *scheduler) request(name string) *pool {
	for _, st := range s.states {
		s.apply(st)
	}
	return s.states[name].pool
}

// apply is BackendState.update_from_volume_capability, and in it that of
// PoolState: the capabilities are always taken, the accounting only if the
// report is not older than what was applied or placed last.
func (s *scheduler) apply(st *state) {
	if st.updated.After(st.stamp) {
		return
	}
	st.updated = st.stamp
	if name := string(st.caps["volume_backend_name"]); st.pool == nil || st.pool.name != name {
		st.pool = &pool{name: name}
	}
	p := st.pool
	p.capabilities = st.caps
	if p.updated.After(st.stamp) {
		return
	}
	p.updated = st.stamp
	p.total = s.number(st.caps, "total_capacity_gb", 0)
	p.free = s.number(st.caps, "free_capacity_gb", 0)
	p.allocated = s.number(st.caps, "allocated_capacity_gb", 0)
	p.provisioned = s.number(st.caps, "provisioned_capacity_gb", p.allocated)
}

func (s *scheduler) number(caps map[string]json.RawMessage, key string, missing float64) float64 {
	text, there := caps[key]
	if !there {
		return missing
	}
	var n float64
	if err := json.Unmarshal(text, &n); err != nil {
		s.t.Errorf("%s is %s", key, text)
	}
	return n
}

// restart forgets every report and every placement. What was received before
// stays in received.
func (s *scheduler) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states = map[string]*state{}
}

// received returns what has arrived.
func (s *scheduler) received() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.inbox...)
}
