package publisher

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"
)

// scheduler replays what a Cinder scheduler does with reports
// (cinder/scheduler/host_manager.py): a report replaces the whole dictionary of
// its backend unless it is older than the stored one, and what the scheduler
// has placed stays deducted until a report is newer than that. It decodes
// messages by itself, so that an error of Encode is not mirrored.
type scheduler struct {
	t    testing.TB
	skew time.Duration // of its clock

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

// state is what the scheduler keeps of one backend: the stored report, and what
// BackendState and PoolState made of it.
type state struct {
	caps  map[string]json.RawMessage
	stamp time.Time

	backendUpdated time.Time
	created        bool // whether there is a PoolState
	read           map[string]json.RawMessage
	updated        time.Time // of the pool: the last report applied, or the last volume placed
	total          float64
	free           float64
	assigned       float64 // allocated_capacity_gb
	provided       float64 // provisioned_capacity_gb
}

func newScheduler(t testing.TB, skew time.Duration) *scheduler {
	return &scheduler{t: t, skew: skew, states: map[string]*state{}}
}

func (s *scheduler) now() time.Time { return time.Now().UTC().Add(s.skew) }

// receive is update_service_capabilities.
func (s *scheduler) receive(body []byte) {
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
	stamp, err := time.Parse("2006-01-02T15:04:05.000000", m.Args.Timestamp)
	if err != nil {
		s.t.Errorf("strptime refuses %q", m.Args.Timestamp)
	}
	name := m.Args.Host
	if m.Args.Cluster != nil {
		name = *m.Args.Cluster
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := received{id: m.ID, identity: name, caps: m.Args.Capabilities, stamp: stamp, at: s.now()}
	old := s.states[name]
	if old == nil {
		old = &state{}
		s.states[name] = old
	}
	if r.ignored = stamp.Before(old.stamp); !r.ignored {
		old.caps, old.stamp = r.caps, stamp
	}
	s.inbox = append(s.inbox, r)
}

// place chooses the backend for a volume: it applies the stored report, as each
// request does, and deducts the size (PoolState.consume_from_volume).
func (s *scheduler) place(name string, size float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.apply(name)
	st.assigned += size
	st.provided += size
	st.free -= size
	st.updated = s.now()
}

// free is the capacity with which the next request would be weighed.
func (s *scheduler) free(name string) float64 { return s.next(name).free }

// allocated is the allocated capacity of the next request.
func (s *scheduler) allocated(name string) float64 { return s.next(name).assigned }

// provisioned is the provisioned capacity of the next request.
func (s *scheduler) provisioned(name string) float64 { return s.next(name).provided }

// capability is what filters and functions read at the next request, as JSON.
func (s *scheduler) capability(name, key string) string { return string(s.next(name).read[key]) }

func (s *scheduler) next(name string) state {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.states[name] == nil {
		return state{}
	}
	return *s.apply(name)
}

// restart forgets every report.
func (s *scheduler) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states = map[string]*state{}
}

// apply is BackendState.update_from_volume_capability and, in it, that of the
// PoolState.
func (s *scheduler) apply(name string) *state {
	st := s.states[name]
	if st.backendUpdated.After(st.stamp) {
		return st
	}
	st.backendUpdated = st.stamp
	st.read = st.caps
	if st.created && st.updated.After(st.stamp) {
		return st
	}
	st.created, st.updated = true, st.stamp
	st.total, st.free = s.number(st, "total_capacity_gb", 0), s.number(st, "free_capacity_gb", 0)
	st.assigned = s.number(st, "allocated_capacity_gb", 0)
	st.provided = s.number(st, "provisioned_capacity_gb", st.assigned)
	return st
}

func (s *scheduler) number(st *state, key string, otherwise float64) float64 {
	text, there := st.caps[key]
	if !there {
		return otherwise
	}
	var n float64
	if err := json.Unmarshal(text, &n); err != nil {
		s.t.Errorf("%s is %s", key, text)
	}
	return n
}

// known is what get_pools shows of a backend, keys to JSON text.
func (s *scheduler) known(name string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	if st := s.states[name]; st != nil {
		for key, value := range st.caps {
			out[key] = string(value)
		}
	}
	return out
}

// received returns what has arrived.
func (s *scheduler) received() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.inbox...)
}
