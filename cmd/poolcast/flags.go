package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/poolcast/poolcast/config"
)

// sourceFlags say which configuration to use and which of its arrays; every
// command that looks at arrays has them.
type sourceFlags struct {
	inputs   []config.Input
	backends []string
	simulate bool
	options  *pflag.FlagSet // those of [poolcast], by flag name
}

// add puts the flags on a command and on its subcommands. Each option of
// [poolcast] is a flag of the same name, so that there is one list of them.
func (f *sourceFlags) add(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.Var(&inputFlag{inputs: &f.inputs}, "config-file", "cinder.conf to read, as cinder-volume's flag of that name; repeatable")
	flags.Var(&inputFlag{inputs: &f.inputs, dir: true}, "config-dir", "folder of *.conf files to read after that; repeatable")
	flags.StringArrayVar(&f.backends, "backend", nil, "look at this backend only, by the name of its stanza; repeatable")
	flags.BoolVar(&f.simulate, "simulate", false, "let the embedded simulator answer for every array")
	f.options = pflag.NewFlagSet("poolcast", pflag.ContinueOnError)
	for _, o := range config.AgentOptions() {
		name := strings.ReplaceAll(o.Name, "_", "-")
		if o.Kind == config.Bool {
			f.options.Bool(name, o.Default == "true", o.Help)
			continue
		}
		if len(o.Choices) > 0 {
			f.options.Var(&word{choices: o.Choices}, name, o.Help)
		} else {
			f.options.String(name, "", o.Help)
		}
		f.options.Lookup(name).DefValue = o.Default
	}
	flags.AddFlagSet(f.options)
	f.options.VisitAll(func(flag *pflag.Flag) {
		if w, ok := flag.Value.(*word); ok {
			_ = cmd.RegisterFlagCompletionFunc(flag.Name, cobra.FixedCompletions(w.choices, cobra.ShellCompDirectiveNoFileComp))
		}
	})
}

// word is an option of [poolcast] that takes one of a few words. Which are
// allowed is checked with the rest of the configuration.
type word struct {
	value   string
	choices []string
}

func (w *word) String() string     { return w.value }
func (w *word) Type() string       { return strings.Join(w.choices, "|") }
func (w *word) Set(s string) error { w.value = s; return nil }

// given returns the options of [poolcast] that were set on the command line,
// under their names in the file.
func (f *sourceFlags) given() map[string]string {
	given := map[string]string{}
	f.options.VisitAll(func(flag *pflag.Flag) {
		if flag.Changed {
			given[strings.ReplaceAll(flag.Name, "-", "_")] = flag.Value.String()
		}
	})
	return given
}

// inputFlag keeps --config-file and --config-dir in the order in which they
// were given, which is the order in which they are read.
type inputFlag struct {
	inputs *[]config.Input
	dir    bool
}

func (f *inputFlag) String() string { return "" }

func (f *inputFlag) Type() string {
	if f.dir {
		return "folder"
	}
	return "file"
}

func (f *inputFlag) Set(path string) error {
	*f.inputs = append(*f.inputs, config.Input{Path: path, Dir: f.dir})
	return nil
}
