package cinder

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// The limits of a query. Python fails at about 1,000 levels.
const (
	maxQueryDepth = 200
	maxQueryBytes = 64 << 10
)

// jsonFilter is JsonFilter for one request
// (cinder/scheduler/filters/json_filter.py).
type jsonFilter struct {
	text  string
	rows  []reportView
	query *query
	err   error // why there is no query; returned when a backend reaches this filter
}

func newJSONFilter(views *placement.View[*reportViews]) placement.PerRequestFilter {
	return func(r placement.Request, s *placement.Snapshot) (placement.Filter, error) {
		req, err := requestOf(r)
		if err != nil || req.Query == "" {
			return nil, err
		}
		f := &jsonFilter{text: req.Query, rows: views.Of(s).rows}
		if f.query, f.err = compileQuery(req.Query); f.err == nil && f.query == nil {
			return nil, nil
		}
		return f, nil
	}
}

// Filter passes backends for which the query is true.
func (f *jsonFilter) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	if f.err != nil {
		return false, f.err
	}
	v, err := f.query.eval(&f.rows[b.Index()], b)
	if list, ok := v.List(); ok {
		return anyTrue(list), err
	}
	return python.Bool(v), err
}

// Explain shows the query with its operands.
func (f *jsonFilter) Explain(_ placement.Request, b *placement.Backend) string {
	if f.err != nil {
		return f.err.Error()
	}
	var operands []string
	f.query.walk(func(path string) {
		v, err := lookUp(path, &f.rows[b.Index()], b)
		if err == nil {
			operands = append(operands, path+" "+v.String())
		}
	})
	if len(operands) == 0 {
		return fmt.Sprintf("query %s is false", f.text)
	}
	return fmt.Sprintf("query %s is false with %s", f.text, strings.Join(operands, ", "))
}

// ExplainAll shows each part of an "and" that is not true, or the query as a whole.
func (f *jsonFilter) ExplainAll(r placement.Request, b *placement.Backend) []string {
	var v capability.Value
	if f.err != nil || v.UnmarshalJSON([]byte(f.text)) != nil {
		return []string{f.Explain(r, b)}
	}
	members, _ := v.List()
	if len(members) == 0 || !members[0].Equal(capability.OfString("and")) {
		return []string{f.Explain(r, b)}
	}
	var all []string
	for _, m := range members[1:] {
		part := f.part(m)
		if part == nil {
			continue
		}
		if pass, err := part.Filter(r, b); err == nil && !pass {
			all = append(all, part.ExplainAll(r, b)...)
		}
	}
	if len(all) == 0 {
		return []string{f.Explain(r, b)}
	}
	return all
}

// part is the filter for a nested query alone, nil if it is none.
func (f *jsonFilter) part(v capability.Value) *jsonFilter {
	if members, ok := v.List(); !ok || len(members) == 0 {
		return nil
	}
	q, err := compileList(v, maxQueryDepth)
	text, unwritable := v.MarshalJSON()
	if err != nil || unwritable != nil {
		return nil
	}
	return &jsonFilter{text: string(text), rows: f.rows, query: q}
}

// query is a compiled ["operator", argument, …].
type query struct {
	apply func(args []capability.Value) (capability.Value, error)
	args  []argument
}

// argument is a nested query, something to look up, or a value.
type argument struct {
	query  *query
	lookup bool
	path   string
	value  capability.Value
}

// compileQuery reads a query; it is nil if the text is empty or false.
func compileQuery(text string) (*query, error) {
	if len(text) > maxQueryBytes {
		return nil, fmt.Errorf("read query: it has %d bytes, more than %d", len(text), maxQueryBytes)
	}
	var v capability.Value
	if err := v.UnmarshalJSON([]byte(text)); err != nil {
		return nil, fmt.Errorf("read query: %w", err)
	}
	if !python.Bool(v) {
		return nil, nil
	}
	if s, ok := v.Str(); ok { // to Python, text is a list of characters
		v = characters(s)
	}
	q, err := compileList(v, maxQueryDepth)
	if err != nil {
		return nil, fmt.Errorf("read query: %w", err)
	}
	return q, nil
}

func characters(s string) capability.Value {
	return capability.OfStrings(strings.Split(s, "")...)
}

func compileList(v capability.Value, depth int) (*query, error) {
	members, ok := v.List()
	if !ok {
		return nil, fmt.Errorf(`got a JSON %s, want a list such as ["=", "$backend_id", "h@b#p"]`, v.Kind())
	}
	if depth == 0 {
		return nil, fmt.Errorf("it nests deeper than %d lists", maxQueryDepth)
	}
	name, _ := members[0].Str()
	q := &query{apply: queryOperator(name)}
	if q.apply == nil {
		return nil, fmt.Errorf("%s is not an operator; there are = < > in <= >= not or and", members[0])
	}
	for _, m := range members[1:] {
		a, err := compileArgument(m, depth-1)
		if err != nil {
			return nil, err
		}
		q.args = append(q.args, a)
	}
	return q, nil
}

func compileArgument(v capability.Value, depth int) (argument, error) {
	switch v.Kind() {
	case capability.List:
		if !python.Bool(v) { // an empty query is true
			return argument{value: capability.OfBool(true)}, nil
		}
		q, err := compileList(v, depth)
		return argument{query: q}, err
	case capability.String:
		s, _ := v.Str()
		if path, ok := strings.CutPrefix(s, "$"); ok {
			return argument{lookup: true, path: path}, nil
		}
		if s == "" { // false in Python
			return argument{}, nil
		}
	}
	return argument{value: v}, nil
}

// eval evaluates a query for one backend. Arguments that are null are left out.
func (q *query) eval(p *reportView, b *placement.Backend) (capability.Value, error) {
	args := make([]capability.Value, 0, len(q.args))
	for i := range q.args {
		v, err := q.args[i].eval(p, b)
		if err != nil {
			return v, err
		}
		if !v.IsNull() {
			args = append(args, v)
		}
	}
	return q.apply(args)
}

func (a *argument) eval(p *reportView, b *placement.Backend) (capability.Value, error) {
	switch {
	case a.query != nil:
		return a.query.eval(p, b)
	case a.lookup:
		return lookUp(a.path, p, b)
	}
	return a.value, nil
}

// lookUp returns the value of $attribute or $attribute.key.key, null if there is
// none.
func lookUp(path string, p *reportView, b *placement.Backend) (capability.Value, error) {
	parts := strings.Split(path, ".")
	v := p.attribute(b, parts[0])
	for i, key := range parts[1:] {
		if v.IsNull() {
			return v, nil
		}
		members, ok := v.Set()
		if !ok {
			return v, fmt.Errorf("read $%s: %s is a %s and has no %s", path, strings.Join(parts[:i+1], "."), v.Kind(), key)
		}
		if i == 0 && parts[0] == "capabilities" {
			v, _ = b.Value(key)
		} else {
			v = members[key]
		}
	}
	return v, nil
}

func (q *query) walk(path func(string)) {
	for i := range q.args {
		switch a := &q.args[i]; {
		case a.query != nil:
			a.query.walk(path)
		case a.lookup:
			path(a.path)
		}
	}
}

type queryFunc = func(args []capability.Value) (capability.Value, error)

// queryOperator returns the operator of that name, nil if there is none.
func queryOperator(name string) queryFunc {
	switch name {
	case "=":
		return comparing(func(a, b capability.Value) (bool, error) { return python.Equal(a, b), nil })
	case "<":
		return ordering(func(c int) bool { return c < 0 })
	case ">":
		return ordering(func(c int) bool { return c > 0 })
	case "<=":
		return ordering(func(c int) bool { return c <= 0 })
	case ">=":
		return ordering(func(c int) bool { return c >= 0 })
	case "in":
		return memberOf
	case "not":
		return negated
	case "or":
		return func(args []capability.Value) (capability.Value, error) { return capability.OfBool(anyTrue(args)), nil }
	case "and":
		return func(args []capability.Value) (capability.Value, error) {
			return capability.OfBool(!slices.ContainsFunc(args, falsy)), nil
		}
	}
	return nil
}

func falsy(v capability.Value) bool { return !python.Bool(v) }

func anyTrue(values []capability.Value) bool { return slices.ContainsFunc(values, python.Bool) }

// comparing compares the first argument with each of the others. With one argument
// the result is false.
func comparing(holds func(a, b capability.Value) (bool, error)) queryFunc {
	return func(args []capability.Value) (capability.Value, error) {
		all := len(args) > 1
		for i := 1; i < len(args); i++ {
			ok, err := holds(args[0], args[i])
			if err != nil {
				return capability.Value{}, err
			}
			all = all && ok
		}
		return capability.OfBool(all), nil
	}
}

func ordering(accepts func(c int) bool) queryFunc {
	return comparing(func(a, b capability.Value) (bool, error) {
		c, err := python.Compare(a, b)
		return accepts(c), err
	})
}

func memberOf(args []capability.Value) (capability.Value, error) {
	found := len(args) > 1 && slices.ContainsFunc(args[1:], func(v capability.Value) bool { return python.Equal(args[0], v) })
	return capability.OfBool(found), nil
}

func negated(args []capability.Value) (capability.Value, error) {
	out := make([]capability.Value, len(args))
	for i := range args {
		out[i] = capability.OfBool(!python.Bool(args[i]))
	}
	return capability.OfList(out...), nil
}
