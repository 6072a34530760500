package publisher

import (
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// base is what cinder-volume last said of a backend.
type base struct {
	host, cluster string
	set           capability.Set // nil if it could not be learnt
	fault         error          // why it could not
	stamp         time.Time      // cinder-volume's clock
	at            time.Time      // when it was heard, our clock
}

// skew is how far cinder-volume's clock is ahead of ours, transport included.
func (b *base) skew() time.Duration { return b.stamp.Sub(b.at.Round(0)) }

// rival is another agent that was heard speaking for the same backend.
type rival struct {
	name   string
	status capability.Status
	until  time.Time // when it will have been silent for too long
}

// presence is what the broker said about a running cinder-volume.
type presence struct {
	known, running bool
	at             time.Time
}

// sent is the last report that the broker confirmed.
type sent struct {
	set     capability.Set
	base    capability.Set // what it was laid over; nil if it was standalone
	stamp   time.Time
	at      time.Time
	overlay bool
}

// backend is everything known of one backend. It has no lock and no clock: the
// publisher guards it and says what time it is.
type backend struct {
	report     capability.Report
	array      string  // id of the array behind the first report
	total      float64 // capacity when it was measured last, 0 if it never was
	withdrawn  string  // why, "" if a report stands
	base       *base
	rival      rival
	presence   presence
	since      time.Time // when waiting for a base began
	floor      time.Time // the newest stamp the scheduler may have seen
	last       sent
	failure    string // why the last attempt to send did not succeed
	complained bool   // whether that was logged
	now        decision
	told       decision // as it was in the last line about it
	clock      int      // which clock was ahead in the last line about that: 1 cinder-volume's, -1 ours
	due        bool
	wake       time.Time // when to decide again although nothing happened
}

// offer takes a new reading.
func (b *backend) offer(r capability.Report) {
	b.report, b.withdrawn, b.due = r, "", true
	if id := arrayID(r); b.array == "" {
		b.array = id
	}
	// A total of 0 is what on_stale = drop says of an array that is silent. What
	// was measured before still tells whose it is.
	if total, ok := r.Capabilities[capability.KeyTotalCapacity].Float(); ok && total > 0 {
		b.total = total
	}
}

func (b *backend) withdraw(reason string) {
	b.withdrawn, b.due = reason, true
}

// hear learns from a report that is neither ours nor, unless it is marked,
// another agent's.
func (b *backend) hear(h heard, at time.Time, o Options) {
	set, err := h.capabilities()
	if mark, ok := set[capability.KeyMetricsAgent]; ok && !mark.IsNull() {
		until := at.Add(silentIntervals * o.Interval)
		b.meet(rival{name: instanceOf(h.id), status: statusOf(set), until: until}, at)
		b.raise(h.stamp)
		return
	}
	stamp := h.stamp
	if stamp.IsZero() {
		stamp = at.UTC().Truncate(time.Microsecond)
	}
	b.base = &base{host: h.host, cluster: h.cluster, set: set, fault: err, stamp: stamp, at: at}
	b.raise(stamp.Add(time.Microsecond))
	b.due = true
}

// meet remembers the best of the other agents.
func (b *backend) meet(r rival, now time.Time) {
	gone := !b.rival.until.After(now)
	if gone || r.name == b.rival.name || r.outranks(b.rival) {
		b.rival = r
	}
}

// raise keeps stamps from going back.
func (b *backend) raise(stamp time.Time) {
	if stamp.After(b.floor) {
		b.floor = stamp
	}
}

// compose returns the dictionary to send and whether it lies over a base.
func (b *backend) compose(now time.Time, fixProvisioned bool) (capability.Set, bool) {
	r := b.report.Aged(now)
	if b.now.state == Standalone {
		return marked(r.Capabilities), false
	}
	return marked(lay(b.base.set, r.Live(), fixProvisioned)), true
}

// lay replaces keys of the base by measured ones. What the scheduler computes
// with is never added, or installing an agent would move volumes.
func lay(base, live capability.Set, fixProvisioned bool) capability.Set {
	out := base.Clone()
	for key, value := range live {
		if _, there := base[key]; there || !computedWith(key) || fixProvisioned && key == capability.KeyProvisionedCapacity {
			out[key] = value
		}
	}
	return out
}

// computedWith reports whether the scheduler's own code reads the key
// (cinder/scheduler/host_manager.py, PoolState and BackendState).
func computedWith(key string) bool {
	switch key {
	case capability.KeyTotalCapacity, capability.KeyFreeCapacity, capability.KeyAllocatedCapacity,
		capability.KeyProvisionedCapacity, capability.KeyMaxOverSubscription,
		capability.KeyReservedPercentage, capability.KeyThinProvisioning, "thick_provisioning_support",
		capability.KeyFilterFunction, capability.KeyGoodnessFunction, capability.KeyMultiattach,
		capability.KeyQoSSupport, capability.KeyVolumeBackendName, capability.KeyStorageProtocol,
		capability.KeyVendorName, capability.KeyDriverVersion, "pools", "timestamp":
		return true
	}
	return false
}

// marked returns the set with the mark by which agents know each other's
// reports.
func marked(s capability.Set) capability.Set {
	if _, there := s[capability.KeyMetricsAgent]; there {
		return s
	}
	return s.Overlay(capability.Set{capability.KeyMetricsAgent: capability.OfString("poolcast")})
}

func arrayID(r capability.Report) string {
	id, _ := r.Capabilities[capability.KeyArrayID].Str()
	return id
}
