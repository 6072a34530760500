package fallback

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// Condition is an extra spec on a live metric.
type Condition struct {
	Key   string `json:"key"` // as the type has it: capabilities:total_volumes
	Value string `json:"value"`
	// Function is the condition in the language of goodness_function; "" if it cannot
	// be translated, and then Reason says why.
	Function string `json:"function,omitempty"`
	Reason   string `json:"reason,omitempty"`
	// Note is how the translation differs; "" if it does not.
	Note string `json:"note,omitempty"`

	metrics []string // the capabilities that Function reads
	met     float64  // a value of them with which the condition is met
	unmet   float64  // and one with which it is not
}

// liveConditions are the conditions of a type on live metrics, in their order.
func liveConditions(t *cinder.VolumeType) []Condition {
	var found []Condition
	for _, spec := range t.ExtraSpecs {
		if key, ok := liveKey(spec.Key); ok {
			found = append(found, translate(spec, key))
		}
	}
	return found
}

// liveKey is the live metric that CapabilitiesFilter compares for an extra spec; not ok
// if there is none (cinder/scheduler/filters/capabilities_filter.py).
func liveKey(spec string) (key string, ok bool) {
	key = strings.TrimPrefix(spec, "capabilities:")
	return key, slices.Contains(cinder.LiveKeys(), key)
}

// translate translates an extra spec. Live metrics but load_class are numbers, so that the
// operators of text are never met, or make the scheduler fail.
func translate(spec cinder.ExtraSpec, key string) Condition {
	if spec.Value == nil {
		return Condition{Key: spec.Key, Value: "null", Reason: "it asks for null, which a function cannot compare"}
	}
	c := Condition{Key: spec.Key, Value: *spec.Value}
	words := append(python.Fields(c.Value), "", "")
	operator := words[0]
	limit, isNumber := python.ParseFloat(words[1])
	switch k, _ := capability.LookupKey(key); {
	case k.Kind == capability.String:
		c.Reason = fmt.Sprintf("%s is text; a condition on %s can be translated", key, capability.KeyHourlyLoadPercent)
	case slices.Contains([]string{"<is>", "<in>", "<or>", "s==", "s!=", "s<", "s<=", "s>", "s>="}, operator):
		c.Reason = fmt.Sprintf("the operator %s does not compare numbers, and %s is a number", operator, key)
	case !slices.Contains([]string{"<=", ">=", "=", "==", "!="}, operator):
		c.Reason = "Cinder finds no operator with a blank after it, and compares the whole text, which no number equals"
		if meant := new(cinder.CompileRequirement(c.Value)).Meant(capability.OfInt(0)); meant != "" {
			c.Reason += fmt.Sprintf("; write %q in the type first", meant)
		}
	case !isNumber || math.IsNaN(limit) || math.IsInf(limit, 0):
		c.Reason = fmt.Sprintf("%q is not a finite number", words[1])
	default:
		if operator == "=" {
			operator = ">=" // Cinder reads it so
		}
		c.compare(key, operator, limit)
	}
	return c
}

// compare fills the condition in. Values beside the limit are whole numbers, because
// metrics are.
func (c *Condition) compare(key, operator string, limit float64) {
	number, ok := c.readable(key, operator, limit)
	if !ok {
		return
	}
	terms := make([]string, len(c.metrics))
	for i, metric := range c.metrics {
		terms[i] = "capabilities." + metric + " " + operator + " " + literal(number)
	}
	c.Function = conjunction(terms)
	switch operator {
	case "<=":
		c.met, c.unmet = math.Floor(number), math.Floor(number)+1
	case ">=":
		c.met, c.unmet = math.Ceil(number), math.Ceil(number)-1
	case "==":
		c.met, c.unmet = number, math.Floor(number)+1
	default:
		c.met, c.unmet = math.Floor(number)+1, number
	}
}

// readable chooses the metrics to compare, with the limit in their unit. A float that
// the evaluator would truncate is replaced by integers, if there are some.
func (c *Condition) readable(key, operator string, limit float64) (number float64, ok bool) {
	k, _ := capability.LookupKey(key)
	switch {
	case strings.ContainsAny(key, "0123456789") || strings.HasPrefix(strings.ToLower(key), "not"):
		c.Reason = "Cinder's evaluator cannot read the name " + key
	case k.Kind == capability.Int:
		c.metrics = []string{key}
		return limit, true
	case key == capability.KeyDataReduction || key == capability.KeyDedupeRatio:
		c.metrics = []string{capability.KeyDataReductionPercent}
		c.Note = "data_reduction_percent is data_reduction × 100, rounded: the evaluator truncates " + key
		return math.Round(limit * 100), true
	case key == capability.KeyAvgLatency && operator == "<=":
		c.metrics = []string{capability.KeyUsecPerRead, capability.KeyUsecPerWrite}
		c.Note = "stricter: reads and writes must each be within the limit, in µs, because the evaluator truncates " + key
		return math.Floor(limit*1000 + 1e-9), true
	default:
		c.Reason = "Cinder's evaluator truncates " + key + " to an integer, and no integer is reported in its place"
	}
	return 0, false
}

// literal writes a number without an exponent, which the evaluator cannot read.
func literal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// conjunction joins terms with "and", two at a time, because the evaluator ignores a third.
// Other parentheses are left out and the tree is balanced: each level doubles the time in
// which Cinder parses the function, which it does for each backend of each decision.
func conjunction(terms []string) string {
	switch len(terms) {
	case 1:
		return terms[0]
	case 2:
		return "(" + terms[0] + " and " + terms[1] + ")"
	}
	half := (len(terms) + 1) / 2
	return "(" + conjunction(terms[:half]) + " and " + conjunction(terms[half:]) + ")"
}

// without is the type without the extra specs of those keys.
func without(t cinder.VolumeType, conditions []Condition) cinder.VolumeType {
	t.ExtraSpecs = slices.DeleteFunc(slices.Clone(t.ExtraSpecs), func(s cinder.ExtraSpec) bool {
		return slices.ContainsFunc(conditions, func(c Condition) bool { return c.Key == s.Key })
	})
	return t
}
