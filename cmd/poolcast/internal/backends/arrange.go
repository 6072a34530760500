package backends

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
)

// Zones are the availability zones of backends, which the scheduler's list does not
// have. Keys are identities.
type Zones struct {
	Configured map[string]string // of the stanzas of this host
	Given      map[string]string // by --backend-zone, or of the cloud's services
	Default    string            // storage_availability_zone, assumed for the others
}

// ZonesOf are the zones that a configuration has.
func ZonesOf(cfg *config.Config, given map[string]string) Zones {
	return Zones{Configured: cfg.Zones, Given: given, Default: cfg.API.StorageZone}
}

// Of is the zone of a backend, and whether it is known and not assumed.
func (z Zones) Of(identity string) (zone string, known bool) {
	if zone, known = z.Given[identity]; known {
		return zone, true
	}
	if zone, known = z.Configured[identity]; known {
		return zone, true
	}
	return z.Default, false
}

// Arrange makes the set of the scheduler's list and of effective reports, which
// replace those of the list. Effective reports of backends that are not listed are the
// last, as unlisted. A nil list is one that is not known: all reports count.
func Arrange(effective []capability.Report, list *publisher.SchedulerPools, zones Zones) *Set {
	set := &Set{GivenZones: slices.Sorted(maps.Values(zones.Given))}
	if list == nil {
		set.Reports = effective
		return set
	}
	n := len(list.Pools)
	set.AskedAt, set.Listed = list.Received, &n
	own, used := map[string]capability.Report{}, map[string]bool{}
	for _, r := range effective {
		own[r.Identity()] = r
	}
	for _, p := range list.Pools {
		identity, _, _ := strings.Cut(p.Name, "#")
		if r, ok := own[identity]; ok {
			if !used[identity] {
				set.Reports = append(set.Reports, r)
			}
			used[identity] = true
			continue
		}
		zone, known := zones.Of(identity)
		if !known && !slices.Contains(set.Assumed, identity) {
			set.Assumed = append(set.Assumed, identity)
		}
		set.Reports = append(set.Reports, reportOf(p, zone))
	}
	for _, r := range effective {
		if !used[r.Identity()] {
			set.Reports, set.Unlisted = append(set.Reports, r), append(set.Unlisted, r.Identity())
			set.noteUnreported(r, list.Pools, zones.Configured)
		}
	}
	set.noteZones(zones.Default)
	if list.Incomplete {
		set.Notes = append(set.Notes, "NaN and Infinity in the scheduler's list are read as null.")
	}
	return set
}

func (s *Set) noteZones(zone string) {
	if len(s.Assumed) == 0 {
		return
	}
	s.Notes = append(s.Notes, fmt.Sprintf("The availability zone of %s is not in the scheduler's list: %s is assumed; --backend-zone %s=ZONE gives another, --os-cloud reads it from the cloud.",
		format.List(s.Assumed), zone, s.Assumed[0]))
}

// noteUnreported adds a note on an unlisted backend of which an agent has its own sample
// alone: no cinder-volume reports it.
func (s *Set) noteUnreported(r capability.Report, listed []publisher.SchedulerPool, configured map[string]string) {
	if !isSample(r) {
		return
	}
	var identities []string
	for _, p := range listed {
		identity, _, _ := strings.Cut(p.Name, "#")
		if _, own := configured[identity]; !own || sameStanza(identity, r.Identity()) {
			identities = append(identities, identity)
		}
	}
	note := r.Identity() + " is neither listed by the scheduler nor reported by cinder-volume: no cinder-volume runs for it, or none has reported since the agent started, or under another name"
	if near := similar(r.Identity(), identities); near != "" {
		note += ", such as " + near
	}
	s.addMissing(r.Identity(), note+".")
}

// addMissing adds a note on a backend that is not listed. ApplyServices replaces it by
// the reason that its service has.
func (s *Set) addMissing(identity, note string) {
	if s.missing == nil {
		s.missing = map[string]string{}
	}
	s.missing[identity] = note
	s.Notes = append(s.Notes, note)
}

// sameStanza is whether two identities have the same part after the host or cluster.
func sameStanza(a, b string) bool {
	_, first, _ := strings.Cut(a, "@")
	_, second, _ := strings.Cut(b, "@")
	return first == second
}

// isSample is whether poolcast made a report: it does not have what cinder-volume
// counts.
func isSample(r capability.Report) bool {
	_, made := r.Capabilities[capability.KeyMetricsAgent]
	_, counted := r.Capabilities[capability.KeyAllocatedCapacity]
	return made && !counted
}

// NoteMissing adds a note on stanzas of the configuration that neither the scheduler
// lists nor a report is known of.
func (s *Set) NoteMissing(configured map[string]string) {
	have := map[string]bool{}
	for _, r := range s.Reports {
		have[r.Identity()] = true
	}
	// What is configured here is no other name for it.
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(have)), func(i string) bool { _, own := configured[i]; return own })
	for _, identity := range slices.Sorted(maps.Keys(configured)) {
		if have[identity] || s.Listed == nil {
			continue
		}
		note := fmt.Sprintf("%s is configured here, and the scheduler does not list it: it is disabled, frozen or down, or cinder-volume reports it under another name", identity)
		if near := similar(identity, others); near != "" {
			note += ", such as " + near
		}
		s.addMissing(identity, note+".")
	}
}

// similar is the identity with the same stanza on another host, or with a similar
// stanza on the same host; "" if there is none.
func similar(identity string, all []string) string {
	host, stanza, _ := strings.Cut(identity, "@")
	var stanzas []string
	for _, other := range all {
		otherHost, otherStanza, _ := strings.Cut(other, "@")
		if otherStanza == stanza {
			return other
		}
		if otherHost == host {
			stanzas = append(stanzas, otherStanza)
		}
	}
	if near := format.Nearest(stanza, stanzas); near != "" {
		return host + "@" + near
	}
	return ""
}

// reportOf is the report of a listed pool.
func reportOf(p publisher.SchedulerPool, zone string) capability.Report {
	identity, pool, _ := strings.Cut(p.Name, "#")
	r := capability.Report{Host: identity, Backend: identity, Zone: zone, Capabilities: p.Capabilities}
	r.Pool, _ = p.Capabilities[capability.KeyVolumeBackendName].Str()
	if pool != r.Pool {
		r.PoolName, r.Backend = pool, p.Name
	}
	if status, ok := p.Capabilities[capability.KeyMetricsStatus].Str(); ok {
		r.Status = capability.Status(status)
	}
	if text, ok := p.Capabilities["timestamp"].Str(); ok {
		r.CollectedAt, _ = time.Parse("2006-01-02T15:04:05", text)
	}
	return r
}

// nameOwn gives listed backends of this configuration the names of their stanzas.
func (s *Set) nameOwn(cfg *config.Config) {
	for i := range s.Reports {
		r := &s.Reports[i]
		for _, b := range cfg.Backends {
			if b.Identity() == r.Identity() && r.PoolName == "" {
				r.Host, r.Cluster, r.Backend = b.Host, b.Cluster, b.Stanza
			}
		}
	}
}
