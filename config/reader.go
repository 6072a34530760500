package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// rawValue is a value as it is written.
type rawValue struct {
	text    string
	at      place
	quoted  bool // a " #" is part of the value
	literal bool // a $ is part of the value
	secret  bool // it is part of a secret value
}

// reader finds values in the order of oslo.config: command line, environment, then
// files from the last to the first.
type reader struct {
	layers []*layer
	env    map[string]string
	// overrides have priority over all others, by section and option: flags for
	// [poolcast], the query of transport_url for [oslo_messaging_rabbit].
	overrides map[string]map[string]rawValue
	// hostname is the default of [DEFAULT] host.
	hostname      string
	catalog       catalog
	record        *record
	stripComments bool // see Sources
}

// find returns the values of an option in a section, older names included. It
// is more than one only for a multi-valued option (oslo_config/cfg.py,
// _get_file_value).
func (r *reader) find(o *Option, section string) []rawValue {
	if v, ok := r.overrides[section][o.Name]; ok {
		return []rawValue{v}
	}
	name := envName(section, o.Name)
	if text, ok := r.env[name]; ok {
		return []rawValue{{text: text, quoted: true, at: place{file: name}}}
	}
	var all []rawValue
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
func (r *reader) findIn(l *layer, o *Option, section string) []rawValue {
	values := l.values(section, o.Name)
	for _, a := range o.Aliases {
		if len(values) > 0 && !o.Multi {
			break
		}
		older := l.values(a.Section, a.Name)
		if len(older) > 0 {
			r.record.warn(subject{older[0].at, a.Section, a.Name},
				fmt.Sprintf("is an old name of [%s] %s, and is read as that", section, o.Name),
				"does the same up to the release that removed the old name", fmt.Sprintf("Write %s into [%s].", o.Name, section))
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

// texts returns the values of an option without comments.
func (r *reader) texts(o *Option, section string) []rawValue {
	values := r.find(o, section)
	for i, v := range values {
		s := subject{v.at, section, o.Name}
		if o.Multi && v.at.line == 0 {
			r.record.fault(s, "Write it into a file.", errors.New("can have several values, which oslo.config cannot read from the environment"))
			return nil
		}
		values[i].text = r.repaired(o, s, v)
	}
	return values
}

// repaired removes a comment from a value and refuses a second key in it. Values of
// options with keepsComment stay as Cinder reads them.
func (r *reader) repaired(o *Option, s subject, v rawValue) string {
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

// withComment chooses between the value with its comment, as Cinder reads it, and
// the clean value, and warns of the difference.
func (r *reader) withComment(o *Option, s subject, v rawValue, clean string) string {
	const hint = "Write the comment on a line of its own."
	if o.keepsComment && !r.stripComments {
		r.record.note(s, Warning{
			Message: "has a comment after the value, which is part of the value: " + redact(v.text), Cinder: "reads the same value", Hint: hint, Serious: true,
		})
		return v.text
	}
	reads := "reads the comment as part of the value"
	if !o.Secret {
		reads = "reads " + redact(v.text)
	}
	r.record.warn(s, "is read without the comment after it", reads, hint)
	return clean
}

// withoutComment removes " # comment" and " ; comment" from each line of a value.
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

// refusePairs refuses "key = value key = value" in one line. Functions may contain
// text of that form.
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
	r.record.fault(s, "Write each key = value on a line of its own.",
		fmt.Errorf("shares its line with %s: %s", strings.Join(others, ", "), redact(line)))
}

var innerKey = regexp.MustCompile(`(?:^|[\s,;])([a-z][a-z0-9_]*)\s*=(?:[^=]|$)`)

// pairs returns the known keys that a value assigns.
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
		if s := l.find(section); s.line > 0 {
			return place{file: l.path, line: s.line, rank: l.rank}, true
		}
	}
	return place{}, false
}

// exists reports whether a file or an environment variable has the section.
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
		for _, s := range l.order {
			if folded := foldSection(s.name); !seen[folded] {
				seen[folded] = true
				names = append(names, s.name)
			}
		}
	}
	return names
}

// layer is one file: its sections, their keys, and every value with its line.
type layer struct {
	path     string
	rank     int
	sections map[string]*section // by folded name
	order    []*section          // in the order of the file
}

// section has all lines of its name in one file.
type section struct {
	name   string   // as written first
	line   int      // of the first header
	keys   []string // in the order of the file
	values map[string][]rawValue
}

// open returns the section of a header.
func (l *layer) open(name string, line int) *section {
	folded := foldSection(name)
	if l.sections[folded] == nil {
		s := &section{name: name, line: line, values: map[string][]rawValue{}}
		l.sections[folded], l.order = s, append(l.order, s)
	}
	return l.sections[folded]
}

func (s *section) add(key string, v rawValue) {
	if _, known := s.values[key]; !known {
		s.keys = append(s.keys, key)
	}
	s.values[key] = append(s.values[key], v)
}

// find returns a section, or an empty one.
func (l *layer) find(name string) *section {
	if s := l.sections[foldSection(name)]; s != nil {
		return s
	}
	return &section{}
}

// values returns every value of a key, in the order of the file. The slice is
// the caller's.
func (l *layer) values(section, key string) []rawValue {
	return slices.Clone(l.find(section).values[key])
}

// keys returns the keys of a section, in the order of the file.
func (l *layer) keys(section string) []string { return l.find(section).keys }
