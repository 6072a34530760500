package decision

import (
	"fmt"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/function"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
)

// Move is what the scheduler decides on a volume that exists.
type Move struct {
	// Backend is where the volume is afterwards; nil if the scheduler refuses.
	Backend *placement.Verdict
	// Text is the result in one sentence.
	Text string
	// Verdicts are the backends that the question is about.
	Verdicts []placement.Verdict
}

// move reads the result for a volume that exists from the decision on all backends; nil
// for a new volume.
func (q Question) move(d *placement.Decision) *Move {
	switch {
	case q.Retype != nil:
		return retyped(q.Retype, d)
	case q.Extend != nil:
		return onBackend(d, q.Extend.Pool, fmt.Sprintf("extended from %d to %d GiB on", q.Extend.Size, q.Extend.NewSize))
	case q.Migrate != nil:
		return onBackend(d, q.Migrate.To, "migrated to")
	}
	return nil
}

// onBackend is whether one backend passes the filters
// (cinder/scheduler/filter_scheduler.py, backend_passes_filters).
func onBackend(d *placement.Decision, pool, action string) *Move {
	v := d.Of(pool)
	switch {
	case v == nil:
		return &Move{Text: fmt.Sprintf("the volume cannot be %s %s: the scheduler has no report of it", action, pool)}
	case !v.Fits():
		return &Move{Text: fmt.Sprintf("the volume cannot be %s %s: %s", action, v.Backend.Name(), refusedText(v)), Verdicts: []placement.Verdict{*v}}
	}
	return &Move{Backend: v, Text: fmt.Sprintf("the volume can be %s %s", action, v.Backend.Name()), Verdicts: []placement.Verdict{*v}}
}

// retyped is the backend of a volume with its new type
// (cinder/scheduler/filter_scheduler.py, find_retype_backend).
func retyped(q *volumeapi.Retype, d *placement.Decision) *Move {
	m := &Move{Verdicts: d.Verdicts}
	name := "no type"
	if q.NewType != nil {
		name = "the type " + q.NewType.Name
	}
	now, where, why := d.Of(q.Pool), q.Pool, "the scheduler has no report of it"
	if now != nil {
		where, why = now.Backend.Name(), refusedText(now)
	}
	switch {
	case now != nil && now.Fits():
		m.Backend, m.Text = now, fmt.Sprintf("%s keeps the volume: it fits %s", where, name)
	case d.Chosen == nil:
		m.Text = fmt.Sprintf("the retype fails: no backend fits %s; %s has the volume: %s", name, where, why)
	case q.Policy == volumeapi.OnDemand:
		m.Backend = d.Chosen
		m.Text = fmt.Sprintf("the volume would be migrated to %s: %s does not fit %s: %s", d.Chosen.Backend.Name(), where, name, why)
	default:
		m.Text = fmt.Sprintf("the retype fails: %s does not fit %s: %s; with the migration policy on-demand the volume would be migrated to %s",
			where, name, why, d.Chosen.Backend.Name())
	}
	return m
}

func refusedText(v *placement.Verdict) string {
	if reason := v.Reason(); reason != "" {
		return v.RefusedBy + ": " + reason
	}
	return v.RefusedBy
}

// Refused is why the backend of the question does not get the volume.
func (m *Move) Refused() string {
	if len(m.Verdicts) == 1 && !m.Verdicts[0].Fits() {
		return refusedText(&m.Verdicts[0])
	}
	return m.Text
}

// write sets what differs from the decision on a new volume.
func (m *Move) write(d *placement.DecisionJSON) {
	d.Chosen, d.Reason = nil, m.Text
	if m.Backend != nil {
		id := m.Backend.Backend.ID()
		d.Chosen = &id
	}
	d.Backends = slices.DeleteFunc(d.Backends, func(v placement.VerdictJSON) bool {
		return !slices.ContainsFunc(m.Verdicts, func(of placement.Verdict) bool { return of.Backend.ID() == v.ID })
	})
}

// readsProperty reports whether a function of a backend reads a property of the volume.
func readsProperty(c capability.Set, name string) bool {
	for _, key := range []string{capability.KeyFilterFunction, capability.KeyGoodnessFunction} {
		text, _ := c[key].Str()
		f, err := function.Compile(text)
		if err == nil && slices.Contains(f.Names(), function.Name{Scope: function.ScopeVolume, Key: name}) {
			return true
		}
	}
	return false
}
