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
	v   T
	at  place
	set bool // it is not the default
	bad bool // it was refused
}

// scope is a section to read options from, with its fallbacks.
type scope struct {
	*reader
	name      string   // the section
	fallbacks []string // sections asked next, such as backend_defaults
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

// read finds an option, replaces its $names and converts it. parse returns none =
// true for an empty value that oslo.config converts to None.
func read[T any](s scope, name string, parse func(o *Option, text string) (v T, none bool, err error)) value[T] {
	o := s.catalog[s.table][name]
	if o == nil {
		s.record.fault(s.subject(place{}, name), "", errors.New("is not an option of poolcast"))
		return value[T]{bad: true}
	}
	sections := append([]string{s.name}, s.fallbacks...)
	for i, section := range sections {
		values := s.texts(o, section)
		if len(values) == 0 {
			continue
		}
		got := convert(s, o, section, values[len(values)-1], parse)
		if !got.set && i == len(sections)-1 {
			s.refuse(o, subject{got.at, section, name}, "", errors.New("is not a number, and Cinder does not use the default instead"))
			return value[T]{at: got.at, set: true, bad: true}
		}
		if got.set {
			return got
		}
	}
	if o.Default == "" {
		return value[T]{}
	}
	v, _, err := parse(o, o.Default)
	return value[T]{v: v, bad: err != nil}
}

func convert[T any](s scope, o *Option, section string, raw rawValue, parse func(*Option, string) (T, bool, error)) value[T] {
	var (
		v    T
		none bool
		text = raw.text
		err  error
	)
	if !raw.literal {
		text, err = s.substitute(raw.text, section)
	}
	if err == nil {
		v, none, err = parse(o, text)
	}
	if err != nil {
		if raw.secret {
			o = &Option{Name: o.Name, Kind: o.Kind, Choices: o.Choices, Min: o.Min, Max: o.Max, Secret: true}
		}
		s.refuse(o, subject{raw.at, section, o.Name}, raw.text, err)
		return value[T]{at: raw.at, set: true, bad: true}
	}
	return value[T]{v: v, at: raw.at, set: !none}
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

func (s scope) text(name string) value[string] {
	return read(s, name, func(o *Option, text string) (string, bool, error) {
		if len(o.Choices) > 0 && !slices.Contains(o.Choices, text) {
			return "", false, errors.New("is not one of the choices")
		}
		return text, false, nil
	})
}

func (s scope) boolean(name string) value[bool] {
	return read(s, name, func(_ *Option, text string) (bool, bool, error) {
		b, err := parseBool(text)
		return b, false, err
	})
}

func (s scope) integer(name string) value[int] {
	return read(s, name, func(o *Option, text string) (int, bool, error) {
		i, none, err := parseInt(text)
		if err == nil && !none {
			err = o.within(float64(i), func(bound string) (float64, error) {
				f, _, err := parseFloat(bound)
				return f, err
			})
		}
		return int(i), none, err
	})
}

func (s scope) number(name string) value[float64] {
	return read(s, name, func(o *Option, text string) (float64, bool, error) {
		f, none, err := parseFloat(text)
		if err == nil && !none {
			err = o.within(f, func(bound string) (float64, error) {
				f, _, err := parseFloat(bound)
				return f, err
			})
		}
		return f, none, err
	})
}

func (s scope) duration(name string) value[time.Duration] {
	return read(s, name, func(o *Option, text string) (time.Duration, bool, error) {
		d, err := parseDuration(text)
		if err == nil {
			err = o.within(float64(d), func(bound string) (float64, error) {
				d, err := parseDuration(bound)
				return float64(d), err
			})
		}
		return d, false, err
	})
}

// within checks the option's range.
func (o *Option) within(v float64, parse func(string) (float64, error)) error {
	if o.Min != "" {
		if low, err := parse(o.Min); err != nil || v < low {
			return errors.New("is too small")
		}
	}
	if o.Max != "" {
		if high, err := parse(o.Max); err != nil || v > high {
			return errors.New("is too large")
		}
	}
	return nil
}

func (s scope) list(name string) value[[]string] {
	return read(s, name, func(_ *Option, text string) ([]string, bool, error) {
		return parseList(text), false, nil
	})
}

func (s scope) secret(name string) value[Secret] {
	return read(s, name, func(_ *Option, text string) (Secret, bool, error) {
		return NewSecret(text), false, nil
	})
}

func (s scope) command(name string) value[[]string] {
	return read(s, name, func(_ *Option, text string) ([]string, bool, error) {
		words, err := parseCommand(text)
		return words, false, err
	})
}

func (s scope) object(name string) value[capability.Set] {
	var warning Warning
	v := read(s, name, func(_ *Option, text string) (set capability.Set, none bool, err error) {
		set, warning, err = parseObject(text)
		return set, false, err
	})
	if warning.Message != "" {
		s.record.note(s.subject(v.at, name), warning)
	}
	return v
}

// dicts reads a multi-valued dictionary: the first section that has any.
func (s scope) dicts(name string) []value[map[string]string] {
	o := s.catalog[s.table][name]
	for _, section := range append([]string{s.name}, s.fallbacks...) {
		values := s.texts(o, section)
		if len(values) == 0 {
			continue
		}
		dicts := make([]value[map[string]string], len(values))
		for i, raw := range values {
			dicts[i] = convert(s, o, section, raw, func(_ *Option, text string) (map[string]string, bool, error) {
				dict, err := parseDict(text)
				return dict, false, err
			})
		}
		return dicts
	}
	return nil
}
