package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// found is a value as it was written.
type found struct {
	text    string
	at      place
	quoted  bool // a " #" in it is meant
	literal bool // a $ in it is meant
	secret  bool // it comes from a secret one
}

// reader finds values by oslo.config's order: command line, environment, then
// files from the last to the first.
type reader struct {
	layers []*layer
	env    map[string]string
	// overrides win over everything, by section and option: flags for
	// [poolcast], the query of transport_url for [oslo_messaging_rabbit].
	overrides map[string]map[string]found
	// hostname is the default of [DEFAULT] host.
	hostname      string
	catalog       catalog
	record        *record
	stripComments bool // comments are taken off names and functions too
}

// find returns the values of an option in a section, older names included. It
// is more than one only for a multi-valued option (oslo_config/cfg.py,
// _get_file_value).
func (r *reader) find(o *Option, section string) []found {
	if v, ok := r.overrides[section][o.Name]; ok {
		return []found{v}
	}
	name := envName(section, o.Name)
	if text, ok := r.env[name]; ok {
		return []found{{text: text, quoted: true, at: place{file: name}}}
	}
	var all []found
	for _, l := range slices.Backward(r.layers) {
		values := r.findIn(l, o, section)
		if len(values) > 0 && !o.Multi {
			return values[len(values)-1:]
		}
		all = append(values, all...)
	}
	return all
}

// findIn looks in one file, the current name first.
func (r *reader) findIn(l *layer, o *Option, section string) []found {
	values := l.values(section, o.Name)
	for _, a := range o.Aliases {
		if len(values) > 0 && !o.Multi {
			break
		}
		older := l.values(a.Section, a.Name)
		if len(older) > 0 {
			r.record.warn(subject{older[0].at, a.Section, a.Name},
				fmt.Sprintf("is read as [%s] %s, its name of today", section, o.Name),
				"does the same up to the release that dropped the old name")
		}
		values = append(older, values...)
	}
	return values
}

// envName is oslo.config's name of the variable for an option
// (oslo_config/sources/_environment.py).
func envName(section, option string) string {
	return "OS_" + strings.ToUpper(section) + "__" + strings.ToUpper(option)
}

// texts returns the values of an option with comments taken off and $names
// replaced.
func (r *reader) texts(o *Option, section string) []found {
	values := r.find(o, section)
	for i, v := range values {
		s := subject{v.at, section, o.Name}
		if o.Multi && v.at.line == 0 {
			r.record.fault(s, "Write it into a file.", errors.New("has several values, which oslo.config cannot read from the environment"))
			return nil
		}
		values[i].text = r.repaired(o, s, v)
	}
	return values
}

// repaired takes a comment off a value and refuses a second key in it. What a
// live cloud goes by stays as Cinder reads it.
func (r *reader) repaired(o *Option, s subject, v found) string {
	text := v.text
	if !v.quoted {
		if clean := withoutComment(o, text); clean != rstrip(text) {
			text, _ = unquote(clean)
			r.refusePairs(o, s, text)
			return r.withComment(o, s, v, text)
		}
	}
	r.refusePairs(o, s, text)
	return text
}

// withComment decides between a value with a comment after it, as Cinder reads
// it, and the clean value that was meant.
func (r *reader) withComment(o *Option, s subject, v found, clean string) string {
	const hint = "Write the comment on a line of its own."
	if o.KeepsComment && !r.stripComments {
		r.record.note(s, Warning{
			Message: "has a comment after it, which is a part of the value: " + redact(v.text), Cinder: "reads it so", Hint: hint, Serious: true,
		})
		return v.text
	}
	reads := "takes the comment for a part of the value"
	if !o.Secret {
		reads = "reads " + redact(v.text)
	}
	r.record.note(s, Warning{Message: "is read without the comment after it", Cinder: reads, Hint: hint})
	return clean
}

// withoutComment takes " # comment" and " ; comment" off a value, line by line.
func withoutComment(o *Option, value string) string {
	var scan jsonScan
	lines := strings.Split(value, "\n")
	for i, line := range lines {
		if o.Kind == JSON {
			lines[i] = scan.feed(line)
			continue
		}
		lines[i] = cutComment(line, o.Kind != Command)
	}
	return rstrip(strings.Join(lines, "\n"))
}

func cutComment(line string, semicolons bool) string {
	marks := "#"
	if semicolons {
		marks = "#;"
	}
	for i, r := range line {
		if !strings.ContainsRune(marks, r) {
			continue
		}
		follows := i == 0 && (len(line) == 1 || line[1] == ' ')
		if follows || i > 0 && (line[i-1] == ' ' || line[i-1] == '\t') {
			return rstrip(line[:i])
		}
	}
	return line
}

// refusePairs finds "key = value key = value" in one line. Functions may hold
// anything that looks like it.
func (r *reader) refusePairs(o *Option, s subject, text string) {
	if o.Name == "filter_function" || o.Name == "goodness_function" || o.Kind == Command || s.at.line == 0 {
		return
	}
	outside := regexpQuoted.ReplaceAllString(text, `""`)
	others := pairs(outside, func(key string) bool {
		_, known := r.catalog.in(s.stanza, key)
		return (known || key == keyCHAP) && key != o.Name
	})
	if len(others) == 0 {
		return
	}
	line := o.Name + " = " + strings.ReplaceAll(text, "\n", " ")
	r.record.fault(s, "Write one key = value a line.",
		fmt.Errorf("shares its line with %s: %s", strings.Join(others, ", "), redact(line)))
}

var innerKey = regexp.MustCompile(`(?:^|[\s,;])([a-z][a-z0-9_]*)\s*=(?:[^=]|$)`)

// pairs finds the known keys that a line assigns, beyond the first.
func pairs(value string, known func(string) bool) []string {
	var keys []string
	for _, m := range innerKey.FindAllStringSubmatch(value, -1) {
		if known(m[1]) {
			keys = append(keys, m[1])
		}
	}
	return keys
}

// header returns where a section begins, in the last file that has it.
func (r *reader) header(section string) (place, bool) {
	for _, l := range slices.Backward(r.layers) {
		if line := l.headers[foldSection(section)]; line > 0 {
			return place{file: l.path, line: line, rank: l.rank}, true
		}
	}
	return place{}, false
}

// exists reports whether any file or variable speaks of the section.
func (r *reader) exists(section string) bool {
	if _, ok := r.header(section); ok {
		return true
	}
	prefix := envName(section, "")
	for name := range r.env {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// sections returns the names of all sections, as written, in file order.
func (r *reader) sections() []string {
	var names []string
	seen := map[string]bool{}
	for _, l := range r.layers {
		for _, name := range l.order {
			if !seen[name] {
				seen[name] = true
				names = append(names, l.names[name])
			}
		}
	}
	return names
}

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

// holds reports whether a key has a value that is not empty.
func (l *layer) holds(section, key string) bool {
	return slices.ContainsFunc(l.values(section, key), func(v found) bool { return v.text != "" })
}
