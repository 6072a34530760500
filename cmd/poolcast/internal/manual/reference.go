package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher/status"
)

const referenceIntro = `# Reference

Every command, option, capability key, metric and exit code of poolcast, as
` + "`poolcast reference`" + ` prints them. The page is generated from the descriptions that
the program itself uses, and a test fails when it is stale.
`

// Reference is the reference page in Markdown, chapter by chapter.
func Reference(root *cobra.Command) string {
	return strings.Join([]string{
		referenceIntro, commandChapter(root), exitChapter(),
		optionChapter(), keyChapter(), metricChapter(),
	}, "\n")
}

func commandChapter(root *cobra.Command) string {
	t := newMarkdown("command", "purpose")
	t.row(code(root.Name()), root.Short+": without a subcommand it is the agent")
	for _, cmd := range root.Commands() {
		if !cmd.Hidden {
			t.row(code(cmd.CommandPath()), cmd.Short)
		}
	}
	return "## Commands\n\nEach has `--help` and a manual page with its flags.\n\n" + t.String()
}

func exitChapter() string {
	t := newMarkdown("code", "meaning")
	for number, meaning := range exit.Meanings() {
		t.row(fmt.Sprint(number), meaning)
	}
	return "## Exit codes\n\n" + t.String()
}

const optionIntro = `## Options of cinder.conf

poolcast reads the files that cinder-volume reads, in the same order, and these
options of them. The environment variable ` + "`OS_<SECTION>__<OPTION>`" + `, in capitals,
takes precedence over the files, as in Cinder.
`

// optionChapter lists the options section by section, in the order of config.
func optionChapter() string {
	text := optionIntro
	var t *markdown
	section := ""
	for i, o := range config.Options() {
		if i == 0 || o.Section != section {
			if t != nil {
				text += t.String()
			}
			section = o.Section
			text += "\n" + sectionTitle(section) + "\n\n"
			t = newMarkdown("option", "type", "default", "range", "meaning")
		}
		t.row(code(o.Name), optionType(o), code(o.Default), optionRange(o), optionMeaning(o))
	}
	return text + t.String()
}

func sectionTitle(section string) string {
	switch section {
	case config.SectionBackend:
		return "### The section of a backend, and `[backend_defaults]` behind it"
	case config.AgentOptions()[0].Section:
		return "### `[" + section + "]`\n\nCinder does not read this section. Each option is a flag of the agent too, with dashes:\n`--poll-interval=15s`; a flag takes precedence over the files. Subcommands have the flags that act there."
	}
	return "### `[" + section + "]`"
}

func optionType(o config.Option) string {
	kind := o.Kind.String()
	if o.Multi {
		kind += ", repeatable"
	}
	return kind
}

func optionRange(o config.Option) string {
	switch {
	case len(o.Choices) > 0:
		words := make([]string, len(o.Choices))
		for i, c := range o.Choices {
			words[i] = code(c)
		}
		return strings.Join(words, ", ")
	case o.Min != "" && o.Max != "":
		return o.Min + " to " + o.Max
	case o.Min != "":
		return "at least " + o.Min
	case o.Max != "":
		return "at most " + o.Max
	}
	return ""
}

func optionMeaning(o config.Option) string {
	text := o.Help
	if o.Secret {
		text += " A secret: never printed."
	}
	if o.NeedsRestart {
		text += " Another value takes effect at the next start."
	}
	for _, a := range o.Aliases {
		text += " Formerly " + code("["+a.Section+"] "+a.Name) + "."
	}
	return text
}

const keyIntro = `## Capability keys

The keys of a report of one backend. "Sent by" is driver, poolcast if the Cinder
driver sends the key too, so that an overlay replaces its value, and poolcast if
poolcast adds it. "In functions" is whether ` + "`filter_function` and `goodness_function`" + `
can use the key without loss: Cinder's evaluator truncates a float to an integer,
and cannot read a name that has a digit. Conditions of volume types
(CapabilitiesFilter) can use every key. A key that is missing is absent, never
zero, and a condition on it is not met.

Keys of the stanza's ` + "`extra_capabilities`" + ` replace all of these, as in Cinder;
those named in ` + "`live_capabilities`" + ` keep the measurement. A number that
replaces a measurement is a label: every answer that is made on one says so, with
what is measured as far as it is known, and reports have both under ` + "`labels`" + `.
`

func keyChapter() string {
	t := newMarkdown("key", "type", "unit", "origin", "source", "absent when", "sent by", "in functions")
	for _, k := range capability.Keys() {
		t.row(code(k.Name), k.Kind.String(), k.Unit, string(k.Origin), k.Source, keyAbsence(k), keySender(k), yesNo(k.InFunctions()))
	}
	return keyIntro + "\n" + t.String()
}

func keyAbsence(k capability.Key) string {
	switch {
	case k.History:
		return "`load_history` is off; " + k.Absent
	case k.OnRequest && k.Absent != "":
		return "not named in `live_capabilities`; " + k.Absent
	case k.OnRequest:
		return "not named in `live_capabilities`"
	case k.Absent == "":
		return "never"
	}
	return k.Absent
}

func keySender(k capability.Key) string {
	if k.Driver {
		return "driver, poolcast"
	}
	return "poolcast"
}

func metricChapter() string {
	t := newMarkdown("metric", "type", "labels", "meaning")
	for _, m := range status.Metrics() {
		labels := make([]string, len(m.Labels))
		for i, l := range m.Labels {
			labels[i] = code(l)
		}
		t.row(code(m.Name), m.Type(), strings.Join(labels, ", "), m.Help)
	}
	return "## Metrics\n\n`/metrics` at the address of `listen` has these, and those of the Go runtime and\nthe process. A value that was not measured has no sample.\n\n" + t.String()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// markdown is a table of the reference page.
type markdown struct{ text strings.Builder }

func newMarkdown(headings ...string) *markdown {
	m := &markdown{}
	m.row(headings...)
	m.text.WriteString("|" + strings.Repeat(" --- |", len(headings)) + "\n")
	return m
}

// row adds cells. A bar inside a cell would end it and is escaped.
func (m *markdown) row(cells ...string) {
	for _, c := range cells {
		m.text.WriteString("| " + strings.ReplaceAll(c, "|", `\|`) + " ")
	}
	m.text.WriteString("|\n")
}

func (m *markdown) String() string { return m.text.String() }

// code marks text of files and command lines.
func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}
