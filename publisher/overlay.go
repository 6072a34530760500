package publisher

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

const (
	// peerIntervals is how long a peer counts as publishing after its last message.
	peerIntervals = 3
	// oldIntervals is the age at which a report is too old to be published,
	// should the collector have stopped.
	oldIntervals = 10
	// capacityTolerance is the share by which the received and the measured
	// total capacity may differ and still be one array's.
	capacityTolerance = 0.01
)

// conditions are what a decision depends on besides the backend itself.
type conditions struct {
	self      string    // name of this agent
	now       time.Time // by our clock
	basesFrom time.Time // see Session
	idle      bool      // whether no message at all was received for an interval
}

// decision is what to do about a backend now.
type decision struct {
	state  State
	cause  Cause
	detail string // for people: what was seen, and what to do
	base   *base  // to be overlaid, when overlaying
	rebind bool   // bind the listening queue again, as nothing is received
}

// decide returns what to do about a backend now. The rules are tried in order; the
// first that applies decides.
func (b *backend) decide(c conditions, o Options) decision {
	b.wake = time.Time{}
	if d, applies := b.noCurrentSample(c, o); applies {
		return d
	}
	if d, applies := b.standBy(c); applies {
		return d
	}
	from := b.sources.current(c.now, o.StatsInterval)
	if o.Standalone {
		return standalone(from)
	}
	var base *base
	if from != nil {
		base = from.base
	}
	if cause, detail := b.suspendCause(base); cause != NoCause {
		return decision{state: Suspended, cause: cause, detail: detail}
	}
	if why := b.unusable(from, c, o); why != "" {
		return b.waitForBase(why, from, c, o)
	}
	b.noBaseSince = time.Time{}
	if expiry := from.expires(o.StatsInterval); expiry.After(c.now) {
		b.wake = expiry
	}
	return decision{state: Overlaying, base: base}
}

// noCurrentSample applies when there is nothing to publish.
func (b *backend) noCurrentSample(c conditions, o Options) (decision, bool) {
	if b.noSample != "" {
		return decision{state: NoSample, detail: b.noSample}, true
	}
	if old := oldIntervals * o.Interval; c.now.Sub(b.report.CollectedAt) > old {
		return decision{state: NoSample, detail: fmt.Sprintf("the last sample is more than %s old", old)}, true
	}
	return decision{}, false
}

// standBy applies while a better agent publishes for this backend.
func (b *backend) standBy(c conditions) (decision, bool) {
	if !b.peer.until.After(c.now) || !b.peer.outranks(peer{name: c.self, status: statusOf(b.report.Capabilities)}) {
		return decision{}, false
	}
	b.wake = b.peer.until
	return decision{state: Standby, detail: "agent " + b.peer.name + " publishes"}, true
}

// outranks compares what both have published, so that two agents get the same
// result.
func (p peer) outranks(other peer) bool {
	return cmp.Or(cmp.Compare(rank(p.status), rank(other.status)), cmp.Compare(p.name, other.name)) < 0
}

func rank(s capability.Status) int {
	switch s {
	case capability.Stale:
		return 2
	case capability.Partial:
		return 1
	}
	return 0
}

func statusOf(s capability.Set) capability.Status {
	text, _ := s[capability.KeyMetricsStatus].Str()
	return capability.Status(text)
}

// standalone decides while the overlay is switched off. A complete report lacks
// what only cinder-volume can count, so it is never published beside one.
func standalone(from *source) decision {
	if from == nil {
		return decision{state: Standalone, detail: "the overlay is switched off"}
	}
	return decision{state: Suspended, cause: CinderVolumeReports, detail: fmt.Sprintf(
		"overlay is off, and cinder-volume of %s reports this backend itself; set overlay = true, or stop that cinder-volume and restart poolcast", from.base.host)}
}

// suspendCause returns why base and report must not be combined. base may be nil.
func (b *backend) suspendCause(base *base) (Cause, string) {
	if id := arrayID(b.report); id != "" && b.array != "" && id != b.array {
		return DifferentArray, fmt.Sprintf("the array's id was %s and is %s; if that is intended, reload the stanza or restart", b.array, id)
	}
	if base == nil {
		return NoCause, ""
	}
	if base.fault != nil {
		return UnreadableBase, fmt.Sprintf("cinder-volume's report cannot be used: %v", base.fault)
	}
	return suspendCauseOf(base.set, b.total)
}

// SuspendCause returns why an overlay of a base report is suspended, NoCause if it is not.
// It is what a running agent applies to every pair of reports, and may be called
// from any goroutine.
func SuspendCause(base capability.Set, r capability.Report) (Cause, string) {
	total, _ := r.Capabilities[capability.KeyTotalCapacity].Float()
	return suspendCauseOf(base, total)
}

func suspendCauseOf(base capability.Set, total float64) (Cause, string) {
	if pools, ok := base["pools"]; ok && !pools.IsNull() {
		return BaseHasPools, "cinder-volume reports pools, which the Pure driver does not"
	}
	reported, known := base[capability.KeyTotalCapacity].Float()
	if known && total > 0 && math.Abs(reported-total) > capacityTolerance*reported {
		return DifferentCapacity, fmt.Sprintf("cinder-volume reports %.1f GiB in total and the array %.1f; has it failed over?", reported, total)
	}
	return NoCause, ""
}

// unusable returns why the base cannot be overlaid now, "" if it can.
func (b *backend) unusable(from *source, c conditions, o Options) string {
	switch {
	case from == nil:
		return "no report of cinder-volume was received yet"
	case from.base.at.Before(c.basesFrom):
		return "a scheduler has started, or receiving was interrupted, since cinder-volume's last report"
	case b.stale():
		return "" // a stale array is reported as such however old the base is
	case !from.expires(o.StatsInterval).After(c.now):
		return "cinder-volume's last report is too old"
	case from.base.exhausted():
		return "cinder-volume has not reported since this backend was reported stale or another agent published"
	}
	return ""
}

// waitForBase decides while there is no usable base. That is normal for one
// interval of cinder-volume after a start; later the backend is suspended.
func (b *backend) waitForBase(why string, from *source, c conditions, o Options) decision {
	if b.noBaseSince.IsZero() {
		b.noBaseSince = c.now
	}
	interval := o.StatsInterval
	if from != nil {
		interval = from.interval(interval)
	}
	d := decision{state: Listening, detail: why, rebind: c.idle}
	overdue := b.noBaseSince.Add(expiryIntervals * interval)
	if overdue.After(c.now) {
		b.wake = overdue
		if next := b.noBaseSince.Add(interval); next.After(c.now) {
			b.wake = next // to look whether receiving works
		}
		return d
	}
	b.wake = c.now.Add(interval)
	d.state, d.cause = Suspended, NoRecentBase
	d.detail = fmt.Sprintf("%s; none was received for %s: is cinder-volume running, with this host name and this transport_url?",
		why, c.now.Sub(b.lastReport(from, c.now)).Round(time.Second))
	return d
}

// lastReport is when cinder-volume reported last, or when waiting for it began.
func (b *backend) lastReport(from *source, now time.Time) time.Time {
	if from == nil {
		return earlier(b.noBaseSince, now)
	}
	return from.base.at
}

// Overlay returns the report that is published for a base report of
// cinder-volume: the base with poolcast's live keys replaced, and those added
// that the scheduler itself does not compute with. It changes neither and may be
// called from any goroutine.
func Overlay(base capability.Set, r capability.Report, fixProvisioned bool) capability.Set {
	return withAgentMark(overlay(base, r.Live(), fixProvisioned))
}

// OverlayAt is [Overlay] for a base report that was received at a time: what a running
// agent publishes. A sample that is older does not replace the capacities of the base:
// that would undo changes that the array has made in between.
func OverlayAt(base capability.Set, received time.Time, r capability.Report, fixProvisioned bool) capability.Set {
	live := r.Live()
	if r.CollectedAt.Before(received) {
		maps.DeleteFunc(live, func(key string, _ capability.Value) bool { return accounted(key) })
	}
	return withAgentMark(overlay(base, live, fixProvisioned))
}

// overlay replaces keys of the base by measured ones. What the scheduler
// computes with is never added: that would move volumes on the day an agent is
// installed.
func overlay(base, live capability.Set, fixProvisioned bool) capability.Set {
	out := base.Clone()
	for key, value := range live {
		if _, exists := base[key]; exists || !computedWith(key) || fixProvisioned && key == capability.KeyProvisionedCapacity {
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

// accounted reports whether the scheduler computes free space with the key
// (cinder/scheduler/host_manager.py, PoolState.update_from_volume_capability).
func accounted(key string) bool {
	switch key {
	case capability.KeyTotalCapacity, capability.KeyFreeCapacity,
		capability.KeyProvisionedCapacity, capability.KeyMaxOverSubscription:
		return true
	}
	return false
}

// withAgentMark returns the set with the key that shows operators which reports
// were changed.
func withAgentMark(s capability.Set) capability.Set {
	if _, marked := s[capability.KeyMetricsAgent]; marked {
		return s
	}
	return s.Overlay(capability.Set{capability.KeyMetricsAgent: capability.OfString("poolcast")})
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

// payload returns the dictionary to publish for a decision, with its stamp.
func (b *backend) payload(d decision, now time.Time, fixProvisioned bool) published {
	r := b.report.Aged(now)
	p := published{at: now, over: d.base, stale: b.stale()}
	switch {
	case d.base == nil:
		p.set, p.stamp = withAgentMark(r.Capabilities), micros(earlier(r.CollectedAt, now))
		return p
	case p.stale:
		p.stamp = d.base.nextStale(now)
		p.set = Overlay(d.base.set, r, fixProvisioned)
	default:
		p.stamp = d.base.next()
		p.set = OverlayAt(d.base.set, d.base.at, r, fixProvisioned)
	}
	d.base.publish(p.stamp)
	return p
}

// restoration returns the base that the schedulers hold an overlay of, to be
// published once more so that they hold cinder-volume's own report again, or
// false if that would be wrong: something later was published or received, or
// the base may be older than what a scheduler holds.
func (b *backend) restoration(now time.Time, basesFrom time.Time, polling time.Duration) (published, bool) {
	from := b.sources.current(now, polling)
	over := b.last.over
	if from == nil || over == nil || over != from.base || !over.held() || over.at.Before(basesFrom) {
		return published{}, false
	}
	// A timer for the expiry always fires a little later.
	if !b.last.stale && now.After(from.expires(polling).Add(time.Second)) {
		return published{}, false
	}
	p := published{set: over.set, over: over, stamp: over.next(), at: now, isBase: true}
	over.publish(p.stamp)
	over.sent = time.Time{} // it is published once
	return p, true
}
