package publisher

import (
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// State is what the publisher does about a backend.
type State string

// The states of a backend.
const (
	// Idle: nothing was decided yet, because there is no session.
	Idle State = "idle"
	// Listening: the agent waits for a report of cinder-volume.
	Listening State = "listening"
	// Standalone: complete reports are published, because overlay = off.
	Standalone State = "standalone"
	// Overlaying: the base report is published with the measured keys replaced.
	Overlaying State = "overlaying"
	// Standby: a peer publishes for this backend.
	Standby State = "standby"
	// Suspended: an overlay would be wrong; see [Cause].
	Suspended State = "suspended"
	// NoSample: there is no current sample, and the schedulers use
	// cinder-volume's own report.
	NoSample State = "no_sample"
)

// publishes reports whether reports are published in this state.
func (s State) publishes() bool { return s == Overlaying || s == Standalone }

// Cause is why, in one word, a backend is suspended.
type Cause string

// The causes.
const (
	NoCause             Cause = ""
	DifferentCapacity   Cause = "different_capacity"    // received and measured total differ by more than 1 %
	DifferentArray      Cause = "different_array"       // the array's id changed, or cinder-volume has failed over
	UnreadableBase      Cause = "unreadable_base"       // cinder-volume's report is not JSON, or has no timestamp
	BaseHasPools        Cause = "base_has_pools"        // the scheduler would not read our keys
	NoRecentBase        Cause = "no_recent_base"        // cinder-volume has not reported for two intervals
	CinderVolumeReports Cause = "cinder_volume_reports" // overlay = off beside a cinder-volume
)

// peer is another agent that publishes for the same backend.
type peer struct {
	name   string
	status capability.Status
	until  time.Time // when it counts as gone, unless it publishes again
}

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
	noSample    string  // why there is no current sample, "" if there is one
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

// update takes a new report.
func (b *backend) update(r capability.Report) {
	b.report, b.noSample, b.due = r, "", true
	if id := arrayID(r); b.array == "" {
		b.array = id
	}
	// A total of 0 is what on_stale = drop reports of a stale array. The
	// capacity measured before still identifies the array.
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

// stale reports whether the report is one of on_stale = down or drop. The
// status of a report can also be stale because the array's newest sample is old.
func (b *backend) stale() bool {
	state, _ := b.report.Capabilities[capability.KeyBackendState].Str()
	return b.report.Status == capability.Stale && state == "down"
}

func arrayID(r capability.Report) string {
	id, _ := r.Capabilities[capability.KeyArrayID].Str()
	return id
}

// micros drops the monotonic clock and what is less than a microsecond.
func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
