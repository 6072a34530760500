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
	Publishes       uint64 // messages handed to the broker
	Confirms        uint64 // of those, confirmed
	Nacks           uint64 // refused
	Returns         uint64 // returned, as no queue is bound
	Failures        uint64 // lost with the connection, or not confirmed in time
	Overlays        uint64 // overlays confirmed
	ReceivedReports uint64 // received from cinder-volume services, any backend
	ReceivedPeers   uint64 // received from other agents
	ReceivedOwn     uint64
	Unreadable      uint64 // messages that could not be decoded
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
	Instance      string // the first half of the IDs of this publisher's messages
	Session       Session
	Counters      Counters
	StatsInterval time.Duration   // how often cinder-volume reports
	Backends      []BackendStatus // sorted by identity
}

// BackendStatus describes one backend. A zero time means never.
type BackendStatus struct {
	Host, Cluster string
	Identity      string // the name the scheduler knows it by
	State         State
	Since         time.Time // when the state, or its cause, began
	Cause         Cause     // when suspended
	Detail        string    // for people
	Failure       string    // why the last report was not accepted, "" if it was
	FailingSince  time.Time // since when no report was accepted

	PublishedAt time.Time // when the broker confirmed a report last
	Timestamp   time.Time // that report's own
	Overlaid    bool      // whether it was an overlay
	Changes     []Change  // what it changed of the base, sorted by key

	ReceivedAt time.Time      // when cinder-volume's last report was received
	ClockSkew  *time.Duration // by which cinder-volume's clock is ahead, nil until several reports were received
	Peer       string         // another agent that publishes for this backend, "" if none
}

// Change is a key whose value differs from what cinder-volume said.
type Change struct {
	Key      string
	Added    bool             // cinder-volume does not send the key
	Old, New capability.Value // Old is null if Added
}

// BaseReport is the last report of cinder-volume that was received of a backend.
type BaseReport struct {
	Identity      string
	Host, Cluster string
	Capabilities  capability.Set
	Timestamp     time.Time // cinder-volume's own
	ReceivedAt    time.Time
	Ours          bool // whether this publisher was offered the backend
}

// Status returns a snapshot. It is cheap enough to be asked every second.
func (p *Publisher) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	s := Status{Instance: p.id.name, Session: p.session, Counters: p.counters, StatsInterval: p.opt.StatsInterval}
	for name, b := range p.backends {
		s.Backends = append(s.Backends, b.status(name, now, p.opt.StatsInterval))
	}
	slices.SortFunc(s.Backends, func(a, b BackendStatus) int { return strings.Compare(a.Identity, b.Identity) })
	return s
}

func (b *backend) status(name string, now time.Time, polling time.Duration) BackendStatus {
	s := BackendStatus{
		Host: b.report.Host, Cluster: b.report.Cluster, Identity: name,
		State: either(b.now.state, Idle), Since: b.stateSince, Cause: b.now.cause, Detail: b.now.detail,
		Failure: b.failure.reason, FailingSince: b.failure.since,
		PublishedAt: b.last.at, Timestamp: b.last.stamp, Overlaid: b.last.overlaid(),
	}
	if b.peer.until.After(now) {
		s.Peer = b.peer.name
	}
	if s.Overlaid {
		s.Changes = changes(b.last.over.set, b.last.set)
	}
	if from := b.sources.current(now, polling); from != nil {
		s.ReceivedAt, s.ClockSkew = from.base.at, from.clockSkew()
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

// BaseReports returns the last reports of cinder-volume services, for this publisher's
// backends and for others, sorted by identity. A report that cannot be read is
// left out. The sets must not be changed.
func (p *Publisher) BaseReports() []BaseReport {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []BaseReport
	now := time.Now()
	add := func(name string, s sources, ours bool) {
		from := s.current(now, p.opt.StatsInterval)
		if from == nil {
			return
		}
		b := from.base
		if set, err := b.capabilities(); err == nil {
			out = append(out, BaseReport{
				Identity: name, Host: b.host, Cluster: b.cluster, Capabilities: set,
				Timestamp: b.stamp, ReceivedAt: b.at, Ours: ours,
			})
		}
	}
	for name, b := range p.backends {
		add(name, b.sources, true)
	}
	for name, s := range p.retained.backends {
		add(name, s, false)
	}
	slices.SortFunc(out, func(a, b BaseReport) int { return strings.Compare(a.Identity, b.Identity) })
	return out
}
