package config

import (
	"errors"
	"fmt"
	"regexp"
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

// maxSubstitutions bounds how deep one value may refer to others.
const maxSubstitutions = 16

// substitute replaces $name, ${name} and ${section.name} as oslo.config does
// (cfg.py, _substitute): the same section first, then [DEFAULT]; $$ and \$ are
// a dollar sign; a dollar before anything else stands for itself.
func (r *reader) substitute(text, section string, depth int) (string, error) {
	if !strings.Contains(text, "$") {
		return text, nil
	}
	if depth > maxSubstitutions {
		return "", errors.New("refers to itself through $names")
	}
	var fault error
	text = strings.ReplaceAll(text, `\$`, "$$")
	out := template.ReplaceAllStringFunc(text, func(match string) string {
		m := template.FindStringSubmatch(match)
		if m[1] != "" {
			return "$"
		}
		value, err := r.named(m[2]+m[3], section, depth)
		if err != nil && fault == nil {
			fault = err
		}
		return value
	})
	return out, fault
}

// named returns the value behind a $name, as Python's str() prints it.
func (r *reader) named(name, section string, depth int) (string, error) {
	if group, option, dotted := strings.Cut(name, "."); dotted {
		if group == sectionDefault {
			return "", fmt.Errorf("refers to $%s, but oslo.config knows no group of that name: write $%s", name, option)
		}
		if !r.exists(group) {
			return "", fmt.Errorf("refers to $%s, but there is no section [%s]", name, group)
		}
		return r.valueFor(name, group, option, depth)
	}
	_, here := r.catalog.in(section, name)
	_, there := r.catalog.in(sectionDefault, name)
	// A name that we know in neither is taken from where it is set.
	if here || !there && len(r.find(&Option{Name: name}, section)) > 0 {
		return r.valueFor(name, section, name, depth)
	}
	return r.valueFor(name, sectionDefault, name, depth)
}

func (r *reader) valueFor(name, section, option string, depth int) (string, error) {
	o, known := r.catalog.in(section, option)
	if !known {
		o = &Option{Name: option}
	}
	if o.Multi {
		return "", fmt.Errorf("refers to $%s, which has several values", name)
	}
	values := r.texts(o, section)
	if len(values) == 0 {
		return r.defaultFor(name, section, o, known)
	}
	if !known {
		r.record.warn(subject{values[0].at, section, option}, "stands for itself where another value says $"+name,
			"refuses that unless it has an option of this name")
	}
	text, err := r.substitute(values[0].text, section, depth+1)
	if err != nil {
		return "", err
	}
	return asPython(o, text)
}

// defaultFor gives what an unset option stands for. A backend's own section
// has no defaults: Cinder sets them all to None.
func (r *reader) defaultFor(name, section string, o *Option, known bool) (string, error) {
	switch {
	case !known:
		return "", fmt.Errorf("refers to $%s, which is not set", name)
	case section == sectionDefault && o.Name == "host":
		return r.hostname, nil
	case o.Default == "" || section != sectionDefault && section != sectionShared && section != sectionRabbit && section != sectionPoolcast:
		return "", nil
	}
	return asPython(o, o.Default)
}

// asPython prints a value as str() prints what oslo.config converted it to.
func asPython(o *Option, text string) (string, error) {
	switch o.Kind {
	case Bool:
		b, err := parseBool(text)
		return map[bool]string{true: "True", false: "False"}[b], err
	case Int:
		i, empty, err := parseInt(text)
		if empty {
			return "", err
		}
		return strconv.FormatInt(i, 10), err
	case Float:
		f, empty, err := parseFloat(text)
		if empty {
			return "", err
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
