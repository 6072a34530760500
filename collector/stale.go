package collector

import (
	"errors"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// Policy is what is published of an array without a successful poll for
// Target.StaleAfter.
type Policy string

// The policies. Keep is the one that cannot cause an outage when only the
// connection between the agent and the array is broken; it is the default.
const (
	Keep Policy = "keep" // publish nothing: cinder-volume's own report stays in effect
	Down Policy = "down" // backend_state down and goodness 0: last in every weighing
	Drop Policy = "drop" // as Down, and no capacity: CapacityFilter rejects it
)

var errStuck = errors.New("read array: the poll has not ended within its timeout")

// mayGoStale reports whether the last report may become stale: a poll has
// failed, or one has not ended when it should have.
func (p *poller) mayGoStale() bool {
	h := p.currentHealth()
	if h.State == Stale {
		return false
	}
	return h.Failures > 0 || p.abort != nil && time.Now().After(p.due)
}

// staleAt is when the last good report becomes stale.
func (p *poller) staleAt() time.Time {
	since := p.currentHealth().LastOK
	if since.IsZero() {
		since = p.startedAt
	}
	return since.Add(p.current().staleAfter())
}

// markStale sets the state Stale and applies the stale policy.
func (p *poller) markStale(now time.Time) {
	if p.cause == nil {
		p.cause, p.transitions.failingSince = errStuck, p.due
	}
	p.setState(now, Stale, outcome{started: now, err: p.cause})
	p.applyStalePolicy(now)
}

// applyStalePolicy publishes the report of the stale policy, and does so again
// after each interval, even if the array is polled less often: such a report
// would itself become stale otherwise.
func (p *poller) applyStalePolicy(now time.Time) {
	p.republishAt = now.Add(p.schedule.interval)
	policy := p.current().onStale()
	if policy == Keep {
		p.suspend()
		return
	}
	p.publish(staleReport(p.lastGood(), policy, now))
}

// lastGood is the report of the newest sample, merged with the stanza as it is
// now. Without any sample it has the keys of the stanza alone.
func (p *poller) lastGood() capability.Report {
	t := p.current()
	if stats, ok := p.lastStats(); ok {
		return p.merge(stats)
	}
	caps := declare(t)
	putExtra(caps, nil, t.Stanza)
	appendCacheable(caps)
	return reportOf(t, caps)
}

// staleReport is what Down and Drop publish: the last known values with their
// age, and over them the keys of the policy. base is the last good report;
// started is when the poll that confirmed the failure was started.
//
// Only the policy's own keys are live. All other keys of the backend stay as
// cinder-volume reports them.
func staleReport(base capability.Report, policy Policy, started time.Time) capability.Report {
	over := capability.Set{
		capability.KeyBackendState:     capability.OfString("down"),
		capability.KeyMetricsStatus:    capability.OfString(string(capability.Stale)),
		capability.KeyMetricsAgent:     capability.OfString(agentMark),
		capability.KeyGoodnessFunction: capability.OfString("0"),
	}
	if policy == Drop {
		// A free capacity of 0 is not enough: for thin backends the newest
		// CapacityFilter does not look at it, but it rejects a backend whose
		// total is 0 (cinder/scheduler/filters/capacity_filter.py).
		over[capability.KeyTotalCapacity] = capability.OfFloat(0)
		over[capability.KeyFreeCapacity] = capability.OfFloat(0)
	}
	aged := base.Aged(started)
	if age, ok := aged.Capabilities[capability.KeyMetricsAge]; ok {
		over[capability.KeyMetricsAge] = age
	}
	base.Status = capability.Stale
	base.CollectedAt = started
	base.Capabilities = base.Capabilities.Overlay(over)
	base.LiveKeys = over.SortedKeys()
	return base
}
