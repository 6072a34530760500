package config

import "slices"

// layer is one file that was read: its sections, their keys, and every value
// with its line.
type layer struct {
	path     string
	rank     int
	sections map[string]*section // by folded name
	order    []string            // folded names, in the order of the file
	headers  map[string]int      // line of a section's first header, by folded name
	names    map[string]string   // as written, by folded name
}

type section struct {
	keys   []string // in the order of the file
	values map[string][]found
}

// newLayer keeps what was scanned, by folded section names.
func newLayer(s *scanner) *layer {
	l := &layer{
		path: s.path, rank: s.rank,
		sections: map[string]*section{}, headers: map[string]int{}, names: map[string]string{},
	}
	for _, h := range s.headers {
		if name := foldSection(h.section); l.headers[name] == 0 {
			l.headers[name], l.names[name] = h.line, h.section
			l.order = append(l.order, name)
		}
	}
	for _, e := range s.entries {
		l.add(e)
	}
	return l
}

func (l *layer) add(e entry) {
	name := foldSection(e.section)
	s := l.sections[name]
	if s == nil {
		s = &section{values: map[string][]found{}}
		l.sections[name] = s
	}
	if _, known := s.values[e.key]; !known {
		s.keys = append(s.keys, e.key)
	}
	s.values[e.key] = append(s.values[e.key], found{
		text: e.value, quoted: e.quoted,
		at: place{file: l.path, line: e.line, rank: l.rank},
	})
}

// values returns every value of a key, in the order of the file. The slice is
// the caller's.
func (l *layer) values(section, name string) []found {
	s := l.sections[foldSection(section)]
	if s == nil {
		return nil
	}
	return slices.Clone(s.values[name])
}

// keys returns the names of a section's keys, in the order of the file.
func (l *layer) keys(section string) []string {
	s := l.sections[foldSection(section)]
	if s == nil {
		return nil
	}
	return s.keys
}
