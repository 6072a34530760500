package advice

import (
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

// closeShare is how near a value may be to its threshold before somebody
// should know.
const closeShare = 0.1

// condition is one extra spec, and what every backend says to it.
type condition struct {
	typeName string
	spec     cinder.ExtraSpec
	path     []string
	live     bool
	backends []*placement.Backend
	require  cinder.Requirement
}

func (j *judge) condition(typeName string, spec cinder.ExtraSpec, path []string) *condition {
	c := &condition{
		typeName: typeName, spec: spec, path: path,
		live: slices.Contains(j.live, path[0]), require: cinder.NullRequirement(),
	}
	for i := range j.snapshot.Len() {
		c.backends = append(c.backends, j.snapshot.At(i))
	}
	if spec.Value != nil {
		c.require = cinder.CompileRequirement(*spec.Value)
	}
	return c
}

func (c *condition) finding(s Severity, code string) Finding {
	return Finding{Severity: s, Topic: TypeTopic, Code: code, Where: "type " + c.typeName}
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

// review judges the condition: on all backends whether it can ever be met, and
// on those that fit otherwise how near its threshold they are.
func (c *condition) review(eligible *placement.Decision) []Finding {
	var met, reported int
	for _, b := range c.backends {
		ok, err := c.meets(b)
		if err != nil {
			return []Finding{c.breaks(err)}
		}
		if ok {
			met++
		}
		if _, ok := c.value(b); ok {
			reported++
		}
	}
	meant := c.meant()
	switch {
	case reported == 0:
		return []Finding{c.unknown()}
	case met == 0 && meant != "" && cinder.HasOperator(c.require.String()):
		return []Finding{c.noOperator(meant)}
	case c.live:
		return c.threshold(eligible)
	case met == 0:
		return []Finding{c.never()}
	}
	return nil
}

func (c *condition) breaks(err error) Finding {
	out := c.finding(Error, "type-breaks")
	out.Problem = fmt.Sprintf("the extra spec %s = %q makes the scheduler fail: %v", c.spec.Key, c.require, err)
	out.Reason = "CapabilitiesFilter stops with an exception, and the whole request with it"
	out.Fix = c.unset()
	return out
}

func (c *condition) unset() string {
	return fmt.Sprintf("openstack volume type unset --property %s %s", quoted(c.spec.Key), c.typeName)
}

func (c *condition) set(key, value string) string {
	return fmt.Sprintf("openstack volume type set --property %s %s", quoted(key+"="+value), c.typeName)
}

// unknown is a key that no backend reports.
func (c *condition) unknown() Finding {
	out := c.finding(Error, "type-unknown-key")
	out.Problem = c.name() + " is reported by no backend"
	out.Reason = "CapabilitiesFilter refuses every backend that does not report the key"
	out.Fix = c.unset() + ", or set the key in extra_capabilities"
	var known []string
	for _, b := range c.backends {
		known = append(known, b.Report().Capabilities.SortedKeys()...)
	}
	near := format.Nearest(c.path[0], known)
	if k, ok := capability.LookupKey(c.path[0]); ok && !slices.Contains(known, c.path[0]) {
		out.Problem += " now: " + orText(k.Absent, "cinder-volume adds it")
		if k.OnRequest {
			out.Fix = "Write live_capabilities = " + k.Name + " into [poolcast]"
		}
		return out
	}
	if near != "" && len(c.path) == 1 {
		out.Problem += "; did you mean " + near + "?"
		out.Fix = c.unset() + "; " + c.set(strings.TrimSuffix(c.spec.Key, c.path[0])+near, c.require.String())
	}
	return out
}

// meant is what to write instead of a text in which Cinder finds no operator, or
// "".
func (c *condition) meant() string {
	for _, b := range c.backends {
		if v, ok := c.value(b); ok {
			if text := c.require.Meant(v); text != "" {
				return text
			}
		}
	}
	return ""
}

func (c *condition) noOperator(meant string) Finding {
	out := c.finding(Error, "type-glued-operator")
	out.Problem = fmt.Sprintf("Cinder finds no operator in %s = %q and compares it as plain text, which no backend reports; an operator has a blank after it", c.name(), c.require)
	out.Reason = "every create with this type ends in \"No valid backend was found\""
	out.Fix = c.set(c.spec.Key, meant)
	return out
}

// never is a key that is reported, and never as it is asked for.
func (c *condition) never() Finding {
	var seen []string
	why := ""
	for _, b := range c.backends {
		if v, ok := c.value(b); ok {
			why = orText(why, c.require.Explain(c.name(), v))
			if s, isText := v.Str(); isText {
				seen = append(seen, s)
			}
		}
	}
	seen = unique(seen)
	near := format.Nearest(c.require.String(), seen)
	if c.namesABackend() && near == "" {
		out := c.finding(Note, "type-of-others")
		out.Problem = fmt.Sprintf("the type asks for %s %s, which none of these backends has; it was not judged", c.name(), c.require)
		out.Reason = "it is right if the type is meant for another driver's backend"
		return out
	}
	out := c.finding(Error, "type-never")
	out.Problem = "no backend meets " + c.name() + " = " + strconv.Quote(c.require.String()) + ": " + why
	out.Reason = "every create with this type ends in \"No valid backend was found\""
	switch {
	case near != "":
		out.Problem += "; did you mean " + near + "?"
		out.Fix = c.set(c.spec.Key, near)
	case c.meant() != "":
		out.Fix = c.set(c.spec.Key, c.meant())
	case len(seen) > 0:
		out.Fix = fmt.Sprintf("The backends report %s; %s", format.List(seen), c.set(c.spec.Key, seen[0]))
	default:
		out.Fix = c.unset()
	}
	return out
}

// namesABackend reports whether the key says whose backend is meant.
func (c *condition) namesABackend() bool {
	return c.path[0] == capability.KeyVolumeBackendName || c.path[0] == capability.KeyVendorName
}

// bound is a numeric threshold of a condition.
type bound struct {
	limit  float64
	atMost bool
}

// boundOf reads "<= 800", ">= 10" and the like.
func boundOf(text string) (bound, bool) {
	words := strings.Fields(text)
	if len(words) < 2 {
		return bound{}, false
	}
	limit, err := strconv.ParseFloat(words[1], 64)
	if err != nil || math.IsNaN(limit) || math.IsInf(limit, 0) {
		return bound{}, false
	}
	switch words[0] {
	case "<=":
		return bound{limit: limit, atMost: true}, true
	case ">=", "=":
		return bound{limit: limit}, true
	}
	return bound{}, false
}

// near reports whether a value that is within the bound soon may not be.
func (b bound) near(v float64) bool {
	room := b.limit - v
	if !b.atMost {
		room = v - b.limit
	}
	return room >= 0 && room <= math.Abs(b.limit)*closeShare
}

// worse is the value that is nearer to exclusion, or beyond.
func (b bound) worse(v, w float64) float64 {
	if b.atMost {
		return max(v, w)
	}
	return min(v, w)
}
