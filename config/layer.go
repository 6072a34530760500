package config

import (
	"fmt"

	"gopkg.in/ini.v1"
)

// layer is one file that was read: sections and keys in an ini store, and the
// line of every value beside it.
//
// The store is never asked to parse. ini.v1's own reader cuts values at " #"
// and ";", loses continuation lines, lets a section inherit from another whose
// name ends at a dot, and knows no line numbers.
type layer struct {
	path    string
	rank    int
	store   *ini.File
	origins map[*ini.Key][]origin
	headers map[string]int // line of a section's first header, by folded name
	names   map[string]string
}

// origin is where and how one value was written.
type origin struct {
	line   int
	quoted bool
}

// newLayer keeps what was scanned, by folded section names.
func newLayer(s *scanner) (*layer, error) {
	l := &layer{
		path: s.path, rank: s.rank,
		store: ini.Empty(ini.LoadOptions{
			AllowNestedValues: true,
			// No section inherits from another.
			ChildSectionDelimiter: "\n",
		}),
		origins: map[*ini.Key][]origin{},
		headers: map[string]int{},
		names:   map[string]string{},
	}
	for _, h := range s.headers {
		if name := foldSection(h.section); l.headers[name] == 0 {
			l.headers[name], l.names[name] = h.line, h.section
		}
	}
	for _, e := range s.entries {
		if err := l.add(e); err != nil {
			return nil, fmt.Errorf("keep line %d: %w", e.line, err)
		}
	}
	return l, nil
}

func (l *layer) add(e entry) error {
	section, err := l.store.NewSection(foldSection(e.section))
	if err != nil {
		return err
	}
	key, err := section.GetKey(e.key)
	if err != nil {
		if key, err = section.NewKey(e.key, ""); err != nil {
			return err
		}
	}
	l.origins[key] = append(l.origins[key], origin{line: e.line, quoted: e.quoted})
	return key.AddNestedValue(e.value)
}

// values returns every value of a key, in the order of the file.
func (l *layer) values(section, name string) []found {
	sec, err := l.store.GetSection(foldSection(section))
	if err != nil {
		return nil
	}
	key, err := sec.GetKey(name)
	if err != nil {
		return nil
	}
	values := make([]found, len(key.NestedValues()))
	for i, text := range key.NestedValues() {
		o := l.origins[key][i]
		values[i] = found{
			text: text, quoted: o.quoted,
			at: place{file: l.path, line: o.line, rank: l.rank},
		}
	}
	return values
}

// keys returns the names of a section's keys, in the order of the file.
func (l *layer) keys(section string) []string {
	sec, err := l.store.GetSection(foldSection(section))
	if err != nil {
		return nil
	}
	return sec.KeyStrings()
}
