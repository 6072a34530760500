package migration

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/plan"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
)

// Request is which logical pools to plan, and how.
type Request struct {
	plan.Options

	Pool, Zone string   // of the pools; "" is every one
	Empty      []string // backends, by section, host@backend or pool
	Cloud      string   // name in clouds.yaml, for the commands
}

// PoolPlan is the plan of one logical pool.
type PoolPlan struct {
	plan.Plan

	Name, Zone string
	// Unknown are the arrays whose volumes use an unknown space.
	Unknown []string
	// Others are the volumes on arrays to be emptied that the cloud does not list, by the
	// name of the array.
	Others map[string]int
}

// Result is the plan of every pool that was asked for.
type Result struct {
	Request
	Pools    []PoolPlan
	Backends *backends.Set
	Notes    []string
}

// Make makes the plans. Its errors are about the request.
func Make(r Request, f *Facts, space Space, cloud *decision.Cloud) (*Result, error) {
	out := &Result{Request: r, Backends: cloud.Backends, Notes: f.Catalogue.Notes}
	for _, name := range r.Empty {
		report, err := volumeapi.Backend(cloud.Backends.Reports, name)
		if err != nil {
			return nil, fmt.Errorf("--evacuate: %w", err)
		}
		out.Evacuate = append(out.Evacuate, report.Identity())
	}
	pools := out.chosen(capability.GroupPools(cloud.Backends.Reports))
	if len(pools) == 0 {
		return nil, noPool(r, cloud.Backends.Reports)
	}
	for _, p := range pools {
		one, err := out.planOf(p, f.pool(p, space), space, judge(cloud))
		if err != nil {
			return nil, err
		}
		out.Pools = append(out.Pools, *one)
	}
	return out, nil
}

// planOf is the plan of one pool.
func (r *Result) planOf(p capability.LogicalPool, pool plan.Pool, space Space, judge plan.Judge) (*PoolPlan, error) {
	one := &PoolPlan{Name: p.Name, Zone: p.Zone, Others: map[string]int{}}
	options := r.Options
	options.Evacuate = nil
	for i := range p.Reports {
		a := &p.Reports[i]
		number, known := others(pool, a, space)
		if !known {
			one.Unknown = append(one.Unknown, a.Name())
		}
		if slices.Contains(r.Evacuate, a.Identity()) {
			options.Evacuate = append(options.Evacuate, a.Identity())
			if number > 0 {
				one.Others[a.Name()] = number
			}
		}
	}
	made, err := plan.Make(pool, options, judge)
	if err != nil {
		return nil, err
	}
	one.Plan = *made
	return one, nil
}

// chosen are the pools of the request: with arrays to empty only theirs.
func (r *Result) chosen(pools []capability.LogicalPool) []capability.LogicalPool {
	return slices.DeleteFunc(pools, func(p capability.LogicalPool) bool {
		empties := slices.ContainsFunc(p.Reports, func(a capability.Report) bool { return slices.Contains(r.Evacuate, a.Identity()) })
		return r.Pool != "" && p.Name != r.Pool || r.Zone != "" && p.Zone != r.Zone || len(r.Evacuate) > 0 && !empties
	})
}

// noPool is the error of a request for a pool that has no report.
func noPool(r Request, reports []capability.Report) error {
	name := "logical pool"
	if r.Pool != "" {
		name += " " + r.Pool
	}
	if r.Zone != "" {
		name += " in the availability zone " + r.Zone
	}
	return fmt.Errorf("there is no report of a %s; there are %s", name, format.List(poolNames(reports)))
}

func poolNames(reports []capability.Report) []string {
	var names []string
	for _, p := range capability.GroupPools(reports) {
		names = append(names, p.Name+" in "+p.Zone)
	}
	return names
}

// judge decides on a migration as cinder-api and the scheduler do.
func judge(cloud *decision.Cloud) plan.Judge {
	return func(q volumeapi.Migrate, reports []capability.Report) (string, error) {
		set, one := *cloud.Backends, *cloud
		set.Reports, one.Backends = reports, &set
		answer, err := one.Ask(decision.Question{Migrate: &q, Policy: "strict"})
		if err != nil {
			return "", err
		}
		return refusedMigration(answer), nil
	}
}

// refusedMigration is why the volume is not migrated; "" if it is.
func refusedMigration(a *decision.Answer) string {
	switch {
	case a.Fits():
		return ""
	case a.Refusal != nil:
		return a.Refusal.Reason
	}
	return a.Move.Refused()
}

// Command is the command that makes a move, of the ordinary client.
func (r *Result) Command(m *plan.Move) string {
	words := []string{"openstack"}
	if r.Cloud != "" {
		words = append(words, "--os-cloud", format.ShellQuoted(r.Cloud))
	}
	return strings.Join(append(words, "volume migrate --host", format.ShellQuoted(m.ToHost), m.Volume.ID), " ")
}

// Incomplete are the volumes that stay on arrays that were to be emptied.
func (r *Result) Incomplete() (volumes int) {
	for i := range r.Pools {
		for _, s := range r.Pools[i].Stay {
			if s.Emptied {
				volumes++
			}
		}
	}
	return volumes
}
