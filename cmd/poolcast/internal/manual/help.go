package manual

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/config"
)

// flagGroup is a chapter of the flags of a command.
type flagGroup struct {
	title string
	names []string // in the order of the page
}

// flagGroups are the chapters in the order of the page. Flags in none of them are those
// of the command alone, and come first.
func flagGroups() []flagGroup {
	groups := []flagGroup{
		{"Volume", strings.Fields("size type types os-cloud property qos availability-zone hint volume-property")},
		{"Volume made from another one", strings.Fields("clone-of snapshot-of")},
		{"Volume that exists", strings.Fields("extend from-size migrate-from to retype-of from-type migration-policy in-use")},
		{"Backends and reports", strings.Fields("source agent agent-ca-file agent-token-file backend backend-zone release simulate")},
	}
	configuration := flagGroup{"Configuration", []string{"config-file", "config-dir"}}
	for _, o := range config.AgentOptions() {
		configuration.names = append(configuration.names, strings.ReplaceAll(o.Name, "_", "-"))
	}
	return append(groups, configuration, flagGroup{"Output", []string{"output", "help"}})
}

// Usage prints what --help has after the description of a command, in the width of the
// terminal. It is for [cobra.Command.SetUsageFunc].
func Usage(cmd *cobra.Command) error {
	out := cmd.OutOrStderr()
	_, err := io.WriteString(out, usage(cmd, text.Width(out)))
	return err
}

func usage(cmd *cobra.Command, width int) string {
	var b strings.Builder
	b.WriteString("Usage:\n")
	if cmd.Runnable() {
		fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s [command]\n", cmd.CommandPath())
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				writeEntry(&b, c.Name(), c.Short, commandColumn, width)
			}
		}
	}
	writeFlags(&b, cmd, width)
	return b.String()
}

func writeFlags(b *strings.Builder, cmd *cobra.Command, width int) {
	flags, grouped := cmd.Flags(), map[string]bool{}
	groups := slices.DeleteFunc(flagGroups(), func(g flagGroup) bool {
		return !slices.ContainsFunc(g.names, func(name string) bool { return flags.Lookup(name) != nil })
	})
	for _, g := range groups {
		for _, name := range g.names {
			grouped[name] = true
		}
	}
	own := flagGroup{title: "Flags"}
	flags.VisitAll(func(flag *pflag.Flag) {
		if !grouped[flag.Name] {
			own.names = append(own.names, flag.Name)
		}
	})
	if len(own.names) > 0 {
		groups = slices.Insert(groups, 0, own)
	}
	for _, g := range groups {
		fmt.Fprintf(b, "\n%s:\n", g.title)
		for _, name := range g.names {
			if flag := flags.Lookup(name); flag != nil && !flag.Hidden {
				term, description := describe(flag)
				writeEntry(b, term, description, flagColumn, width)
			}
		}
	}
}

// describe is a flag with its kind of value, and its description with its default.
func describe(flag *pflag.Flag) (term, description string) {
	value, description := pflag.UnquoteUsage(flag)
	term = "--" + flag.Name
	if flag.Shorthand != "" {
		term = "-" + flag.Shorthand + ", " + term
	}
	if value != "" {
		term += " " + value
	}
	if hasDefault(flag) {
		description += " (default " + flag.DefValue + ")"
	}
	return term, description
}

// hasDefault is whether a flag has a default that is worth a word.
func hasDefault(flag *pflag.Flag) bool {
	return !slices.Contains([]string{"", "false", "0", "0s", "[]"}, flag.DefValue)
}

// The columns at which descriptions begin.
const (
	commandColumn = 14
	flagColumn    = 28
)

// writeEntry writes a term and its description: beside it, or below it if the term is
// long.
func writeEntry(b *strings.Builder, term, description string, column, width int) {
	lead := "  " + term
	if len(lead) > column-2 {
		b.WriteString(lead + "\n")
		lead = ""
	}
	for _, line := range text.Wrap(description, max(30, width-column)) {
		fmt.Fprintf(b, "%-*s%s\n", column, lead, strings.TrimPrefix(line, "  "))
		lead = ""
	}
}
