package advice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
)

// standing is how a backend that fits otherwise stands to a live condition.
type standing struct {
	name  string
	text  string // its value
	value float64
	meets bool
}

// standings are those of all backends that fit but for live conditions.
func (c *condition) standings(eligible *placement.Decision) (list []standing) {
	if eligible == nil {
		return nil
	}
	for i := range eligible.Verdicts {
		v := &eligible.Verdicts[i]
		if !v.Fits() {
			continue
		}
		s := standing{name: v.Backend.Report().Name(), text: "not reported"}
		s.meets, _ = c.meets(v.Backend)
		if value, ok := c.value(v.Backend); ok {
			s.text = value.String()
			s.value, _ = value.Float()
		}
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b standing) int { return strings.Compare(a.name, b.name) })
	return list
}

// threshold judges a condition on a live metric.
func (c *condition) threshold(eligible *placement.Decision) []Finding {
	list := c.standings(eligible)
	if len(list) == 0 {
		return nil
	}
	met := slices.DeleteFunc(slices.Clone(list), func(s standing) bool { return !s.meets })
	b, isBound := boundOf(c.require.String())
	switch {
	case len(met) == 0:
		return []Finding{c.excludesAll(list)}
	case !isBound:
		return nil
	case len(met) < len(list) && c.outgrown(b, met, list):
		return []Finding{c.forgotten(met, list)}
	case len(met) < len(list):
		return []Finding{c.excludesAtWorst(b, list, met)}
	}
	return c.close(b, list)
}

func (c *condition) excludesAll(list []standing) Finding {
	out := c.finding(Error, "live-excludes-all")
	out.Problem = fmt.Sprintf("%s %s excludes all %s that fit otherwise: %s", c.name(), c.require, format.Count(len(list), "array"), values(list))
	out.Reason = "CapabilitiesFilter has no fallback: one busy minute on all arrays, and \"No valid backend was found\""
	out.Fix = c.asGoodness()
	return out
}

// excludesAtWorst is a condition that some array fails now: all would, if they
// were where the worst of them is.
func (c *condition) excludesAtWorst(b bound, list, met []standing) Finding {
	worst := list[0]
	for _, s := range list {
		if b.worse(s.value, worst.value) == s.value {
			worst = s
		}
	}
	out := c.finding(Warning, "live-excludes-at-maximum")
	out.Problem = fmt.Sprintf("%s %s excludes %d of %s now (%s), and would exclude all if all were where %s is",
		c.name(), c.require, len(list)-len(met), format.Count(len(list), "array"), values(list), worst.name)
	out.Reason = "arrays of one pool get busy together; then every create ends in \"No valid backend was found\""
	out.Fix = c.asGoodness()
	return out
}

func (c *condition) close(b bound, list []standing) []Finding {
	var nearing []standing
	for _, s := range list {
		if b.near(s.value) {
			nearing = append(nearing, s)
		}
	}
	if len(nearing) == 0 {
		return nil
	}
	out := c.finding(Warning, "live-close")
	if len(nearing) < len(list) {
		out.Severity = Note
	}
	out.Problem = fmt.Sprintf("%d of %s within %.0f %% of %s %s: %s", len(nearing), format.Count(len(list), "array"), closeShare*100, c.name(), c.require, values(nearing))
	out.Reason = "beyond it the array gets no volume of this type, and once all are beyond it nobody does"
	out.Fix = c.asGoodness()
	if c.grows() {
		out.Fix = "Raise the limit before it is reached, or drop it: " + c.unset()
	}
	return []Finding{out}
}

// grows reports whether the key counts what only ever becomes more.
func (c *condition) grows() bool {
	switch c.path[0] {
	case capability.KeyTotalVolumes, capability.KeyLiveVolumes, capability.KeyTotalSnapshots,
		capability.KeyTotalHosts, capability.KeyTotalProtectionGroups:
		return true
	}
	return false
}

// outgrown reports whether the arrays that still meet a limit on a count are
// the new and empty ones of their pool.
func (c *condition) outgrown(b bound, met, list []standing) bool {
	if !c.grows() || !b.atMost || len(met) > len(list)/2 {
		return false
	}
	return !slices.ContainsFunc(met, func(s standing) bool { return s.value > b.limit/2 })
}

func (c *condition) forgotten(met, list []standing) Finding {
	out := c.finding(Warning, "threshold-outgrown")
	out.Problem = fmt.Sprintf("%s %s leaves only %s of %s: %s", c.name(), c.require, format.List(namesOf(met)), format.Count(len(list), "array"), values(list))
	out.Reason = "the limit was set when the pool was smaller: now every volume of this type goes to the new arrays, until they too are beyond it"
	out.Fix = "Raise the limit, or drop it: " + c.unset()
	return out
}

// asGoodness is the advice for a hard limit on a number that moves.
func (c *condition) asGoodness() string {
	return "Rank instead of refusing: a goodness_function that reads capabilities." + c.name() +
		" and GoodnessWeigher in scheduler_default_weighers; then " + c.unset()
}

func values(list []standing) string {
	parts := make([]string, len(list))
	for i, s := range list {
		parts[i] = s.name + " " + s.text
	}
	return format.List(parts)
}

func namesOf(list []standing) []string {
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = s.name
	}
	return names
}
