package advice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/function"
)

// Stanza is what the section of a backend contains about the keys of the last hour.
type Stanza struct {
	Name      string
	Pool      string         // volume_backend_name
	Functions []string       // filter_function and goodness_function
	Extra     capability.Set // extra_capabilities
	Live      []string       // live_capabilities
}

// fallback is the value of a key without a history, and whether it gives way to the
// measured one.
func (s *Stanza) fallback(key string) (v capability.Value, complete bool) {
	v, ok := s.Extra[key]
	return v, ok && slices.Contains(s.Live, key)
}

// historyReader is a condition or a function that reads a key of the last hour.
type historyReader struct {
	topic   Topic
	where   string
	key     string
	require *cinder.Requirement // of a volume type; nil for a function
	refused string              // what happens where the key is absent
	stanzas []Stanza            // of the backends that it is for
}

// History checks conditions and functions on keys of the last hour, which are absent
// without load_history, for 45 minutes after a start of the agent, and while it does not
// run: each backend needs a value for that time, with which the condition is met.
func History(types []cinder.VolumeType, functions []Function, stanzas []Stanza, loadHistory bool) []Finding {
	var found []Finding
	for _, r := range append(historyTypes(types, stanzas), historyFunctions(functions, stanzas)...) {
		if !loadHistory {
			found = append(found, r.off())
		}
		found = append(found, r.fallbacks()...)
	}
	return found
}

func historyTypes(types []cinder.VolumeType, stanzas []Stanza) (readers []historyReader) {
	for _, t := range types {
		for _, spec := range t.ExtraSpecs {
			path, filtered := cinder.CapabilityPath(spec.Key)
			if !filtered || !isHistory(path[0]) || len(path) > 1 || spec.Value == nil {
				continue
			}
			readers = append(readers, historyReader{
				topic: TypeTopic, where: "type " + t.Name, key: path[0], require: new(cinder.CompileRequirement(*spec.Value)),
				refused: "CapabilitiesFilter then refuses these backends, and no volume of the type can be created",
				stanzas: slices.DeleteFunc(slices.Clone(stanzas), func(s Stanza) bool { return !selects(t, s.Pool) }),
			})
		}
	}
	return readers
}

// selects reports whether a type may be for the backends of a pool.
func selects(t cinder.VolumeType, pool string) bool {
	for _, spec := range t.ExtraSpecs {
		path, filtered := cinder.CapabilityPath(spec.Key)
		if !filtered || path[0] != capability.KeyVolumeBackendName || spec.Value == nil {
			continue
		}
		require := cinder.CompileRequirement(*spec.Value)
		if meets, err := require.MatchCapability(capability.OfString(pool)); err == nil && !meets {
			return false
		}
	}
	return true
}

func historyFunctions(functions []Function, stanzas []Stanza) (readers []historyReader) {
	for i := range functions {
		f := &functions[i]
		compiled, err := function.Compile(f.Text)
		if err != nil {
			continue // another finding says so
		}
		for _, n := range compiled.Names() {
			if n.Scope == function.ScopeCapabilities && isHistory(n.Key) {
				readers = append(readers, historyReader{
					topic: FunctionTopic, where: f.Where, key: n.Key, refused: f.consequence(),
					stanzas: slices.DeleteFunc(slices.Clone(stanzas), func(s Stanza) bool { return !slices.Contains(s.Functions, f.Text) }),
				})
			}
		}
	}
	return readers
}

func (r *historyReader) finding(code, problem, reason, fix string) Finding {
	return Finding{Severity: Warning, Topic: r.topic, Code: code, Where: r.where, Problem: problem, Reason: reason, Fix: fix}
}

func (r *historyReader) off() Finding {
	return r.finding("history-off", r.key+" is read, and load_history is off",
		"the key is then not measured: a backend has the value of its extra_capabilities all the time, or none",
		"Write load_history = true into [poolcast]")
}

// withoutHistory is when the keys are absent.
const withoutHistory = "for 45 minutes after a start of poolcast, and while it does not run"

// fallbacks checks the value of each stanza for the time without a history.
func (r *historyReader) fallbacks() (found []Finding) {
	var without, refused []Stanza
	var values []string
	for _, s := range r.stanzas {
		v, complete := s.fallback(r.key)
		switch {
		case !complete:
			without = append(without, s)
		case !r.meets(v):
			refused, values = append(refused, s), append(values, s.Name+" "+v.String())
		}
	}
	if len(without) > 0 {
		found = append(found, r.finding("history-without-fallback",
			fmt.Sprintf("%s has no value on %s %s", r.key, format.List(stanzaNames(without)), withoutHistory), r.refused, r.write(without)))
	}
	if len(refused) > 0 {
		found = append(found, r.finding("history-fallback-refused",
			fmt.Sprintf("the value of %s in extra_capabilities does not meet %s: %s", r.key, r.require, format.List(values)),
			"it is the value "+withoutHistory+": "+r.refused, r.write(refused)))
	}
	return found
}

func (r *historyReader) meets(v capability.Value) bool {
	if r.require == nil {
		return true
	}
	ok, err := r.require.MatchCapability(v)
	return ok && err == nil
}

// value is one for the time without a history: of the usual ones the first that meets
// the condition, else its limit.
func (r *historyReader) value() capability.Value {
	usual := []capability.Value{capability.OfInt(1000), capability.OfInt(0)} // µs
	switch r.key {
	case capability.KeyLoadClass:
		usual = []capability.Value{capability.OfString(capability.LoadNormal), capability.OfString(capability.LoadLow), capability.OfString(capability.LoadHigh)}
	case capability.KeyHourlyLoadPercent:
		usual = []capability.Value{capability.OfInt(50), capability.OfInt(0)}
	}
	for _, v := range usual {
		if r.meets(v) {
			return v
		}
	}
	if l, ok := limitOf(r.require.String()); ok {
		return capability.OfInt(int64(l.value))
	}
	return usual[0]
}

// write is what to write into the sections, those with the same text together.
func (r *historyReader) write(stanzas []Stanza) string {
	var texts []string
	names := map[string][]string{}
	for _, s := range stanzas {
		extra, err := s.Extra.Overlay(capability.Set{r.key: r.value()}).MarshalJSON()
		if err != nil {
			continue // a value of the stanza that JSON cannot represent is refused before
		}
		live := s.Live
		if !slices.Contains(live, r.key) {
			live = append(slices.Clone(live), r.key)
		}
		text := fmt.Sprintf("extra_capabilities = %s and live_capabilities = %s", extra, strings.Join(live, ","))
		if names[text] == nil {
			texts = append(texts, text)
		}
		names[text] = append(names[text], "["+s.Name+"]")
	}
	for i, text := range texts {
		texts[i] = text + " into " + format.List(names[text])
	}
	return "Write " + strings.Join(texts, "; ") + ", then restart cinder-volume"
}

func stanzaNames(stanzas []Stanza) []string {
	names := make([]string, len(stanzas))
	for i, s := range stanzas {
		names[i] = s.Name
	}
	return names
}
