package fallback

import (
	"errors"
	"fmt"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/function"
)

// Check is a series of decisions with the settings of a plan.
type Check struct {
	Type string
	Case Case
	// Before and After are the backends that a volume gets on the present reports,
	// with the present settings and with those of the plan; "" for none. Reason is
	// why there is none before, or the weight after.
	Before, After, Reason string
	Preferred             []string // the backends that are preferred on the present reports
	Decisions             int      // how many were made on constructed reports
	Failed                string   // the first that was not as wanted; "" if none
}

// Case is a situation of the arrays.
type Case string

// The cases. Except for the present one, each is constructed from the present reports:
// with metrics beside the limits, the arrays filled differently, and the preferred one
// with room for two of the volumes.
const (
	Present Case = "the present reports"
	One     Case = "one array under the limits, and it is the fullest: it gets the volume"
	Two     Case = "two arrays under the limits: one of them gets it, by the other weighers"
	None    Case = "no array under the limits: none is refused, and the other weighers decide"
	Missing Case = "an array whose report lacks a metric: it is not preferred, and not refused"
)

// most is the number of backends up to which each is tried in a case.
const most = 40

// judge decides with the settings of a plan on reports.
type judge struct {
	*maker
	before, after, others *placement.Engine // others: after without GoodnessWeigher
	prepared              []capability.Report
}

// check decides on the present reports and on constructed ones.
func (m *maker) check() error {
	j := &judge{maker: m}
	if err := j.engines(); err != nil {
		return fmt.Errorf("scheduler_default_filters and scheduler_default_weighers: %w", err)
	}
	j.prepare()
	for i := range m.plan.Types {
		checks, err := j.all(i)
		if err != nil {
			return fmt.Errorf("type %s: %w", m.plan.Types[i].Name, err)
		}
		for _, c := range checks {
			if c.Failed != "" {
				m.problem("type %s: %s: %s", c.Type, c.Case, c.Failed)
			}
		}
		m.plan.Checks = append(m.plan.Checks, checks...)
	}
	return nil
}

func (j *judge) engines() (err error) {
	if j.before, err = cinder.NewEngine(j.cloud.Options); err != nil {
		return err
	}
	o := j.plan.Scheduler.Options
	if j.after, err = cinder.NewEngine(o); err != nil {
		return err
	}
	o.Weighers = slices.DeleteFunc(slices.Clone(o.Weighers), func(w string) bool { return placement.ClassName(w) == cinder.GoodnessWeigher })
	j.others, err = cinder.NewEngine(o)
	return err
}

// prepare gives the reports what their sections get.
func (j *judge) prepare() {
	j.prepared = slices.Clone(j.cloud.Reports)
	for _, b := range j.plan.Backends {
		more := capability.Set{capability.KeyGoodnessFunction: capability.OfString(b.Goodness)}
		if len(b.Classes) > 0 {
			more[Class] = capability.OfStrings(b.Classes...)
		}
		r := &j.prepared[b.index]
		r.Capabilities = r.Capabilities.Overlay(more)
	}
}

// all makes the checks of one type.
func (j *judge) all(t int) ([]Check, error) {
	present, err := j.present(t)
	if err != nil {
		return nil, err
	}
	checks := []Check{present}
	if slices.ContainsFunc(j.plan.Types[t].Conditions, func(c Condition) bool { return c.Function == "" }) {
		return checks, nil // the condition that remains refuses, which is a problem already
	}
	for _, c := range []struct {
		name  Case
		tries []situation
		want  func(*outcome) string
	}{
		{One, j.alone(t), j.wantPreferred},
		{Two, j.pairs(t), j.wantOneOf},
		{None, []situation{{}}, j.wantOthers},
		{Missing, j.lacking(t), j.wantPreferred},
	} {
		out := Check{Type: j.plan.Types[t].Name, Case: c.name}
		for _, s := range c.tries {
			o, err := j.decide(t, s)
			if err != nil {
				return nil, err
			}
			if !o.usable() {
				continue
			}
			if out.Decisions++; out.Failed == "" {
				out.Failed = c.want(o)
			}
		}
		checks = append(checks, out)
	}
	return checks, nil
}

// present decides on the present reports.
func (j *judge) present(t int) (Check, error) {
	of := &j.plan.Types[t]
	c := Check{Type: of.Name, Case: Present}
	before, err := placed(j.before, j.listed(j.cloud.Reports), j.cloud.Size, of.original)
	if err != nil {
		return c, err
	}
	after, err := placed(j.after, j.listed(j.prepared), j.cloud.Size, of.changed)
	if err != nil {
		return c, err
	}
	c.Before, c.After = chosen(before), chosen(after)
	if c.Before == "" {
		c.Reason = before.Summary()
	}
	for i := range after.Verdicts {
		v := &after.Verdicts[i]
		if v.Fits() && j.meets(t, v.Backend.Report()) {
			c.Preferred = append(c.Preferred, v.Backend.Name())
		}
	}
	if len(c.Preferred) > 0 && !slices.Contains(c.Preferred, c.After) {
		c.Failed = c.After + " is chosen, and is not under the limits"
	}
	return c, nil
}

// listed are the reports of the backends that the scheduler lists.
func (j *judge) listed(reports []capability.Report) []capability.Report {
	return slices.DeleteFunc(slices.Clone(reports), func(r capability.Report) bool {
		return slices.Contains(j.cloud.Unlisted, r.Identity())
	})
}

// meets reports whether a backend meets all translated conditions of a type: as Cinder
// compares the extra spec, or, where another metric stands for the one of the extra spec,
// as the function compares that.
func (j *judge) meets(t int, r *capability.Report) bool {
	for _, c := range j.plan.Types[t].Conditions {
		if c.Function != "" && !c.meets(r) {
			return false
		}
	}
	return true
}

func (c *Condition) meets(r *capability.Report) bool {
	if c.Note != "" {
		f, err := function.Compile(c.Function)
		if err != nil {
			return false
		}
		v, err := f.Eval(function.Vars{function.ScopeCapabilities: r.Capabilities})
		return err == nil && v.Truth()
	}
	key, _ := liveKey(c.Key)
	v, ok := r.Capabilities[key]
	if !ok {
		return false
	}
	require := cinder.CompileRequirement(c.Value)
	met, err := require.MatchCapability(v)
	return met && err == nil
}

func placed(engine *placement.Engine, reports []capability.Report, size int64, t cinder.VolumeType) (*placement.Decision, error) {
	d, err := engine.DecideOn(cinder.NewSnapshot(reports), &cinder.Request{Size: size, Type: &t, RandomSeed: 1})
	if errors.Is(err, placement.ErrNoPool) {
		err = nil
	}
	return d, err
}

func chosen(d *placement.Decision) string {
	if d.Chosen == nil {
		return ""
	}
	return d.Chosen.Backend.Name()
}

// fitting are the positions of the backends that fit a type.
func fitting(engine *placement.Engine, s *placement.Snapshot, t cinder.VolumeType) ([]int, error) {
	ranked, err := engine.Rank(nil, s, &cinder.Request{Size: 1, Type: &t})
	if errors.Is(err, placement.ErrNoPool) {
		err = nil
	}
	fits := make([]int, len(ranked))
	for i := range ranked {
		fits[i] = ranked[i].Backend.Index()
	}
	slices.Sort(fits)
	return fits, err
}
