package fallback

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/function"
)

// kept is the part of the score that the present functions of backends keep.
const kept = 0.1

// chooseKey decides whether the types must be distinguished, and by which extra spec.
func (m *maker) chooseKey() {
	if !m.cloud.Separate && !m.conflict() {
		return
	}
	m.plan.Key = Class
	for _, spec := range m.plan.Types[0].original.ExtraSpecs {
		if m.distinguishes(spec.Key) {
			m.plan.Key = spec.Key
			return
		}
	}
	for i := range m.plan.Types {
		t := &m.plan.Types[i]
		t.Set = []cinder.ExtraSpec{cinder.Spec(Class, t.Name)}
		t.changed.ExtraSpecs = append(slices.Clone(t.changed.ExtraSpecs), t.Set...)
		if !isLiteral(t.Name) {
			m.problem("the name of type %s cannot be written in a function: use letters, digits, blanks, points, - and _", t.Name)
		}
	}
}

// conflict reports whether two types with different conditions can be on one backend.
func (m *maker) conflict() bool {
	for i := range m.plan.Types {
		for k := range i {
			if m.plan.Types[i].preference != m.plan.Types[k].preference && shared(m.fits[i], m.fits[k]) {
				return true
			}
		}
	}
	return false
}

func shared(a, b []int) bool {
	return slices.ContainsFunc(a, func(i int) bool { return slices.Contains(b, i) })
}

// distinguishes reports whether a function can read the extra spec of that key, and each
// translated type has a value of its own.
func (m *maker) distinguishes(key string) bool {
	if strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" || strings.HasPrefix(strings.ToLower(key), "not") {
		return false
	}
	if _, live := liveKey(key); live {
		return false
	}
	var seen []string
	add := func(t *cinder.VolumeType, must bool) bool {
		value, ok := specOf(t, key)
		if !ok {
			return !must
		}
		if slices.Contains(seen, value) || !isLiteral(value) {
			return false
		}
		if must {
			seen = append(seen, value)
		}
		return true
	}
	for i := range m.plan.Types {
		if !add(&m.plan.Types[i].original, true) {
			return false
		}
	}
	for i := range m.others {
		if !add(&m.others[i].VolumeType, false) {
			return false
		}
	}
	return true
}

func specOf(t *cinder.VolumeType, key string) (string, bool) {
	for _, s := range t.ExtraSpecs {
		if s.Key == key && s.Value != nil {
			return *s.Value, true
		}
	}
	return "", false
}

// isLiteral reports whether a text can be written between quotes in a function and is
// compared as it is: the evaluator removes quotes, and makes numbers of digits.
func isLiteral(text string) bool {
	letters := false
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
			letters = true
		case r >= '0' && r <= '9', strings.ContainsRune(" .-_", r):
		default:
			return false
		}
	}
	word := strings.ToLower(text) // Python's float() reads these
	return letters && word != "nan" && word != "inf" && word != "infinity" && !strings.ContainsAny(word[:1], "0123456789.-")
}

// functions makes the function of each backend that a translated type can be on.
func (m *maker) functions() {
	for _, i := range m.used() {
		b := Backend{Identity: m.cloud.Reports[i].Identity(), Name: m.cloud.Reports[i].Name(), index: i}
		if present := m.present(i); present != m.preference(i) {
			b.Previous = present
		}
		if m.plan.Key == Class {
			b.Classes = m.classes(i)
		}
		m.plan.Backends = append(m.plan.Backends, b)
	}
	if !m.cloud.Replace && slices.ContainsFunc(m.plan.Backends, func(b Backend) bool { return b.Previous != "" }) {
		m.share = kept
	}
	for i := range m.plan.Backends {
		b := &m.plan.Backends[i]
		b.Goodness = m.preference(b.index)
		if m.share > 0 && b.Previous != "" {
			b.Goodness += " + " + m.keep(b.index, b.Previous)
		}
	}
}

// used are the backends that a translated type can be on, in the order of the reports.
func (m *maker) used() []int {
	var all []int
	for i := range m.cloud.Reports {
		if slices.ContainsFunc(m.fits, func(fits []int) bool { return slices.Contains(fits, i) }) {
			all = append(all, i)
		}
	}
	return all
}

// present is the function of a backend.
func (m *maker) present(i int) string {
	text, _ := m.cloud.Reports[i].Capabilities[capability.KeyGoodnessFunction].Str()
	return strings.TrimSpace(text)
}

// preference is the function that scores a backend by the conditions of each type.
func (m *maker) preference(backend int) string {
	score := literal(100 * (1 - m.share))
	text := "0"
	for i := len(m.plan.Types) - 1; i >= 0; i-- {
		t := &m.plan.Types[i]
		if t.preference == "" || !slices.Contains(m.fits[i], backend) {
			continue
		}
		one := fmt.Sprintf("(%s ? %s : 0)", t.preference, score)
		if m.plan.Key == "" {
			text = one // the same for every type
			continue
		}
		value, _ := specOf(&t.changed, m.plan.Key)
		text = fmt.Sprintf(`(extra.%s == "%s" ? %s : %s)`, m.plan.Key, value, one, text)
	}
	if m.share == 0 && text != "0" {
		return text[1 : len(text)-1]
	}
	return text
}

// keep is the part of the score that the present function of a backend keeps.
func (m *maker) keep(backend int, text string) string {
	if m.isBoolean(backend, text) {
		return fmt.Sprintf("((%s) ? %s : 0)", text, literal(100*m.share))
	}
	return fmt.Sprintf("max(0, min(100, %s)) / %s", text, literal(1/m.share))
}

// isBoolean reports whether the present function of a backend has a truth value as its
// result, which GoodnessWeigher counts as 100 or 0.
func (m *maker) isBoolean(backend int, text string) bool {
	f, err := function.Compile(text)
	if err != nil {
		return false
	}
	caps := m.cloud.Reports[backend].Capabilities
	v, err := f.Eval(function.Vars{
		function.ScopeCapabilities: caps, function.ScopeStats: caps,
		function.ScopeVolume: {"size": capability.OfInt(m.cloud.Size)},
	})
	_, isBool := v.Bool()
	return err == nil && isBool
}

// classes are the classes of the types that can be on a backend, with those that it
// reports already: types of an earlier plan need them.
func (m *maker) classes(backend int) []string {
	var names []string
	present, _ := m.cloud.Reports[backend].Capabilities[Class].List()
	for _, v := range present {
		if name, ok := v.Str(); ok {
			names = append(names, name)
		}
	}
	for i := range m.plan.Types {
		if name := m.plan.Types[i].Name; slices.Contains(m.fits[i], backend) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
