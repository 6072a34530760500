package check

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/configcheck"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/publisher"
)

// addListed adds the backends that the scheduler lists to those that were polled. A
// backend is unlisted if it reports on the bus and is not in the list; one that only
// was polled may not be in use yet, and is checked.
func (r *Result) addListed(ctx context.Context, o *Options) {
	if s := r.Bus.Session.State; s != publisher.Ready && s != publisher.Blocked {
		return // a finding says so
	}
	defer backends.ListProgress(ctx, o.Screen).Stop()
	request := func(ctx context.Context) (*publisher.SchedulerPools, error) {
		return publisher.Pools(ctx, setup.BusOptions(r.Config, zerolog.Nop()))
	}
	reporting := slices.Sorted(maps.Keys(r.Bus.Bases))
	list, err := backends.RequestList(ctx, request, reporting)
	if err != nil {
		f := configcheck.Finding(advice.Note, "list-unavailable", configcheck.Place(r.Config, "DEFAULT", "transport_url"))
		f.Topic = advice.IdentityTopic
		f.Problem = "the scheduler's list of backends is not known: " + err.Error()
		f.Reason = "backends of other hosts and vendors, and disabled services, were not considered"
		f.Fix = "OPERATIONS.md has the rights that the request needs; --no-bus leaves this out"
		r.Findings = append(r.Findings, f)
		return
	}
	r.confirmListed(list.Pools)
	set := backends.Arrange(r.Set.Reports, list, backends.ZonesOf(r.Config, o.Zones))
	set.Source, set.Release = r.Set.Source, r.Set.Release
	set.Unlisted = slices.DeleteFunc(set.Unlisted, func(i string) bool { return !slices.Contains(reporting, i) })
	for _, identity := range backends.Missing(list.Pools, reporting) {
		if !slices.Contains(set.Unlisted, identity) {
			set.Unlisted = append(set.Unlisted, identity)
		}
	}
	r.Set = set
}

// confirmListed makes a note of the warning that no report of a backend was received, if
// the scheduler lists the backend: then its name is right.
func (r *Result) confirmListed(pools []publisher.SchedulerPool) {
	for i := range r.Config.Backends {
		b := &r.Config.Backends[i]
		if len(backends.Missing(pools, []string{b.Identity()})) > 0 {
			continue
		}
		where := configcheck.Location(b.File, b.Line, b.Stanza, "")
		for k := range r.Findings {
			f := &r.Findings[k]
			if f.Code != "no-base-report" || f.Where != where {
				continue
			}
			f.Severity = advice.Note
			f.Reason = "the scheduler lists it, so its name is right; keys of the report were not compared with the configuration"
			f.Fix = "poolcast check --listen-for 3m listens longer"
		}
	}
}

// unlistedFindings are notes about backends that report and are not listed.
func (r *Result) unlistedFindings() []advice.Finding {
	var found []advice.Finding
	for _, identity := range r.Set.Unlisted {
		if r.Set.Excluded[identity] != "" {
			continue // a finding about its service says more
		}
		where := identity
		for i := range r.Config.Backends {
			if b := &r.Config.Backends[i]; b.Identity() == identity {
				where = configcheck.Location(b.File, b.Line, b.Stanza, "")
			}
		}
		found = append(found, advice.Finding{
			Severity: advice.Note, Topic: advice.IdentityTopic, Code: "not-listed", Where: where,
			Problem: fmt.Sprintf("%s reports, and the scheduler does not list it: disabled, frozen or down", identity),
			Reason:  "the scheduler places no volume on it",
			Fix:     "openstack volume service list --long has the state and the reason; cinder service-enable " + identity + " cinder-volume enables it, cinder thaw-host " + identity + " thaws it",
		})
	}
	return found
}
