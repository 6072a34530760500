package advice

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// condition is one extra spec of a type and the backends it is tried on.
type condition struct {
	typeName string
	spec     cinder.ExtraSpec
	path     []string
	live     bool // whether it is on a measured key
	backends []*placement.Backend
	require  cinder.Requirement
	types    string // the flag that names the types, for commands of poolcast
}

func (c *typeChecker) condition(typeName string, spec cinder.ExtraSpec, path []string) *condition {
	out := &condition{
		typeName: typeName, spec: spec, path: path,
		live: slices.Contains(c.live, path[0]) && !c.isLabel(path[0]), require: cinder.NullRequirement(),
		types: cmp.Or(c.requests.Types, "--types FILE"),
	}
	for i := range c.snapshot.Len() {
		out.backends = append(out.backends, c.snapshot.At(i))
	}
	if spec.Value != nil {
		out.require = cinder.CompileRequirement(*spec.Value)
	}
	return out
}

// isLabel is whether each backend that reports a key has a label of cinder.conf under
// it: a condition on it is one on a constant.
func (c *typeChecker) isLabel(key string) bool {
	labels := 0
	for i := range c.snapshot.Len() {
		b := c.snapshot.At(i)
		if _, ok := b.Report().Label(key); ok {
			labels++
		} else if _, reported := b.Value(key); reported {
			return false
		}
	}
	return labels > 0
}

func (c *condition) finding(s Severity, code, problem, reason, fix string) Finding {
	return typeFinding(s, code, c.typeName, problem, reason, fix)
}

func (c *condition) name() string { return strings.Join(c.path, ":") }

// value follows the path of the condition into a report.
func (c *condition) value(b *placement.Backend) (capability.Value, bool) {
	v, ok := b.Value(c.path[0])
	for _, key := range c.path[1:] {
		members, _ := v.Set()
		if v, ok = members[key]; !ok {
			break
		}
	}
	return v, ok
}

func (c *condition) meets(b *placement.Backend) (bool, error) {
	v, ok := c.value(b)
	if !ok {
		return false, nil
	}
	return c.require.MatchCapability(v)
}

// check tries the condition on all backends, to see whether it can be met at
// all. On a measured key it also compares the threshold with the values of the
// backends that fit otherwise.
func (c *condition) check(eligible *placement.Decision) []Finding {
	var met, reported int
	intended := c.intended()
	for _, b := range c.backends {
		ok, err := c.meets(b)
		if err != nil {
			return []Finding{c.finding(Error, "type-fails",
				fmt.Sprintf("the extra spec %s = %q makes the scheduler fail: %v", c.spec.Key, c.require, err),
				"CapabilitiesFilter stops with an exception, and the whole request with it", c.setOrUnset(intended))}
		}
		if ok {
			met++
		}
		if _, ok := c.value(b); ok {
			reported++
		}
	}
	switch {
	case reported == 0 && isHistory(c.path[0]):
		return nil // see History
	case reported == 0:
		return []Finding{c.unknownKey()}
	case met == 0 && intended != "" && c.require.IsText() && cinder.HasOperator(c.require.String()):
		return []Finding{c.finding(Error, "type-operator-without-space",
			fmt.Sprintf("Cinder finds no operator in %s = %q and compares it as plain text, which no backend reports; an operator needs a space after it", c.name(), c.require),
			noBackend, c.set(c.spec.Key, intended))}
	case c.live && (met > 0 || intended == ""):
		return c.threshold(eligible)
	case met == 0:
		return []Finding{c.neverMatches(intended)}
	}
	return nil
}

func (c *condition) unset() string {
	return fmt.Sprintf("openstack volume type unset --property %s %s", format.ShellQuoted(c.spec.Key), format.ShellQuoted(c.typeName))
}

// setOrUnset is the fix for a condition that was meant in another way, or was not.
func (c *condition) setOrUnset(intended string) string {
	if intended == "" {
		return c.unset()
	}
	return c.set(c.spec.Key, intended)
}

func (c *condition) set(key, value string) string {
	return fmt.Sprintf("openstack volume type set --property %s %s", format.ShellQuoted(key+"="+value), format.ShellQuoted(c.typeName))
}

// unknownKey is about a key that no backend reports.
func (c *condition) unknownKey() Finding {
	var known []string
	for _, b := range c.backends {
		known = append(known, b.Report().Capabilities.SortedKeys()...)
	}
	out := c.finding(Error, "type-unknown-key", c.name()+" is reported by no backend",
		"CapabilitiesFilter refuses every backend that does not report the key", c.unset()+", or set the key in extra_capabilities")
	near := format.Nearest(c.path[0], known)
	switch k, ok := capability.LookupKey(c.path[0]); {
	case ok && !slices.Contains(known, c.path[0]):
		out.Problem += " now: " + absence(k)
		if k.OnRequest {
			out.Fix = onRequest(k)
		}
	case near != "" && len(c.path) == 1:
		out.Problem += "; did you mean " + near + "?"
		out.Fix = c.unset() + "; " + c.set(strings.TrimSuffix(c.spec.Key, c.path[0])+near, c.require.String())
	}
	return out
}

// intended is what to write instead of a text in which Cinder finds no operator or one
// that cannot compare the values, or "".
func (c *condition) intended() string {
	for _, b := range c.backends {
		if v, ok := c.value(b); ok {
			if text := c.require.Meant(v); text != "" {
				return text
			}
		}
	}
	return ""
}

// neverMatches is about a key that is reported with other values only.
func (c *condition) neverMatches(intended string) Finding {
	var reported []string
	why := ""
	for _, b := range c.backends {
		v, ok := c.value(b)
		if ok && why == "" {
			why = c.require.Explain(c.name(), v)
		}
		if s, isText := v.Str(); ok && isText {
			reported = append(reported, s)
		}
	}
	reported = unique(reported)
	near := format.Nearest(c.require.String(), reported)
	if c.selectsBackends() && near == "" && intended == "" {
		return c.finding(Note, "type-of-other-backend",
			fmt.Sprintf("the type asks for %s %s, which none of these backends has; it was not checked", c.name(), c.require),
			"it is right if the type is for the backend of another driver", "")
	}
	out := c.finding(Error, "type-never-matches",
		"no backend meets "+c.name()+" = "+strconv.Quote(c.require.String())+": "+why, noBackend, c.unset())
	switch {
	case near != "":
		out.Problem += "; did you mean " + near + "?"
		out.Fix = c.set(c.spec.Key, near)
	case intended != "":
		out.Fix = c.set(c.spec.Key, intended)
	case len(reported) > 0:
		out.Fix = fmt.Sprintf("The backends report %s; %s", format.List(reported), c.set(c.spec.Key, reported[0]))
	}
	return out
}

// selectsBackends reports whether the key selects backends by driver or name.
func (c *condition) selectsBackends() bool {
	return c.path[0] == capability.KeyVolumeBackendName || c.path[0] == capability.KeyVendorName
}

// metric is the value that a backend which fits otherwise has under a measured
// key.
type metric struct {
	name  string
	text  string
	value float64
	meets bool
}

// metrics are those of all backends that fit without conditions on measured
// keys.
func (c *condition) metrics(eligible *placement.Decision) (list []metric) {
	if eligible == nil {
		return nil
	}
	for i := range eligible.Verdicts {
		v := &eligible.Verdicts[i]
		if !v.Fits() {
			continue
		}
		m := metric{name: v.Backend.Report().Name(), text: "not reported"}
		m.meets, _ = c.meets(v.Backend)
		if value, ok := c.value(v.Backend); ok {
			m.text = value.String()
			m.value, _ = value.Float()
		}
		list = append(list, m)
	}
	slices.SortStableFunc(list, func(a, b metric) int { return strings.Compare(a.name, b.name) })
	return list
}

// threshold checks a condition on a measured key.
func (c *condition) threshold(eligible *placement.Decision) []Finding {
	list := c.metrics(eligible)
	if len(list) == 0 {
		return nil
	}
	met := slices.DeleteFunc(slices.Clone(list), func(m metric) bool { return !m.meets })
	l, isLimit := limitOf(c.require.String())
	switch {
	case len(met) == 0:
		return []Finding{c.finding(Error, "live-excludes-all",
			fmt.Sprintf("%s %s excludes all %s that fit otherwise: %s", c.name(), c.require, format.Count(len(list), "array"), values(list)),
			`CapabilitiesFilter has no fallback: while all arrays are busy, every create ends in "No valid backend was found"`, c.prefer())}
	case !isLimit:
		return nil
	case len(met) < len(list) && c.staleThreshold(l, met, list):
		return []Finding{c.finding(Warning, "threshold-stale",
			fmt.Sprintf("%s %s leaves only %s of %s: %s", c.name(), c.require, format.List(namesOf(met)), format.Count(len(list), "array"), values(list)),
			"the limit was set when the pool was smaller: now every volume of this type goes to the new arrays, until they exceed it too",
			"Raise the limit, or drop it: "+c.unset())}
	case len(met) < len(list):
		return []Finding{c.excludesSome(l, list, met)}
	}
	return c.nearLimit(l, list)
}

// excludesSome is about a condition that some array does not meet now: none
// would, if all had the value of the worst.
func (c *condition) excludesSome(l limit, list, met []metric) Finding {
	worst := list[0]
	for _, m := range list {
		if l.atMost && m.value >= worst.value || !l.atMost && m.value <= worst.value {
			worst = m
		}
	}
	return c.finding(Warning, "live-excludes-some",
		fmt.Sprintf("%s %s excludes %d of %s now (%s), and would exclude all if all had the value of %s",
			c.name(), c.require, len(list)-len(met), format.Count(len(list), "array"), values(list), worst.name),
		`arrays of one pool get busy together; then every create ends in "No valid backend was found"`, c.prefer())
}

func (c *condition) nearLimit(l limit, list []metric) []Finding {
	near := slices.DeleteFunc(slices.Clone(list), func(m metric) bool { return !l.near(m.value) })
	if len(near) == 0 {
		return []Finding{c.finding(Note, "live-condition",
			fmt.Sprintf("%s %s excludes none of %s now", c.name(), c.require, format.Count(len(list), "array")),
			`if all are beyond it at the same time, every create ends in "No valid backend was found"`, c.prefer())}
	}
	severity, fix := Warning, c.prefer()
	if len(near) < len(list) {
		severity = Note
	}
	if c.isCount() {
		fix = "Raise the limit before it is reached, or drop it: " + c.unset()
	}
	return []Finding{c.finding(severity, "live-near-limit",
		fmt.Sprintf("%d of %s within %s of %s %s: %s", len(near), format.Count(len(list), "array"), format.Percent(nearShare), c.name(), c.require, values(near)),
		"an array beyond the limit gets no volume of this type, and once all are beyond it none can be created", fix)}
}

// isCount reports whether the key is a number of objects, which only grows.
func (c *condition) isCount() bool {
	switch c.path[0] {
	case capability.KeyTotalVolumes, capability.KeyLiveVolumes, capability.KeyTotalSnapshots,
		capability.KeyTotalHosts, capability.KeyTotalProtectionGroups:
		return true
	}
	return false
}

// staleThreshold reports whether the arrays that still meet a limit on a count
// are the new and empty ones of their pool.
func (c *condition) staleThreshold(l limit, met, list []metric) bool {
	if !c.isCount() || !l.atMost || len(met) > len(list)/2 {
		return false
	}
	return !slices.ContainsFunc(met, func(m metric) bool { return m.value > l.value/2 })
}

func isHistory(key string) bool {
	k, _ := capability.LookupKey(key)
	return k.History
}

// prefer is the fix for a hard limit on a value that changes with load.
func (c *condition) prefer() string {
	if c.path[0] == capability.KeyLoadClass {
		return "goodness_function = 100 - capabilities." + capability.KeyHourlyLoadPercent + " prefers arrays with less load, and refuses none"
	}
	return "poolcast prefer " + c.types + " --type " + format.ShellQuoted(c.typeName) +
		" prints settings with which Cinder prefers arrays under the limit, and refuses none"
}

func values(list []metric) string {
	parts := make([]string, len(list))
	for i, m := range list {
		parts[i] = m.name + " " + m.text
	}
	return format.List(parts)
}

func namesOf(list []metric) []string {
	names := make([]string, len(list))
	for i, m := range list {
		names[i] = m.name
	}
	return names
}

// limit is a numeric threshold of a condition.
type limit struct {
	value  float64
	atMost bool
}

// limitOf parses "<= 800", ">= 10" and the like.
func limitOf(text string) (limit, bool) {
	words := strings.Fields(text)
	if len(words) < 2 {
		return limit{}, false
	}
	value, err := strconv.ParseFloat(words[1], 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return limit{}, false
	}
	switch words[0] {
	case "<=":
		return limit{value: value, atMost: true}, true
	case ">=", "=":
		return limit{value: value}, true
	}
	return limit{}, false
}

// nearShare is the share of a limit by which a value may differ from it and be
// near it.
const nearShare = 0.1

// near reports whether a value within the limit is close to it.
func (l limit) near(v float64) bool {
	room := l.value - v
	if !l.atMost {
		room = v - l.value
	}
	return room >= 0 && room <= math.Abs(l.value)*nearShare
}
