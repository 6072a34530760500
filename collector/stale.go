package collector

import (
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// Policy says what is published of an array that has not answered for
// Target.StaleAfter.
type Policy string

// The policies. Keep is the one that cannot cause an outage when only the way
// from here to the array is broken; it is the default.
const (
	Keep Policy = "keep" // publish nothing: cinder-volume's own report stands
	Down Policy = "down" // backend_state down and goodness 0: last in every weighing
	Drop Policy = "drop" // what Down says, and no capacity: CapacityFilter refuses it
)

// staleReport is what Down and Drop publish: what was last known, with its age,
// and over it what the policy says. base is the last good report, or one of
// the stanza alone if there never was any; began is when the poll began that
// confirmed it.
//
// Only the policy's own keys are live. Whatever else cinder-volume says of the
// backend stays as cinder-volume says it.
func staleReport(base capability.Report, policy Policy, began time.Time) capability.Report {
	over := capability.Set{
		capability.KeyBackendState:     capability.OfString("down"),
		capability.KeyMetricsStatus:    capability.OfString(string(capability.Stale)),
		capability.KeyMetricsAgent:     capability.OfString(agentMark),
		capability.KeyGoodnessFunction: capability.OfString("0"),
	}
	if policy == Drop {
		// A free capacity of 0 is not enough: for thin backends the newest
		// CapacityFilter does not look at it, but it refuses a backend whose
		// total is 0 (cinder/scheduler/filters/capacity_filter.py).
		over[capability.KeyTotalCapacity] = capability.OfFloat(0)
		over[capability.KeyFreeCapacity] = capability.OfFloat(0)
	}
	aged := base.Aged(began)
	if age, ok := aged.Capabilities[capability.KeyMetricsAge]; ok {
		over[capability.KeyMetricsAge] = age
	}
	base.Status = capability.Stale
	base.CollectedAt = began
	base.Capabilities = base.Capabilities.Overlay(over)
	base.LiveKeys = over.SortedKeys()
	return base
}

// unread is the report of a stanza whose array has never answered.
func unread(t Target) capability.Report {
	caps := declare(t)
	overrule(caps, nil, t.Stanza)
	appendCacheable(caps)
	return capability.Report{
		Host: t.Host, Cluster: t.Cluster, Backend: t.Backend, Pool: t.Pool, Zone: t.Zone,
		Capabilities: caps,
	}
}
