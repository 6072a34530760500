package decision

import (
	"fmt"
	"slices"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher/status/client"
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
	return &Cloud{Scheduler: cfg.Scheduler, Backends: set}
}

// Answer is what the scheduler does with a request.
type Answer struct {
	// Decisions are one for each volume, the last one for the volume that no backend
	// has room for, if there is such a volume.
	Decisions []*placement.Decision
	Backends  *backends.Set // that were decided on
}

// JSON is the form for programs of an answer about one volume.
func (a *Answer) JSON(now time.Time) client.Answer {
	return client.Answer{DecisionJSON: a.Last().JSON(), Source: a.Backends.JSON(now)}
}

// Last is the last decision.
func (a *Answer) Last() *placement.Decision { return a.Decisions[len(a.Decisions)-1] }

// ServiceState is the name of the filter that refuses backends which the scheduler does
// not list. In Cinder this is no filter: the scheduler forgets such a backend before it
// filters (cinder/scheduler/host_manager.py, _update_backend_state_map).
const ServiceState = "ServiceState"

// Place places volumes one after the other, each with the capacity that the previous
// ones left, with one of the policies strict and prefer. It stops at the first that
// does not fit.
func (c *Cloud) Place(request *cinder.Request, count int, policy string) (*Answer, error) {
	engine, err := c.engine(policy)
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

// engine refuses unlisted backends and then decides as the scheduler does.
func (c *Cloud) engine(policy string) (*placement.Engine, error) {
	if len(c.Backends.Unlisted) == 0 {
		return Engine(c.Scheduler, policy)
	}
	o := options(c.Scheduler, policy)
	o.Filters = append([]string{ServiceState}, o.Filters...)
	engine, err := cinder.NewEngine(o, placement.WithFilter(ServiceState, serviceState{c.Backends.Unlisted}))
	if err != nil {
		return nil, fmt.Errorf("scheduler_default_filters and scheduler_default_weighers: %w", err)
	}
	return engine, nil
}

// serviceState refuses backends that the scheduler does not list.
type serviceState struct{ unlisted []string }

// Filter passes backends that the scheduler lists.
func (f serviceState) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	return !slices.Contains(f.unlisted, b.Report().Identity()), nil
}

// Explain lists the possible states.
func (serviceState) Explain(placement.Request, *placement.Backend) string {
	return "it reports, and the scheduler does not list it: the service is disabled, frozen or down, or has another name"
}
