package publisher

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// Counters count since the publisher was made.
type Counters struct {
	Publishes    uint64 // messages handed to the broker
	Confirms     uint64 // of those, taken
	Nacks        uint64 // refused
	Returns      uint64 // taken, and dropped for want of a bound queue
	Failures     uint64 // lost with the connection, or not confirmed in time
	Overlays     uint64 // reports confirmed that lay over a base
	HeardReports uint64 // of cinder-volume services, any backend
	HeardAgents  uint64 // of other agents
	HeardOwn     uint64
	Unreadable   uint64 // messages that could not be decoded
}

func (c *Counters) count(err error) {
	switch {
	case err == nil:
		c.Confirms++
	case errors.Is(err, errNack):
		c.Nacks++
	case errors.Is(err, errReturned):
		c.Returns++
	default:
		c.Failures++
	}
}

// Status is a snapshot of everything the publisher knows about its work.
type Status struct {
	Instance string // the first half of the IDs of this publisher's messages
	Session  Session
	Counters Counters
	Backends []BackendStatus // sorted by identity
}

// BackendStatus describes one backend. A zero time means never.
type BackendStatus struct {
	Host, Cluster string
	Identity      string // the name the scheduler knows it by
	State         State
	Cause         Cause  // when suspended
	Detail        string // for people
	Failure       string // why the last report was not taken, "" if it was

	PublishedAt time.Time // when the broker confirmed a report last
	Timestamp   time.Time // that report's own
	Overlaid    bool      // whether it lay over a base
	Changes     []Change  // what it changed of the base, sorted by key

	HeardAt   time.Time     // when cinder-volume was heard last
	HeardAge  time.Duration // how long ago that is
	ClockSkew time.Duration // by which cinder-volume's clock was ahead then
	Rival     string        // another agent heard for this backend, "" if none
}

// Change is a key whose value differs from what cinder-volume said.
type Change struct {
	Key      string
	Added    bool             // cinder-volume does not send the key
	Old, New capability.Value // Old is null if Added
}

// Base is the last report heard of a backend that no agent had touched.
type Base struct {
	Identity      string
	Host, Cluster string
	Capabilities  capability.Set
	Timestamp     time.Time // cinder-volume's own
	HeardAt       time.Time
	Ours          bool // whether this publisher was offered the backend
}

// Status returns a snapshot. It is cheap enough to be asked every second.
func (p *Publisher) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	s := Status{Instance: p.id.name, Session: p.session, Counters: p.counters}
	for name, b := range p.backends {
		s.Backends = append(s.Backends, b.status(name, now))
	}
	slices.SortFunc(s.Backends, func(a, b BackendStatus) int { return strings.Compare(a.Identity, b.Identity) })
	return s
}

func (b *backend) status(name string, now time.Time) BackendStatus {
	s := BackendStatus{
		Host: b.report.Host, Cluster: b.report.Cluster, Identity: name,
		State: either(b.now.state, Idle), Cause: b.now.cause, Detail: b.now.detail, Failure: b.failure,
		PublishedAt: b.last.at, Timestamp: b.last.stamp, Overlaid: b.last.overlay,
	}
	if b.rival.until.After(now) {
		s.Rival = b.rival.name
	}
	if b.last.overlay {
		s.Changes = changes(b.last.base, b.last.set)
	}
	if b.base != nil {
		s.HeardAt, s.HeardAge, s.ClockSkew = b.base.at, now.Sub(b.base.at), b.base.skew()
	}
	return s
}

func changes(base, set capability.Set) []Change {
	var out []Change
	for _, key := range set.SortedKeys() {
		old, there := base[key]
		if !there || !old.Equal(set[key]) {
			out = append(out, Change{Key: key, Added: !there, Old: old, New: set[key]})
		}
	}
	return out
}

// Heard returns what cinder-volume services last said, for this publisher's
// backends and for others, sorted by identity. A report that could not be
// learnt is left out. The sets must not be changed.
func (p *Publisher) Heard() []Base {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Base
	add := func(name string, b *base, ours bool) {
		if b != nil && b.fault == nil {
			out = append(out, Base{
				Identity: name, Host: b.host, Cluster: b.cluster, Capabilities: b.set,
				Timestamp: b.stamp, HeardAt: b.at, Ours: ours,
			})
		}
	}
	for name, b := range p.backends {
		add(name, b.base, true)
	}
	for name, r := range p.others {
		var b backend
		b.hear(r.heard, r.at, Options{})
		add(name, b.base, false)
	}
	slices.SortFunc(out, func(a, b Base) int { return strings.Compare(a.Identity, b.Identity) })
	return out
}
