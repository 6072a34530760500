package check

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
)

// ReceiveBases listens for base reports on the message bus, and shows the progress.
func ReceiveBases(ctx context.Context, cfg *config.Config, reports []capability.Report, longest time.Duration, screen *text.Screen) (*Bases, error) {
	b, err := Listen(ctx, cfg, reports, longest, screen)
	if err != nil {
		return nil, err
	}
	if len(b.Bases) == 0 {
		return nil, fmt.Errorf("no report of cinder-volume was received within %s: %s; poolcast check compares the names, --base FILE needs no bus",
			b.Took.Round(time.Second), setup.SessionText(b.Session))
	}
	bases := &Bases{sets: map[string]capability.Set{}, backends: b.Backends}
	for identity, base := range b.Bases {
		bases.sets[identity] = base.Capabilities
	}
	return bases, nil
}

// Difference is what poolcast would change.
type Difference struct {
	Backends []BackendDiff
	Effects  []advice.Effect
	Partial  bool // the bases have too few keys for an effect
	// LeftOut are plug-ins without which the effects were decided.
	LeftOut []placement.LeftOut
	// Notes say which numbers that the effects rest on are labels of cinder.conf.
	Notes []string
}

// Suspension is why an agent would publish nothing over a base report.
type Suspension struct {
	Cause  publisher.Cause `json:"cause"`
	Detail string          `json:"detail"`
}

// BackendDiff is the difference of one backend.
type BackendDiff struct {
	Host    string `json:"host"`
	Backend string `json:"backend"`
	HasBase bool   `json:"has_base"`
	// Complete is whether a report would be published without a base report.
	Complete  bool               `json:"complete"`
	Suspended *Suspension        `json:"suspended"` // null if it is not
	Changes   []advice.KeyChange `json:"changes"`
	Before    *float64           `json:"virtual_free_before"` // GiB
	After     *float64           `json:"virtual_free_after"`
}

// Diff compares the reports with their bases, and the decisions on a volume of
// each type, of a size in GiB.
func Diff(cfg *config.Config, reports []capability.Report, bases *Bases, types []cinder.VolumeType, size int64) (*Difference, error) {
	d := &Difference{Partial: bases.partial}
	var before, after []capability.Report
	for _, r := range reports {
		base, hasBase := bases.sets[r.Identity()]
		b := BackendDiff{
			Host: r.Identity(), Backend: r.Backend, HasBase: hasBase, Changes: []advice.KeyChange{},
			Suspended: bases.suspension(cfg.Agent.Overlay, r),
		}
		b.Complete = !hasBase && b.Suspended == nil && !cfg.Agent.Overlay
		was, will := r, r
		was.Capabilities, will.Capabilities = base, b.effective(base, r, cfg.Agent.FixProvisionedCapacity)
		if hasBase {
			b.Changes = advice.CompareKeys(base, r.Capabilities, will.Capabilities, bases.partial)
			b.Before = virtualOf(was)
			before = append(before, was)
		}
		if hasBase || b.Complete {
			after = append(after, will)
			if !bases.partial {
				b.After = virtualOf(will)
			}
		}
		d.Backends = append(d.Backends, b)
	}
	if bases.partial {
		return d, nil
	}
	engine, err := decision.Engine(cfg.Scheduler, "strict")
	if err != nil {
		return nil, exit.With(exit.Config, err)
	}
	d.LeftOut = engine.LeftOut()
	cloud := decision.NewCloud(cfg, &backends.Set{Reports: reports})
	all := questions(requests(cloud.API, size).AnyZone, reports, types, size)
	d.Notes = labelsOf(all, after, decision.Options(cfg.Scheduler))
	d.Effects, err = advice.Effects(engine, before, after, all)
	return d, err
}

// labelsOf are notes on the labels that the scheduler reads for any of the questions.
func labelsOf(all []advice.Question, reports []capability.Report, o cinder.Options) []string {
	return advice.LabelNotes(reports, func(r *capability.Report) []string {
		var keys []string
		for _, q := range all {
			keys = append(keys, cinder.Reads(o, q.Request, r)...)
		}
		slices.Sort(keys)
		return slices.Compact(keys)
	})
}

// effective is the report that the scheduler would hold.
func (b *BackendDiff) effective(base capability.Set, r capability.Report, fixProvisioned bool) capability.Set {
	switch {
	case b.Suspended != nil:
		return base
	case b.Complete:
		return r.Capabilities
	}
	return publisher.Overlay(base, r, fixProvisioned)
}

// suspension applies the rules of the agent: nil if it would publish a report.
func (s *Bases) suspension(overlay bool, r capability.Report) *Suspension {
	if b := s.backends[r.Identity()]; b.Cause == publisher.UnreadableBase {
		return &Suspension{b.Cause, b.Detail}
	}
	base, hasBase := s.sets[r.Identity()]
	if !hasBase {
		return nil
	}
	if !overlay {
		return &Suspension{publisher.CinderVolumeReports, "overlay is off, and cinder-volume reports this backend itself"}
	}
	if cause, detail := publisher.SuspendCause(base, r); cause != publisher.NoCause {
		return &Suspension{cause, detail}
	}
	return nil
}

func virtualOf(r capability.Report) *float64 {
	a, ok := cinder.ArithmeticOf(r)
	if !ok {
		return nil
	}
	return &a.Virtual
}

// questions are a plain volume, one of each pool where there are several, and one of
// each type that cinder-api accepts, in any of its zones.
func questions(create func(*cinder.VolumeType) (*cinder.Request, error), reports []capability.Report, types []cinder.VolumeType, size int64) []advice.Question {
	var all []advice.Question
	add := func(name string, t *cinder.VolumeType) {
		if request, err := create(t); err == nil {
			request.RandomSeed = 1
			all = append(all, advice.Question{Name: fmt.Sprintf("%s, %d GiB", name, size), Request: request})
		}
	}
	add("any backend", nil)
	if pools := poolNames(reports); len(pools) > 1 {
		for _, name := range pools {
			add("pool "+name, &cinder.VolumeType{
				Name: name, ExtraSpecs: cinder.ExtraSpecs{cinder.Spec(capability.KeyVolumeBackendName, name)},
			})
		}
	}
	for i := range types {
		add("type "+types[i].Name, &types[i])
	}
	return all
}

func poolNames(reports []capability.Report) []string {
	names := map[string]bool{}
	for _, r := range reports {
		names[r.Pool] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// Incomplete is an error if some backend has no base report.
func (d *Difference) Incomplete() error {
	var names []string
	for _, b := range d.Backends {
		if !b.HasBase && b.Suspended == nil {
			names = append(names, b.Host)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return exit.With(exit.Partial, fmt.Errorf("there is no base report of %s; poolcast check compares the names", format.List(names)))
}
