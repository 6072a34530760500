package fallback

import (
	"math"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
)

// situation says what is constructed. The arrays are filled differently: the first under
// the limits is the fullest, and of the others each is fuller than the one before.
type situation struct {
	under   []int // the backends under the limits; the others are above
	lacking []int // those that are, but for a metric that they do not report
}

// outcome is the decision in a situation.
type outcome struct {
	situation
	decision *placement.Decision
	others   *placement.Decision // without the type's conditions and GoodnessWeigher
	names    map[int]string      // of backends by position
}

// alone are the situations with one array under the limits.
func (j *judge) alone(t int) []situation {
	var out []situation
	for _, i := range j.tried(t) {
		out = append(out, situation{under: []int{i}})
	}
	return out
}

// pairs are the situations with two.
func (j *judge) pairs(t int) []situation {
	tried := j.tried(t)
	if len(tried) < 2 {
		return nil
	}
	var out []situation
	for k, i := range tried {
		out = append(out, situation{under: []int{i, tried[(k+1)%len(tried)]}})
	}
	return out
}

// lacking are those with one under the limits and one that would be, had its report the
// metric.
func (j *judge) lacking(t int) []situation {
	out := j.pairs(t)
	for i := range out {
		out[i].under, out[i].lacking = out[i].under[:1], out[i].under[1:]
	}
	return out
}

func (j *judge) tried(t int) []int { return j.fits[t][:min(most, len(j.fits[t]))] }

// decide constructs a situation and decides.
func (j *judge) decide(t int, s situation) (*outcome, error) {
	of := &j.plan.Types[t]
	reports := slices.Clone(j.prepared)
	o := &outcome{situation: s, names: map[int]string{}}
	for rank, i := range j.fits[t] {
		r := &reports[i]
		o.names[i] = r.Name()
		share := 0.9 * float64(rank) / float64(len(j.fits[t]))
		if len(s.under) > 0 && i == s.under[0] {
			share = 1
		}
		within := slices.Contains(s.under, i) || slices.Contains(s.lacking, i)
		more := j.filled(r, share)
		for _, c := range of.Conditions {
			c.set(more, within)
		}
		r.Capabilities = r.Capabilities.Overlay(more)
		if slices.Contains(s.lacking, i) {
			r.Capabilities = lackingMetric(r.Capabilities, of.Conditions)
		}
	}
	var err error
	if o.decision, err = placed(j.after, reports, j.cloud.Size, of.changed); err != nil {
		return nil, err
	}
	o.others, err = placed(j.others, reports, j.cloud.Size, without(of.changed, of.Conditions))
	return o, err
}

// set adds values of the metrics that meet the condition, or do not.
func (c *Condition) set(to capability.Set, met bool) {
	value := c.unmet
	if met {
		value = c.met
	}
	for _, key := range c.metrics {
		v := capability.OfFloat(value)
		if value == math.Trunc(value) && math.Abs(value) < 1<<53 {
			v = capability.OfInt(int64(value))
		}
		to[key] = v
	}
}

// lackingMetric removes the first metric of the conditions.
func lackingMetric(set capability.Set, conditions []Condition) capability.Set {
	set = set.Clone()
	for _, c := range conditions {
		if len(c.metrics) > 0 {
			delete(set, c.metrics[0])
			break
		}
	}
	return set
}

// filled are the capacities of an array of which a share is provisioned, with room for
// two of the volumes. They are empty where the array reports no capacity.
func (j *judge) filled(r *capability.Report, share float64) capability.Set {
	total, ok := r.Capabilities.Number(capability.KeyTotalCapacity)
	if !ok || total <= 0 {
		return capability.Set{}
	}
	ratio, ok := r.Capabilities.Number(capability.KeyMaxOverSubscription)
	thin, _ := r.Capabilities[capability.KeyThinProvisioning].Bool()
	if !ok || !thin {
		ratio = 1
	}
	reserved, _ := r.Capabilities.Number(capability.KeyReservedPercentage)
	usable := total - math.Floor(total*reserved/100)
	provisioned := math.Floor(min(usable*ratio*share, usable*ratio-float64(2*j.cloud.Size)))
	if provisioned < 0 {
		return capability.Set{}
	}
	return capability.Set{
		capability.KeyProvisionedCapacity: capability.OfFloat(provisioned),
		capability.KeyAllocatedCapacity:   capability.OfFloat(provisioned),
		capability.KeyFreeCapacity:        capability.OfFloat(total - provisioned/ratio*0.9),
	}
}

// usable reports whether the arrays under the limits have room for the volume.
func (o *outcome) usable() bool {
	if o.others.Fit == 0 {
		return false
	}
	for _, i := range o.under {
		if !fitsOn(o.others, o.names[i]) {
			return false
		}
	}
	return true
}

func fitsOn(d *placement.Decision, name string) bool {
	return slices.ContainsFunc(d.Verdicts[:d.Fit], func(v placement.Verdict) bool { return v.Backend.Name() == name })
}

// refused is what the settings refuse and capacity does not; "" if nothing.
func (o *outcome) refused() string {
	for i := range o.decision.Verdicts {
		v := &o.decision.Verdicts[i]
		if !v.Fits() && fitsOn(o.others, v.Backend.Name()) {
			return v.Backend.Name() + " is refused by " + v.RefusedBy + ": " + v.Reason()
		}
	}
	return ""
}

// wantPreferred wants the first array under the limits.
func (j *judge) wantPreferred(o *outcome) string {
	if text := o.refused(); text != "" {
		return text
	}
	want := o.names[o.under[0]]
	switch {
	case chosen(o.decision) != want:
		return chosen(o.decision) + " gets the volume, and " + want + " is under the limits"
	case o.decision.Chosen.Tied:
		return want + " gets the volume, but another array has the same weight"
	}
	return ""
}

// wantOneOf wants one of the arrays under the limits: the one that comes first without
// GoodnessWeigher, unless present functions are kept.
func (j *judge) wantOneOf(o *outcome) string {
	if text := o.refused(); text != "" {
		return text
	}
	got := chosen(o.decision)
	var under []string
	for _, i := range o.under {
		under = append(under, o.names[i])
	}
	if !slices.Contains(under, got) {
		return got + " gets the volume, and is not under the limits"
	}
	if first := firstOf(o.others, under); j.share == 0 && got != first {
		return got + " gets the volume, and " + first + " would by the other weighers"
	}
	return ""
}

// firstOf is the best of some backends.
func firstOf(d *placement.Decision, names []string) string {
	for i := range d.Verdicts[:d.Fit] {
		if name := d.Verdicts[i].Backend.Name(); slices.Contains(names, name) {
			return name
		}
	}
	return ""
}

// wantOthers wants what the other weighers choose, unless present functions are kept.
func (j *judge) wantOthers(o *outcome) string {
	if text := o.refused(); text != "" {
		return text
	}
	got, want := chosen(o.decision), chosen(o.others)
	if j.share == 0 && got != want {
		return got + " gets the volume, and " + want + " would by the other weighers"
	}
	return ""
}
