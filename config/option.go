package config

import (
	"strconv"
	"strings"
)

// Kind is the type of an option's value.
type Kind uint8

// The kinds. All but the last four are oslo.config's own.
const (
	String Kind = iota
	Bool
	Int
	Float
	List
	Dict // key:value pairs between commas
	JSON // an object
	Duration
	Command // program and arguments, split as a shell would
	Path
)

// String names the kind as the reference page does.
func (k Kind) String() string {
	names := [...]string{"string", "boolean", "integer", "number", "list", "dictionary", "JSON object", "duration", "command", "path"}
	if int(k) < len(names) {
		return names[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Alias is an older name of an option.
type Alias struct{ Section, Name string }

// Option describes one option: it drives the reading, the "did you mean", the
// flags of the same name and the reference page.
type Option struct {
	Section string // DEFAULT, oslo_messaging_rabbit, poolcast, or SectionBackend
	Name    string
	Kind    Kind
	Default string // as it would be written; "" if there is none
	Min     string // smallest value; "" if there is none
	Max     string
	Choices []string
	Aliases []Alias
	Secret  bool
	Multi   bool // each occurrence adds a value
	// KeepsComment keeps a comment after the value, as Cinder does: the scheduler or
	// cinder-volume goes by the value, so another one would be about another
	// cloud.
	KeepsComment bool
	NeedsRestart bool // another value takes effect at the next start
	Help         string
}

// SectionBackend stands for the section of any backend, and for
// [backend_defaults] behind it.
const SectionBackend = "<backend>"

const (
	sectionDefault  = "DEFAULT"
	sectionShared   = "backend_defaults"
	sectionRabbit   = "oslo_messaging_rabbit"
	sectionPoolcast = "poolcast"

	keyExtraCapabilities = "extra_capabilities"
	// keyCHAP is not read. Published examples have it on one line with options
	// that are.
	keyCHAP = "use_chap_auth"
)

// Options describes every option poolcast reads, in the order of the reference
// page. The slice is the caller's.
func Options() []Option {
	var all []Option
	for _, part := range []struct {
		section string
		options []Option
	}{
		{sectionPoolcast, agentOptions()},
		{SectionBackend, backendOptions()},
		{sectionDefault, defaultOptions()},
		{sectionRabbit, rabbitOptions()},
	} {
		for _, o := range part.options {
			o.Section = part.section
			o.NeedsRestart = part.section == sectionPoolcast && needsRestart(o.Name)
			all = append(all, o)
		}
	}
	return all
}

func needsRestart(name string) bool {
	for _, s := range (Agent{}).restartSettings() {
		if s.name == name {
			return true
		}
	}
	return false
}

// AgentOptions describes the options of [poolcast]: those that a flag may set.
func AgentOptions() []Option {
	options := agentOptions()
	for i := range options {
		options[i].Section = sectionPoolcast
	}
	return options
}

// catalog finds options by section and name.
type catalog map[string]map[string]*Option

func newCatalog() catalog {
	c := catalog{}
	for _, o := range Options() {
		if c[o.Section] == nil {
			c[o.Section] = map[string]*Option{}
		}
		c[o.Section][o.Name] = &o
	}
	return c
}

// in finds an option as oslo.config would: [DEFAULT] knows its own options and
// Cinder's common volume options, any other unknown section is a backend.
func (c catalog) in(section, name string) (*Option, bool) {
	switch section {
	case sectionDefault:
		if o, ok := c[sectionDefault][name]; ok {
			return o, true
		}
		o, ok := c[SectionBackend][name]
		return o, ok && inDefaultToo(name)
	case sectionRabbit, sectionPoolcast:
		o, ok := c[section][name]
		return o, ok
	}
	o, ok := c[SectionBackend][name]
	return o, ok
}

// foldSection is oslo.config's _normalize_group_name.
func foldSection(name string) string {
	if name == sectionDefault {
		return name
	}
	return strings.ToLower(name)
}
