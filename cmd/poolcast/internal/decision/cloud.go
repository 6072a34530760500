package decision

import (
	"slices"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
	"github.com/poolcast/poolcast/config"
)

// Cloud is the cloud that a question is about: its API, its scheduler and its
// backends.
type Cloud struct {
	API       volumeapi.Cloud
	Scheduler config.Scheduler
	Backends  *backends.Set
}

// NewCloud is the cloud of a configuration.
func NewCloud(cfg *config.Config, set *backends.Set) *Cloud {
	api := volumeapi.Cloud{Zones: zonesOf(cfg, set), Settings: volumeapi.Settings{
		DefaultZone: cfg.API.DefaultZone, StorageZone: cfg.API.StorageZone, ZoneFallback: cfg.API.ZoneFallback,
		CloneOtherAZ: !cfg.API.CloneSameZone, SnapshotOtherHost: !cfg.API.SnapshotSameHost,
	}}
	return &Cloud{API: api, Scheduler: cfg.Scheduler, Backends: set}
}

// zonesOf are the zones of the backends that report, those that are given, and those of
// backends that are configured: an array that cannot be read has a volume service too.
// They are nil if the zone of some backend is not known.
func zonesOf(cfg *config.Config, set *backends.Set) []string {
	reports, zones := set.Reports, []string(nil)
	add := func(zone string) {
		if zone != "" && !slices.Contains(zones, zone) {
			zones = append(zones, zone)
		}
	}
	for i := range reports {
		if reports[i].Zone == "" {
			return nil
		}
		add(reports[i].Zone)
	}
	if len(reports) == 0 {
		return nil
	}
	for i := range cfg.Backends {
		add(cfg.Backends[i].Zone)
	}
	for _, zone := range set.GivenZones {
		add(zone)
	}
	return zones
}

// ServiceState is the name of the filter that refuses backends which the scheduler does
// not list. In Cinder this is no filter: the scheduler forgets such a backend before it
// filters (cinder/scheduler/host_manager.py, _update_backend_state_map).
const ServiceState = "ServiceState"

// Place places volumes one after the other, each with the capacity that the previous
// ones left, with one of the policies strict and prefer. It stops at the first that
// does not fit.
func (c *Cloud) Place(request *cinder.Request, count int, policy string) (*Answer, error) {
	engine, err := c.engine(request, policy)
	if err != nil {
		return nil, err
	}
	a := &Answer{Backends: c.Backends}
	s := cinder.NewSnapshot(c.Backends.Reports)
	for i := range count {
		one := *request
		if one.RandomSeed != 0 {
			one.RandomSeed += uint64(i)
		}
		d, err := decide(engine, s, &one)
		if err != nil {
			return nil, err
		}
		a.Decisions = append(a.Decisions, d)
		if d.Chosen == nil {
			break
		}
		s = s.Consume(d.Chosen.Backend, one.Consumption())
	}
	return a, nil
}

// engine refuses unlisted backends, and then decides as the scheduler does. Of a clone
// it refuses the backends that the source is not on.
func (c *Cloud) engine(request *cinder.Request, policy string) (*placement.Engine, error) {
	o := options(c.Scheduler, policy)
	filters := cinder.Profile(o).Filters
	var plugins []placement.Plugin
	if len(c.Backends.Unlisted) > 0 {
		filters = append([]string{ServiceState}, filters...)
		plugins = append(plugins, placement.WithFilter(ServiceState, serviceState{c.Backends.Unlisted, c.Backends.Excluded}))
	}
	if request.ResourceBackend != "" {
		filters = append(slices.Clone(filters), SourceBackend)
		plugins = append(plugins, placement.WithFilter(SourceBackend, sourceBackend{request.ResourceBackend}))
	}
	o.Filters = filters
	return newEngine(o, plugins...)
}

// serviceState refuses backends that the scheduler does not list.
type serviceState struct {
	unlisted []string
	excluded map[string]string // reasons, by identity, as far as they are known
}

// Filter passes backends that the scheduler lists.
func (f serviceState) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	return !slices.Contains(f.unlisted, b.Report().Identity()), nil
}

// Explain is the reason, or lists the possible states.
func (f serviceState) Explain(_ placement.Request, b *placement.Backend) string {
	if reason := f.excluded[b.Report().Identity()]; reason != "" {
		return reason
	}
	return "reports, and is not in the scheduler's list: the service is disabled, frozen or down, or has another name"
}

// SourceBackend is the name of the filter that refuses a clone on another backend than
// that of its source. In Cinder this is no filter: the scheduler removes the others
// after weighing (cinder/scheduler/filter_scheduler.py, _schedule).
const SourceBackend = "SourceBackend"

// sourceBackend refuses all backends but one.
type sourceBackend struct{ id string }

// Filter passes the backend of the source, by its pool or without one.
func (f sourceBackend) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	return b.ID() == f.id || b.Report().Identity() == f.id, nil
}

// Explain names the backend of the source.
func (f sourceBackend) Explain(placement.Request, *placement.Backend) string {
	return "the source is on " + f.id + ", and a clone must be on the same backend"
}
