package publisher

import (
	"maps"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// peer is another agent that publishes for the same backend.
type peer struct {
	name   string
	status capability.Status
	until  time.Time // when it counts as gone, unless it publishes again
}

// published is the last report that the broker confirmed.
type published struct {
	set    capability.Set
	over   *base // what it was an overlay of; nil for a complete report
	stamp  time.Time
	at     time.Time
	stale  bool // whether it reports the array as down or without capacity
	isBase bool // whether it is the base itself, published once more
}

// overlaid reports whether it is an overlay.
func (p published) overlaid() bool { return p.over != nil && !p.isBase }

// failure describes reports that the broker did not accept.
type failure struct {
	reason string    // "" if the last report was accepted
	since  time.Time // zero if reports are accepted
	count  int       // in a row
	logged bool
}

// backend is everything known of one backend. It has no lock and no clock: the
// publisher guards it and passes the time.
type backend struct {
	report      capability.Report
	array       string  // id of the array behind the first report
	total       float64 // capacity when it was measured last, 0 if it never was
	noSample    string  // why there is no current sample, "" if the report stands
	sources     sources
	peer        peer
	noBaseSince time.Time // since when there is no usable base, zero while there is one
	last        published
	failure     failure
	now         decision
	stateSince  time.Time // when now.state began
	logged      decision  // as it was in the last line about it
	due         bool
	wake        time.Time // when to decide again although nothing happened
	retry       time.Time // when to publish again after a failure
}

// offer takes a new report.
func (b *backend) update(r capability.Report) {
	b.report, b.noSample, b.due = r, "", true
	if id := arrayID(r); b.array == "" {
		b.array = id
	}
	// A total of 0 is what on_stale = drop reports of a stale array. The
	// capacity measured before still tells which array it is.
	if total, ok := r.Capabilities[capability.KeyTotalCapacity].Float(); ok && total > 0 {
		b.total = total
	}
}

func (b *backend) suspend(reason string) { b.noSample, b.due = reason, true }

// onReport takes a report of cinder-volume.
func (b *backend) onReport(in incoming, at time.Time, o Options) {
	report := newBase(in, at)
	report.parse()
	if b.sources.add(report, o.StatsInterval) {
		b.due = true
	}
}

// onPeer takes a message of another agent. One without our keys is the base
// that an agent publishes when it stops overlaying it.
func (b *backend) onPeer(in incoming, at time.Time, o Options) {
	b.sources.publishedByPeer(in.stamp)
	name := instanceOf(in.id)
	set, err := in.capabilities()
	if _, marked := set[capability.KeyMetricsAgent]; err == nil && !marked {
		if b.peer.name == name {
			b.peer, b.due = peer{}, true
		}
		return
	}
	b.setPeer(peer{name: name, status: statusOf(set), until: at.Add(peerIntervals * o.Interval)}, at)
}

// setPeer keeps the best of the peers.
func (b *backend) setPeer(p peer, now time.Time) {
	gone := !b.peer.until.After(now)
	if gone || p.name == b.peer.name || p.outranks(b.peer) {
		b.peer = p
	}
}

// payload returns the dictionary to publish for a decision, with its stamp. A
// sample that is older than the base report does not replace the capacities of it:
// that would undo what the array has finished in between.
func (b *backend) payload(d decision, now time.Time, fixProvisioned bool) published {
	r := b.report.Aged(now)
	p := published{at: now, over: d.base, stale: b.stale()}
	switch {
	case d.base == nil:
		p.set, p.stamp = withAgentMark(r.Capabilities), micros(earlier(r.CollectedAt, now))
		return p
	case p.stale:
		p.stamp = d.base.nextStale(now)
	default:
		p.stamp = d.base.next()
	}
	live := r.Live()
	if !p.stale && r.CollectedAt.Before(d.base.at) {
		maps.DeleteFunc(live, func(key string, _ capability.Value) bool { return accounted(key) })
	}
	p.set = withAgentMark(overlay(d.base.set, live, fixProvisioned))
	d.base.publish(p.stamp)
	return p
}

// stale reports whether the report is what on_stale = down or drop asks for. The
// status of a report can also be stale because the array's newest sample is old.
func (b *backend) stale() bool {
	state, _ := b.report.Capabilities[capability.KeyBackendState].Str()
	return b.report.Status == capability.Stale && state == "down"
}

// restoration returns the base that the schedulers hold an overlay of, to be
// published once more so that they hold cinder-volume's own report again, or
// false if that would be wrong: something later was published or received, or
// the base may be older than what a scheduler knows.
func (b *backend) restoration(now time.Time, basesFrom time.Time, polling time.Duration) (published, bool) {
	from := b.sources.current(now, polling)
	over := b.last.over
	if from == nil || over == nil || over != from.base || !over.held() || over.at.Before(basesFrom) {
		return published{}, false
	}
	// A timer that fires at the expiry is late by nature.
	if !b.last.stale && now.After(from.expires(polling).Add(time.Second)) {
		return published{}, false
	}
	p := published{set: over.set, over: over, stamp: over.next(), at: now, isBase: true}
	over.publish(p.stamp)
	over.sent = time.Time{} // it is published once
	return p, true
}

func arrayID(r capability.Report) string {
	id, _ := r.Capabilities[capability.KeyArrayID].Str()
	return id
}

// micros drops the monotonic reading and what a message cannot carry.
func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
