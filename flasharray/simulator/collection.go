package simulator

import (
	"slices"
	"sort"
	"strings"
)

// collection is the objects behind an endpoint, by position. None of it is
// built before it is asked for.
type collection interface {
	size() int
	item(i int) object                    // a copy, for the caller to keep
	field(i int, path string) (any, bool) // lookup in item(i), without building all of it
}

// span is a run of positions, [from, to).
type span struct{ from, to int }

// selection is a list of positions, kept as runs so that 100,000 of them cost
// nothing.
type selection []span

func everything(c collection) selection { return selection{{0, c.size()}} }

func (s selection) size() int {
	n := 0
	for _, r := range s {
		n += r.to - r.from
	}
	return n
}

func (s selection) at(k int) int {
	for _, r := range s {
		if n := r.to - r.from; k >= n {
			k -= n
			continue
		}
		return r.from + k
	}
	return -1
}

// each calls yield with every position, in order.
func (s selection) each(yield func(i int) bool) {
	for _, r := range s {
		for i := r.from; i < r.to; i++ {
			if !yield(i) {
				return
			}
		}
	}
}

// add appends a position, joining it to the last run if it continues it.
func (s selection) add(i int) selection {
	if n := len(s); n > 0 && s[n-1].to == i {
		s[n-1].to++
		return s
	}
	return append(s, span{i, i + 1})
}

// where keeps the positions that a condition holds for.
func (s selection) where(keep func(i int) bool) selection {
	var kept selection
	for i := range s.each {
		if keep(i) {
			kept = kept.add(i)
		}
	}
	return kept
}

// page returns the positions from offset on, limit of them at most.
func (s selection) page(offset, limit int) []int {
	var page []int
	for _, r := range s {
		n := r.to - r.from
		if offset >= n {
			offset -= n
			continue
		}
		for i := r.from + offset; i < r.to && len(page) < limit; i++ {
			page = append(page, i)
		}
		offset = 0
	}
	return page
}

// sorted orders positions by the keys; equal ones stay in their order.
func (s selection) sorted(c collection, keys []sortKey) selection {
	if len(keys) == 0 {
		return s
	}
	type row struct {
		at   int
		keys []any
	}
	rows := make([]row, 0, s.size())
	for i := range s.each {
		values := make([]any, len(keys))
		for k, key := range keys {
			values[k], _ = c.field(i, key.path)
		}
		rows = append(rows, row{i, values})
	}
	sort.SliceStable(rows, func(x, y int) bool {
		for k, key := range keys {
			order := compare(rows[x].keys[k], rows[y].keys[k])
			if key.descending {
				order = -order
			}
			if order != 0 {
				return order < 0
			}
		}
		return false
	})
	ordered := make(selection, 0, len(rows))
	for _, r := range rows {
		ordered = ordered.add(r.at)
	}
	return ordered
}

// compare orders values of one field; null comes first.
func compare(x, y any) int {
	if fx, ok := number(x); ok {
		if fy, ok := number(y); ok {
			return compareFloats(fx, fy)
		}
	}
	return strings.Compare(sortText(x), sortText(y))
}

func compareFloats(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func sortText(v any) string {
	switch v := v.(type) {
	case string:
		return strings.ToLower(v)
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}

// recorded is a collection that was written down in full.
type recorded []object

func (r recorded) size() int         { return len(r) }
func (r recorded) item(i int) object { return clone(r[i]) }

func (r recorded) field(i int, path string) (any, bool) { return lookup(r[i], path) }

// find looks an object up by "name", whatever the case, or "id".
func (r recorded) find(key, value string) (int, bool) {
	i := slices.IndexFunc(r, func(o object) bool { return strings.EqualFold(textAt(o, key), value) })
	return i, i >= 0
}

// projection is a collection seen through a function: volumes as volumes/space.
type projection struct {
	base   collection
	chosen selection
	times  []int64  // one item for each of them and each chosen object
	same   []string // fields that are the objects' own
	build  func(i int, time int64) object
}

func (p *projection) size() int { return p.chosen.size() * len(p.times) }

func (p *projection) item(i int) object {
	return p.build(p.chosen.at(i/len(p.times)), p.times[i%len(p.times)])
}

// field spares building an item where the objects themselves know the answer.
func (p *projection) field(i int, path string) (any, bool) {
	if path == "time" {
		return p.times[i%len(p.times)], true
	}
	if first, _, _ := strings.Cut(path, "."); slices.Contains(p.same, first) {
		return p.base.field(p.chosen.at(i/len(p.times)), path)
	}
	return lookup(p.item(i), path)
}
