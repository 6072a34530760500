package cinder

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/function"
)

// driverFilter is DriverFilter for one request
// (cinder/scheduler/filters/driver_filter.py).
type driverFilter struct {
	requestFunctions
	buffer  []function.Operand // for Filter
	live    func(key string) bool
	relaxed bool
}

func newDriverFilter(compiled *placement.View[*functions], live func(string) bool) placement.PerRequestFilter {
	return func(r placement.Request, s *placement.Snapshot) (placement.Filter, error) {
		req, err := requestOf(r)
		if err != nil {
			return nil, err
		}
		return &driverFilter{requestFunctions: compiled.Of(s).bind(req), live: live}, nil
	}
}

// Filter passes backends whose filter function is true for any spelling of their
// protocol. A function that cannot be evaluated is not true.
func (f *driverFilter) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	fn := &f.rows[b.Index()]
	if fn.text == "" && fn.err == nil || f.relaxed && fn.reads(f.live) {
		return true, nil
	}
	for i := range fn.variants {
		if v, err := f.run(b, &fn.variants[i], &f.buffer); err == nil && v.Truth() {
			return true, nil
		}
	}
	return false, nil
}

// Explain shows the function with its operands.
func (f *driverFilter) Explain(_ placement.Request, b *placement.Backend) string {
	fn := &f.rows[b.Index()]
	if fn.err != nil {
		return fmt.Sprintf("filter_function %s: %v", quoteFunction(fn.text), fn.err)
	}
	if len(fn.variants) == 0 {
		return "filter_function reads the protocol, and the backend has none"
	}
	v, err := f.run(b, &fn.variants[0], new([]function.Operand))
	if err != nil {
		return fmt.Sprintf("filter_function %s: %v", quoteFunction(fn.text), err)
	}
	return fmt.Sprintf("filter_function %s is %s%s", quoteFunction(fn.text), shortValue(v), f.operands(b))
}

// ExplainAll shows each operand of the function's "and" that is not true, or the
// function as a whole.
func (f *driverFilter) ExplainAll(r placement.Request, b *placement.Backend) []string {
	fn := &f.rows[b.Index()]
	var least []function.Part // of the spelling of the protocol that comes closest
	var values []function.Operand
	for i := range fn.variants {
		slots := f.slots(nil, b, &fn.variants[i])
		if parts := fn.program.Untrue(slots); len(parts) > 0 && (least == nil || len(parts) < len(least)) {
			least, values = parts, slots
		}
	}
	if len(least) == 0 || len(least) == 1 && least[0].Text == strings.TrimSpace(fn.text) {
		return []string{f.Explain(r, b)}
	}
	all := make([]string, len(least))
	for i, p := range least {
		all[i] = fmt.Sprintf("filter_function needs %s, which is %s%s", quoteFunction(p.Text), shortValue(p.Value), fn.program.with(values, p.Slots))
	}
	return all
}

// Relax removes the functions that read a live metric.
func (f *driverFilter) Relax() (placement.Filter, []string) {
	var conditions []string
	for i := range f.rows {
		fn := &f.rows[i]
		if text := "filter_function " + format.Shorten(fn.text, maxFunction); fn.reads(f.live) && !slices.Contains(conditions, text) {
			conditions = append(conditions, text)
		}
	}
	rest := *f
	rest.relaxed = true
	return &rest, conditions
}

// reads reports whether the function reads a capability for which live is
// true.
func (f *backendFunction) reads(live func(key string) bool) bool {
	return f.program != nil && slices.ContainsFunc(f.program.Names(), func(n function.Name) bool {
		return n.Scope == function.ScopeCapabilities && live(n.Key)
	})
}
