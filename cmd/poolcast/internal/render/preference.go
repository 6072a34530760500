package render

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/fallback"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// Preference prints settings with which Cinder prefers, and the backends on which they
// were checked, in one of the formats table, wide and json.
func Preference(w io.Writer, output string, cfg *config.Config, plan *fallback.Plan, set *backends.Set) error {
	out := jsonPreference(cfg, plan)
	out.Source = set.JSON(time.Now())
	if output == "json" {
		return JSON(w, out)
	}
	p := newPage(w, output)
	color, headline := preferenceHeadline(plan)
	addWrapped(p, color, headline)
	for _, problem := range plan.Problems {
		p.Wrapped("  ", problem)
	}
	if !plan.Holds() {
		addSource(p, set)
		return p.Print()
	}
	addSections(p, out)
	addSchedulerOptions(p, out)
	addTypeCommands(p, out)
	addChecks(p, plan)
	p.Line("\n%s", p.Paint(text.Bold, "Limits"))
	for _, limit := range plan.Limits {
		p.Wrapped("  ", limit+".")
	}
	addSource(p, set)
	return p.Print()
}

func preferenceHeadline(plan *fallback.Plan) (text.Color, string) {
	var names []string
	for _, t := range plan.Types {
		names = append(names, t.Name)
	}
	list := format.List(names)
	if !plan.Holds() {
		return text.Red, "There are no settings with which Cinder prefers as the conditions of " + list + " say:"
	}
	return text.Green, "With these settings volumes of " + list + " go to arrays under the limits first, and no array is refused for its load."
}

// addSections adds what cinder-volume needs. Lines to copy are not wrapped.
func addSections(p *text.Page, out preferenceJSON) {
	p.Line("")
	addWrapped(p, text.Bold, "1. cinder.conf of cinder-volume; then restart cinder-volume, and wait for its reports")
	for _, b := range out.Backends {
		place := ""
		if b.File != "" {
			place = "    # " + format.Printable(b.File) + ":" + strconv.Itoa(b.Line)
		}
		p.Line("\n   [%s]%s", format.Printable(b.Backend), place)
		if b.Extra != "" {
			p.Line("   extra_capabilities = %s", format.Printable(b.Extra))
		}
		if b.Previous != "" {
			p.Line("   # replaces: %s", format.Printable(b.Previous))
		}
		p.Line("   goodness_function = %s", format.Printable(b.Goodness))
	}
}

func addSchedulerOptions(p *text.Page, out preferenceJSON) {
	s := out.Scheduler
	p.Line("\n%s", p.Paint(text.Bold, "2. cinder.conf of every cinder-scheduler; then restart it"))
	p.Line("")
	if len(s.Options) == 0 {
		p.Line("   nothing to change")
	} else {
		p.Line("   [DEFAULT]")
	}
	for _, o := range s.Options {
		p.Line("   %s = %s", o.Name, o.Value)
	}
	p.Line("")
	p.Wrapped("   ", s.Reason+".")
}

func addTypeCommands(p *text.Page, out preferenceJSON) {
	p.Line("\n%s\n", p.Paint(text.Bold, "3. Volume types, last: until then their conditions refuse as before"))
	for _, t := range out.Types {
		for _, command := range t.Commands {
			p.Line("   %s", format.Printable(command))
		}
	}
}

func addChecks(p *text.Page, plan *fallback.Plan) {
	p.Line("\n%s", p.Paint(text.Bold, "Decisions with these settings"))
	for _, c := range plan.Checks {
		switch {
		case c.Case == fallback.Present:
			p.Line("")
			p.Wrapped("  ", presentText(&c))
		case c.Decisions == 0:
			p.Wrapped("  ", "not possible with these backends: "+string(c.Case))
		default:
			p.Wrapped("  ", fmt.Sprintf("as wanted in %s: %s", format.Count(c.Decisions, "decision"), c.Case))
		}
	}
}

// presentText is the decision on the present reports, before and after.
func presentText(c *fallback.Check) string {
	under := "no backend is under the limits"
	if len(c.Preferred) > 0 {
		under = "under the limits: " + format.List(c.Preferred)
	}
	out := fmt.Sprintf("%s, on the present reports: %s. A volume goes to %s now, and to %s with these settings",
		c.Type, under, cmp.Or(c.Before, "no backend"), cmp.Or(c.After, "no backend"))
	if c.Reason != "" {
		out += ". Now " + c.Reason
	}
	return out
}

// preferenceJSON is what prefer --output json prints. If the settings do not hold there
// are none: no backends, options and commands.
type preferenceJSON struct {
	Holds     bool                    `json:"holds"`
	Problems  []string                `json:"problems"`
	Backends  []preferenceBackendJSON `json:"backends"`
	Scheduler preferenceSchedulerJSON `json:"scheduler"`
	Types     []preferenceTypeJSON    `json:"types"`
	Key       string                  `json:"distinguished_by,omitempty"` // the extra spec
	Checks    []preferenceCheckJSON   `json:"checks"`
	Limits    []string                `json:"limits"`
	Source    client.Source           `json:"source"`
}

type preferenceBackendJSON struct {
	ID       string `json:"id"`
	Backend  string `json:"backend"`
	File     string `json:"file,omitempty"` // of the section; absent if it is not in this cinder.conf
	Line     int    `json:"line,omitempty"`
	Goodness string `json:"goodness_function"`
	Previous string `json:"previous_goodness_function,omitempty"`
	Extra    string `json:"extra_capabilities,omitempty"` // if it must be written anew
}

type preferenceSchedulerJSON struct {
	Options []fallback.Option `json:"options"`
	Ahead   float64           `json:"preferred_ahead_by"`
	Others  float64           `json:"other_weighers_at_most"`
	Reason  string            `json:"reason"`
}

type preferenceTypeJSON struct {
	Type       string               `json:"type"`
	Conditions []fallback.Condition `json:"conditions"`
	Commands   []string             `json:"commands"`
}

type preferenceCheckJSON struct {
	Type      string   `json:"type"`
	Case      string   `json:"case"`
	Decisions int      `json:"decisions,omitempty"`
	Before    string   `json:"before,omitempty"` // the backend on the present reports
	After     string   `json:"after,omitempty"`
	Preferred []string `json:"preferred,omitempty"`
	Failed    string   `json:"failed,omitempty"`
}

func jsonPreference(cfg *config.Config, plan *fallback.Plan) preferenceJSON {
	s := &plan.Scheduler
	out := preferenceJSON{
		Holds: plan.Holds(), Problems: append([]string{}, plan.Problems...), Key: plan.Key, Limits: append([]string{}, plan.Limits...),
		Backends: []preferenceBackendJSON{}, Types: []preferenceTypeJSON{}, Checks: []preferenceCheckJSON{},
		Scheduler: preferenceSchedulerJSON{Options: []fallback.Option{}, Ahead: s.Gap, Others: s.Sum, Reason: s.Reason()},
	}
	for _, t := range plan.Types {
		out.Types = append(out.Types, preferenceTypeJSON{Type: t.Name, Conditions: t.Conditions, Commands: []string{}})
	}
	for _, c := range plan.Checks {
		out.Checks = append(out.Checks, preferenceCheckJSON{
			Type: c.Type, Case: string(c.Case), Decisions: c.Decisions, Before: c.Before, After: c.After, Preferred: c.Preferred, Failed: c.Failed,
		})
	}
	if !plan.Holds() {
		return out
	}
	out.Scheduler.Options = append(out.Scheduler.Options, s.Changed...)
	for i := range plan.Types {
		out.Types[i].Commands = typeCommands(&plan.Types[i])
	}
	for _, b := range plan.Backends {
		out.Backends = append(out.Backends, jsonPreferenceBackend(cfg, b))
	}
	return out
}

func jsonPreferenceBackend(cfg *config.Config, b fallback.Backend) preferenceBackendJSON {
	out := preferenceBackendJSON{ID: b.Identity, Backend: b.Name, Goodness: b.Goodness, Previous: b.Previous}
	extra := capability.Set{}
	for _, c := range cfg.Backends {
		if c.Host == b.Identity || c.Cluster != "" && c.Cluster == b.Identity {
			out.File, out.Line, extra = c.File, c.Line, c.Extra
		}
	}
	if len(b.Classes) > 0 {
		data, err := extra.Overlay(capability.Set{fallback.Class: capability.OfStrings(b.Classes...)}).MarshalJSON()
		if err == nil {
			out.Extra = strings.ReplaceAll(string(data), "$", "$$") // a single one begins a substitution
		}
	}
	return out
}

// typeCommands are what to type for a type: what it gets before what it loses.
func typeCommands(t *fallback.Type) []string {
	commands := []string{}
	for _, spec := range t.Set {
		commands = append(commands, "openstack volume type set --property "+format.ShellQuoted(spec.Key+"="+*spec.Value)+" "+format.ShellQuoted(t.Name))
	}
	if keys := t.Unset(); len(keys) > 0 {
		command := "openstack volume type unset"
		for _, key := range keys {
			command += " --property " + format.ShellQuoted(key)
		}
		commands = append(commands, command+" "+format.ShellQuoted(t.Name))
	}
	return commands
}
