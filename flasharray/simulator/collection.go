package simulator

import (
	"cmp"
	"slices"
	"strings"
)

// collection is the objects of an endpoint, by position. An object is built only
// when it is needed.
type collection interface {
	size() int
	item(i int) object                    // a copy, which the caller may change
	field(i int, path string) (any, bool) // lookup in item(i), without building all of it
}

// span is a run of positions, [from, to).
type span struct{ from, to int }

// selection is a list of positions, kept as runs so that 100,000 of them need no
// memory.
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

// where returns the positions that a condition holds for.
func (s selection) where(holds func(i int) bool) selection {
	var kept selection
	for i := range s.each {
		if holds(i) {
			kept = kept.add(i)
		}
	}
	return kept
}

// page returns at most limit positions from offset on.
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

// sorted orders positions by the keys; equal ones keep their order.
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
	slices.SortStableFunc(rows, func(x, y row) int {
		for k, key := range keys {
			order := compare(x.keys[k], y.keys[k])
			if key.descending {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		return 0
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
			return cmp.Compare(fx, fy)
		}
	}
	return strings.Compare(sortText(x), sortText(y))
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

// recorded is a collection of objects from a fixture.
type recorded []object

func (r recorded) size() int         { return len(r) }
func (r recorded) item(i int) object { return clone(r[i]) }

func (r recorded) field(i int, path string) (any, bool) { return lookup(r[i], path) }

// find searches an object by "name", ignoring case, or "id".
func (r recorded) find(key, value string) (int, bool) {
	i := slices.IndexFunc(r, func(o object) bool { return strings.EqualFold(textAt(o, key), value) })
	return i, i >= 0
}

func isDestroyed(o object) bool {
	destroyed, _ := o["destroyed"].(bool)
	return destroyed
}

// partlyGenerated is recorded objects followed by generated ones: live, then
// destroyed.
type partlyGenerated struct {
	recorded
	generator       generator
	live, destroyed int // how many are generated
}

// withGenerated adds what is missing between the recorded objects and the count.
func withGenerated(items []object, count Count, g generator) *partlyGenerated {
	p := &partlyGenerated{recorded: items, generator: g, live: count.Live, destroyed: count.Destroyed}
	for _, o := range items {
		if isDestroyed(o) {
			p.destroyed--
		} else {
			p.live--
		}
	}
	p.live, p.destroyed = max(p.live, 0), max(p.destroyed, 0)
	return p
}

func (p *partlyGenerated) size() int { return len(p.recorded) + p.live + p.destroyed }

func (p *partlyGenerated) serialAt(i int) (s serial, generated bool) {
	i -= len(p.recorded)
	if i >= p.live {
		return serial{n: i - p.live, destroyed: true}, true
	}
	return serial{n: i}, i >= 0
}

func (p *partlyGenerated) item(i int) object {
	if s, generated := p.serialAt(i); generated {
		return p.generator.item(s)
	}
	return p.recorded.item(i)
}

func (p *partlyGenerated) field(i int, path string) (any, bool) {
	s, generated := p.serialAt(i)
	if !generated {
		return p.recorded.field(i, path)
	}
	if path == "destroyed" {
		return s.destroyed, true
	}
	if v, ok := p.generator.field(s, path); ok {
		return v, true
	}
	return lookup(p.generator.item(s), path)
}

func (p *partlyGenerated) find(key, value string) (int, bool) {
	if i, ok := p.recorded.find(key, value); ok {
		return i, true
	}
	s, ok := p.generator.find(key, value)
	switch {
	case !ok:
		return 0, false
	case s.destroyed:
		return len(p.recorded) + p.live + s.n, s.n < p.destroyed
	}
	return len(p.recorded) + s.n, s.n < p.live
}

// byDestroyed selects live or destroyed objects without a look at each generated
// one.
func (p *partlyGenerated) byDestroyed(destroyed bool) selection {
	kept := everything(p.recorded).where(func(i int) bool { return isDestroyed(p.recorded[i]) == destroyed })
	from := len(p.recorded)
	if destroyed {
		return append(kept, span{from + p.live, from + p.live + p.destroyed})
	}
	return append(kept, span{from, from + p.live})
}

// projection is a collection seen through a function: volumes as volumes/space.
type projection struct {
	base   collection
	chosen selection
	times  []int64  // each chosen object has one item for each time
	same   []string // fields that are the objects' own
	build  func(i int, time int64) object
}

func (p *projection) size() int { return p.chosen.size() * len(p.times) }

func (p *projection) item(i int) object {
	return p.build(p.chosen.at(i/len(p.times)), p.times[i%len(p.times)])
}

// field builds no item for the fields that the objects themselves have.
func (p *projection) field(i int, path string) (any, bool) {
	if path == "time" {
		return p.times[i%len(p.times)], true
	}
	if first, _, _ := strings.Cut(path, "."); slices.Contains(p.same, first) {
		return p.base.field(p.chosen.at(i/len(p.times)), path)
	}
	return lookup(p.item(i), path)
}
