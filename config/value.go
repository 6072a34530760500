package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// value is an option's value with its place.
type value[T any] struct {
	v     T
	at    place
	where subject // for messages
	set   bool    // it is not the default
	bad   bool    // it was refused
}

// scope is a section to read options from, with its fallbacks.
type scope struct {
	*reader
	name      string   // the section
	fallbacks []string // sections to read next, such as backend_defaults
	table     string   // the catalog's section
}

// scopeOf returns a section without fallbacks.
func (r *reader) scopeOf(section string) scope {
	return scope{reader: r, name: section, table: section}
}

// backendScope returns a backend's section with the fallback [backend_defaults]
// (cinder/volume/configuration.py, BackendGroupConfiguration).
func (r *reader) backendScope(stanza string) scope {
	return scope{reader: r, name: stanza, fallbacks: []string{sectionShared}, table: SectionBackend}
}

func (s scope) sectionsToRead() []string { return append([]string{s.name}, s.fallbacks...) }

// subject is an option of the scope, for a message.
func (s scope) subject(at place, key string) subject {
	if at.file == "" {
		at = s.place()
	}
	return subject{at, s.name, key}
}

// place is where the section begins, or else the first file.
func (s scope) place() place {
	if at, ok := s.header(s.name); ok {
		return at
	}
	if len(s.layers) > 0 {
		return place{file: s.layers[0].path, rank: s.layers[0].rank}
	}
	return place{file: "configuration"}
}

// read finds an option, replaces its $names and converts it with parse, whose error
// errEmpty means that oslo.config reads no value.
func read[T any](s scope, name string, parse func(text string) (T, error)) value[T] {
	o := s.catalog[s.table][name]
	if o == nil {
		s.record.fault(s.subject(place{}, name), "", errors.New("is not an option of poolcast"))
		return value[T]{bad: true}
	}
	got := readSet(s, o, parse)
	if !got.set && !got.bad && o.Default != "" {
		v, err := parse(o.Default)
		got.v, got.bad = v, err != nil
	}
	got.where = s.subject(got.at, name)
	return got
}

// readSet returns the value of the first section that has one.
func readSet[T any](s scope, o *Option, parse func(text string) (T, error)) value[T] {
	sections := s.sectionsToRead()
	for i, section := range sections {
		values := s.texts(o, section)
		if len(values) == 0 {
			continue
		}
		got := convert(s, o, section, values[len(values)-1], parse)
		if !got.set && i == len(sections)-1 {
			s.refuse(o, subject{got.at, section, o.Name}, "", errors.New("is not a number, and Cinder does not use the default instead"))
			return value[T]{at: got.at, set: true, bad: true}
		}
		if got.set {
			return got
		}
	}
	return value[T]{}
}

func convert[T any](s scope, o *Option, section string, raw rawValue, parse func(string) (T, error)) value[T] {
	var v T
	text, err := raw.text, error(nil)
	if !raw.literal {
		text, err = s.substitute(raw.text, section)
	}
	if err == nil {
		v, err = parse(text)
	}
	if errors.Is(err, errEmpty) {
		return value[T]{at: raw.at}
	}
	if err == nil {
		err = o.check(text)
	}
	if err != nil {
		if raw.secret {
			o = &Option{Name: o.Name, Kind: o.Kind, Choices: o.Choices, Min: o.Min, Max: o.Max, Secret: true}
		}
		s.refuse(o, subject{raw.at, section, o.Name}, raw.text, err)
		return value[T]{at: raw.at, set: true, bad: true}
	}
	return value[T]{v: v, at: raw.at, set: true}
}

// refuse records a value that cannot be read. The message contains the value unless
// it is secret.
func (r *reader) refuse(o *Option, s subject, text string, err error) {
	if !o.Secret && o.Kind != JSON && o.Kind != Command {
		err = fmt.Errorf("%s %w", redact(text), err)
	}
	r.record.fault(s, o.advice(), err)
}

// advice describes the valid values.
func (o *Option) advice() string {
	switch {
	case len(o.Choices) > 0:
		return "Write one of " + strings.Join(o.Choices, ", ") + "."
	case o.Kind == Bool:
		return "Write true or false."
	case o.Kind == Duration:
		return "Write seconds, or a duration such as 15s or 2m" + o.bounds() + "."
	case o.Kind == Int:
		return "Write a whole number" + o.bounds() + "."
	case o.Kind == Float:
		return "Write a number" + o.bounds() + "."
	case o.Kind == Dict:
		return "Write name:value pairs, separated by commas."
	case o.Kind == Limits:
		return fmt.Sprintf("Write two whole numbers from %d to %d, at least %d apart, such as 30,70.", leastLimit, mostLimit, leastBetween)
	case o.Kind == Percentages:
		return "Write two numbers from 0 to 100, for warning and critical, such as " + o.Default + "."
	case o.Kind == Latencies:
		return "Write two durations with their units, for warning and critical, such as " + o.Default + "."
	}
	return ""
}

func (o *Option) bounds() string {
	switch {
	case o.Min != "" && o.Max != "":
		return " from " + o.Min + " to " + o.Max
	case o.Min != "":
		return " of at least " + o.Min
	}
	return ""
}

// check compares a valid text with the choices and the range of the option.
func (o *Option) check(text string) error {
	if len(o.Choices) > 0 && !slices.Contains(o.Choices, text) {
		return errors.New("is not one of the choices")
	}
	if o.Min != "" {
		if v, low := o.measure(text), o.measure(o.Min); v < low {
			return errors.New("is too small")
		}
	}
	if o.Max != "" {
		if v, high := o.measure(text), o.measure(o.Max); v > high {
			return errors.New("is too large")
		}
	}
	return nil
}

// measure converts a valid number or duration, so that it can be compared.
func (o *Option) measure(text string) float64 {
	if o.Kind == Duration {
		d, _ := parseDuration(text)
		return float64(d)
	}
	f, _ := parseFloat(text)
	return f
}

// always is a conversion without errors.
func always[T any](convert func(string) T) func(string) (T, error) {
	return func(text string) (T, error) { return convert(text), nil }
}

func (s scope) text(name string) value[string] {
	return read(s, name, always(func(text string) string { return text }))
}
func (s scope) boolean(name string) value[bool]           { return read(s, name, parseBool) }
func (s scope) integer(name string) value[int]            { return read(s, name, parseInt) }
func (s scope) number(name string) value[float64]         { return read(s, name, parseFloat) }
func (s scope) duration(name string) value[time.Duration] { return read(s, name, parseDuration) }
func (s scope) list(name string) value[[]string]          { return read(s, name, always(parseList)) }
func (s scope) secret(name string) value[Secret]          { return read(s, name, always(newSecret)) }
func (s scope) command(name string) value[[]string]       { return read(s, name, parseCommand) }

func (s scope) object(name string) value[capability.Set] {
	var warning Warning
	v := read(s, name, func(text string) (set capability.Set, err error) {
		set, warning, err = parseObject(text)
		return set, err
	})
	if warning.Message != "" {
		s.record.note(v.where, warning)
	}
	return v
}

// dicts reads a multi-valued dictionary: the first section that has any.
func (s scope) dicts(name string) []value[map[string]string] {
	o := s.catalog[s.table][name]
	for _, section := range s.sectionsToRead() {
		values := s.texts(o, section)
		if len(values) == 0 {
			continue
		}
		dicts := make([]value[map[string]string], len(values))
		for i, raw := range values {
			dicts[i] = convert(s, o, section, raw, parseDict)
			dicts[i].where = s.subject(raw.at, name)
		}
		return dicts
	}
	return nil
}
