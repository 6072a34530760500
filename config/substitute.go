package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

var (
	// What string.Template finds with oslo.config's idpattern.
	template = regexp.MustCompile(`\$(?:(\$)|((?i:[_a-z][._a-z0-9]*))|\{((?i:[_a-z][._a-z0-9]*))\})`)
	// A JSON or shell string within a value.
	regexpQuoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
)

// maxSubstitutions limits how many $names are replaced for one value, including
// those in replaced values, and maxSubstituted limits its length in bytes.
const (
	maxSubstitutions = 1000
	maxSubstituted   = 1 << 20
)

// substitution replaces the $names of one value.
type substitution struct {
	*reader
	open []string // options that are being replaced, to find a cycle
	left int
}

// substitute replaces $name, ${name} and ${section.name} as oslo.config does
// (cfg.py, _substitute): the same section first, then [DEFAULT]; $$ and \$ are
// a dollar sign; a dollar before any other character is kept.
func (r *reader) substitute(text, section string) (string, error) {
	if !strings.Contains(text, "$") {
		return text, nil
	}
	s := &substitution{reader: r, left: maxSubstitutions}
	return s.replace(text, section)
}

func (s *substitution) replace(text, section string) (string, error) {
	var fault error
	text = strings.ReplaceAll(text, `\$`, "$$")
	out := template.ReplaceAllStringFunc(text, func(match string) string {
		m := template.FindStringSubmatch(match)
		if m[1] != "" || fault != nil {
			return "$"
		}
		var value string
		value, fault = s.named(m[2]+m[3], section)
		return value
	})
	if len(out) > maxSubstituted {
		return "", errors.New("is too long after its $names were replaced")
	}
	return out, fault
}

// named returns the value of a $name, as Python's str() prints it.
func (s *substitution) named(name, section string) (string, error) {
	if s.left--; s.left < 0 {
		return "", errors.New("refers to too many $names")
	}
	if group, option, dotted := strings.Cut(name, "."); dotted {
		if group == sectionDefault {
			return "", fmt.Errorf("refers to $%s, but oslo.config has no group of that name: write $%s", name, option)
		}
		if !s.exists(group) {
			return "", fmt.Errorf("refers to $%s, but there is no section [%s]", name, group)
		}
		return s.valueFor(name, group, option)
	}
	_, here := s.catalog.in(section, name)
	_, there := s.catalog.in(sectionDefault, name)
	// An option that neither section has is taken from the section that sets it.
	if here || !there && len(s.find(&Option{Name: name}, section)) > 0 {
		return s.valueFor(name, section, name)
	}
	return s.valueFor(name, sectionDefault, name)
}

func (s *substitution) valueFor(name, section, option string) (string, error) {
	o, known := s.catalog.in(section, option)
	if !known {
		o = &Option{Name: option}
	}
	if o.Multi {
		return "", fmt.Errorf("refers to $%s, which has several values", name)
	}
	values := s.texts(o, section)
	if len(values) == 0 {
		return s.defaultFor(name, section, o, known)
	}
	if !known {
		s.record.warn(subject{values[0].at, section, option}, "is not a known option, and its value replaces $"+name+" in another option",
			"refuses $"+name+" unless it has an option of this name", "")
	}
	id := foldSection(section) + "." + option
	if slices.Contains(s.open, id) {
		return "", errors.New("refers to itself through $names")
	}
	s.open = append(s.open, id)
	text, err := s.replace(values[0].text, section)
	s.open = s.open[:len(s.open)-1]
	if err != nil {
		return "", err
	}
	return asPython(o, text)
}

// defaultFor returns the text for an option that is not set. Options in the section
// of a backend have no defaults there: Cinder sets them to None.
func (r *reader) defaultFor(name, section string, o *Option, known bool) (string, error) {
	switch {
	case !known:
		return "", fmt.Errorf("refers to $%s, which is not set", name)
	case section == sectionDefault && o.Name == "host":
		return r.hostname, nil
	case o.Default == "" || section != sectionDefault && section != sectionShared && section != sectionRabbit && section != sectionNotifications && section != sectionPoolcast:
		return "", nil
	}
	return asPython(o, o.Default)
}

// asPython formats a value as Python's str() formats the value that oslo.config
// converts it to.
func asPython(o *Option, text string) (string, error) {
	switch o.Kind {
	case Bool:
		b, err := parseBool(text)
		return map[bool]string{true: "True", false: "False"}[b], err
	case Int:
		i, err := parseInt(text)
		if errors.Is(err, errEmpty) {
			return "", nil
		}
		return strconv.Itoa(i), err
	case Float:
		f, err := parseFloat(text)
		if errors.Is(err, errEmpty) {
			return "", nil
		}
		return capability.FormatFloat(f), err
	case List:
		quoted := parseList(text)
		for i := range quoted {
			quoted[i] = "'" + quoted[i] + "'"
		}
		return "[" + strings.Join(quoted, ", ") + "]", nil
	}
	return text, nil
}
