package publisher

import (
	"maps"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// Overlay returns the report that is published for a base report of
// cinder-volume: the base with poolcast's live keys replaced, and those added
// that the scheduler itself does not compute with. It changes neither and may be
// called from any goroutine.
func Overlay(base capability.Set, r capability.Report, fixProvisioned bool) capability.Set {
	return withAgentMark(overlay(base, r.Live(), fixProvisioned))
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

// payload returns the dictionary to publish for a decision, with its stamp. A
// sample that is older than the base report does not replace the capacities of it:
// that would undo changes that the array has made in between.
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
	// A timer for the expiry always fires a little later.
	if !b.last.stale && now.After(from.expires(polling).Add(time.Second)) {
		return published{}, false
	}
	p := published{set: over.set, over: over, stamp: over.next(), at: now, isBase: true}
	over.publish(p.stamp)
	over.sent = time.Time{} // it is published once
	return p, true
}
