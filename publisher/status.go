package publisher

import (
	"cmp"
	"errors"
	"slices"
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
	ReceivedReports uint64 // from cinder-volume services, any backend
	ReceivedPeers   uint64 // from other agents
	ReceivedOwn     uint64 // published by this agent and returned from the exchange
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

// Status is a snapshot of the publisher.
type Status struct {
	Session       Session
	Counters      Counters
	StatsInterval time.Duration   // how often cinder-volume reports
	Backends      []BackendStatus // sorted by identity
}

// BackendStatus describes one backend. A zero time means never.
type BackendStatus struct {
	Host, Cluster string
	Identity      string // the name under which the scheduler keeps it
	State         State
	Since         time.Time // when the state, or its cause, began
	Cause         Cause     // when suspended
	Detail        string    // for people
	Failure       string    // why the last report was not accepted, "" if it was
	FailingSince  time.Time // since when no report was accepted

	PublishedAt time.Time      // when the broker confirmed a report last
	Changes     []Change       // what that report changed of its base, sorted by key; none if it was no overlay
	ReceivedAt  time.Time      // when cinder-volume's last report was received
	ClockSkew   *time.Duration // by which cinder-volume's clock is ahead, nil until several reports were received
}

// Change is a key whose value differs from that of the base report.
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
}

// Status returns a snapshot. It is cheap enough to be called every second.
func (p *Publisher) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	s := Status{Session: p.session, Counters: p.counters, StatsInterval: p.opt.StatsInterval}
	for name, b := range p.backends {
		s.Backends = append(s.Backends, b.status(name, now, p.opt.StatsInterval))
	}
	slices.SortFunc(s.Backends, func(a, b BackendStatus) int { return cmp.Compare(a.Identity, b.Identity) })
	return s
}

func (b *backend) status(name string, now time.Time, polling time.Duration) BackendStatus {
	s := BackendStatus{
		Host: b.report.Host, Cluster: b.report.Cluster, Identity: name,
		State: cmp.Or(b.now.state, Idle), Since: b.stateSince, Cause: b.now.cause, Detail: b.now.detail,
		Failure: b.failure.reason, FailingSince: b.failure.since, PublishedAt: b.last.at,
	}
	if b.last.overlaid() {
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
		old, exists := base[key]
		if !exists || !old.Equal(set[key]) {
			out = append(out, Change{Key: key, Added: !exists, Old: old, New: set[key]})
		}
	}
	return out
}

// BaseReports returns the last reports of cinder-volume services, of this
// publisher's backends and of others, sorted by identity. A report that cannot be
// parsed is left out. The sets must not be changed.
func (p *Publisher) BaseReports() []BaseReport {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []BaseReport
	now := time.Now()
	add := func(name string, s sources) {
		from := s.current(now, p.opt.StatsInterval)
		if from == nil {
			return
		}
		if set, err := from.base.capabilities(); err == nil {
			out = append(out, BaseReport{Identity: name, Host: from.base.host, Cluster: from.base.cluster, Capabilities: set})
		}
	}
	for name, b := range p.backends {
		add(name, b.sources)
	}
	for name, s := range p.retained.backends {
		add(name, s)
	}
	slices.SortFunc(out, func(a, b BaseReport) int { return cmp.Compare(a.Identity, b.Identity) })
	return out
}

// Effective returns the effective reports: what the schedulers hold of the
// publisher's backends, published by this agent or by cinder-volume, whichever was
// last. A backend of which nothing was received or published is left out.
// Everything but the capabilities is as in the last [Publisher.Update]. The sets
// must not be changed.
func (p *Publisher) Effective() []capability.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	var effective []capability.Report
	for _, b := range p.backends {
		if set := b.effective(); set != nil && b.report.Host != "" {
			r := b.report
			r.Capabilities = set
			effective = append(effective, r)
		}
	}
	return effective
}

// effective returns the set that was published last.
func (b *backend) effective() capability.Set {
	set, at := b.last.set, b.last.at
	for _, from := range b.sources {
		if from.base.set != nil && from.base.at.After(at) {
			set, at = from.base.set, from.base.at
		}
	}
	return set
}
