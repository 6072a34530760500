package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/input"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/rehearsal"
	"github.com/poolcast/poolcast/config"
)

// sourceFlags are the configuration to use and which of its arrays.
type sourceFlags struct {
	inputs   []config.Input
	backends []string
	simulate bool
	options  *pflag.FlagSet // those of [poolcast] that the command uses, by flag name
}

// withSource adds the source flags to a command, and a flag for each option of
// [poolcast] that it uses.
func withSource(newCommand func(*sourceFlags) *cobra.Command, options ...string) *cobra.Command {
	f := &sourceFlags{}
	cmd := newCommand(f)
	f.addInputs(cmd)
	f.addArrays(cmd)
	f.addOptions(cmd, func(o config.Option) bool { return slices.Contains(options, o.Name) })
	completeTypes(cmd)
	if cmd.Flags().Lookup("settings") != nil {
		var names []string
		for _, s := range (rehearsal.Catalogue{}).Settings() {
			names = append(names, s.Name)
		}
		completeWords(cmd, "settings", names)
	}
	return cmd
}

// addAll adds the source flags and a flag for every option of [poolcast].
func (f *sourceFlags) addAll(cmd *cobra.Command) {
	f.addInputs(cmd)
	f.addArrays(cmd)
	f.addOptions(cmd, func(config.Option) bool { return true })
}

func (f *sourceFlags) addInputs(cmd *cobra.Command) {
	cmd.Flags().Var(&inputFlag{inputs: &f.inputs}, "config-file", "cinder.conf to read, as cinder-volume's flag of that name; repeatable")
	cmd.Flags().Var(&inputFlag{inputs: &f.inputs, dir: true}, "config-dir", "folder of *.conf files to read after that; repeatable")
	_ = cmd.MarkFlagFilename("config-file", "conf")
	_ = cmd.MarkFlagDirname("config-dir")
}

func (f *sourceFlags) addArrays(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.backends, "backend", nil, "use only the backend whose section has this `name`; repeatable")
	cmd.Flags().BoolVar(&f.simulate, "simulate", false, "read simulated arrays in place of the configured ones")
	f.completeBackends(cmd, "backend")
}

// completeBackends completes a flag with the backends of the configuration.
func (f *sourceFlags) completeBackends(cmd *cobra.Command, flag string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		cfg, err := f.source().Read()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return setup.Names(cfg), cobra.ShellCompDirectiveNoFileComp
	})
}

// addOptions adds flags for options of [poolcast], under the same names, so that
// there is one list of them. Their values are checked with the configuration.
func (f *sourceFlags) addOptions(cmd *cobra.Command, used func(config.Option) bool) {
	f.options = pflag.NewFlagSet("poolcast", pflag.ContinueOnError)
	for _, o := range config.AgentOptions() {
		if !used(o) {
			continue
		}
		name := strings.ReplaceAll(o.Name, "_", "-")
		switch {
		case o.Kind == config.Bool:
			f.options.Bool(name, o.Default == "true", o.Help)
		case len(o.Choices) > 0:
			f.options.Var(&choice{value: new(string), choices: o.Choices, unchecked: true}, name, o.Help)
		default:
			f.options.String(name, "", o.Help)
		}
		f.options.Lookup(name).DefValue = o.Default
	}
	cmd.Flags().AddFlagSet(f.options)
	f.options.VisitAll(func(flag *pflag.Flag) {
		if c, ok := flag.Value.(*choice); ok {
			completeWords(cmd, flag.Name, c.choices)
		}
	})
}

// source is the source that the flags describe.
func (f *sourceFlags) source() setup.Source {
	options := map[string]string{}
	f.options.VisitAll(func(flag *pflag.Flag) {
		if flag.Changed {
			options[strings.ReplaceAll(flag.Name, "-", "_")] = flag.Value.String()
		}
	})
	return setup.Source{Inputs: f.inputs, Backends: f.backends, Simulate: f.simulate, Options: options, Version: version}
}

func (f *sourceFlags) load() (*config.Config, error) { return f.source().Load() }

// loadFor reads the configuration for reports from a source. With a file it is nil if it
// cannot be read.
func (f *sourceFlags) loadFor(reports *reportFlags) (*config.Config, error) {
	if !reports.isFile() {
		return f.load()
	}
	if cfg, err := f.source().Read(); err == nil {
		return cfg, nil
	}
	return nil, nil
}

func (f *sourceFlags) open(cmd *cobra.Command) (*setup.Runtime, error) {
	return setup.Open(f.source(), cmd.ErrOrStderr())
}

// reportFlags are where backends and their reports come from.
type reportFlags struct {
	source    string
	agent     string
	tokenFile string
	caFile    string
	zones     []string
	services  map[string]string // zones of the services of --os-cloud, by backend
	release   int
}

func (f *reportFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.source, "source", "", "`source` of backends and reports: agent, scheduler, arrays, or a file, - for standard input; by default the first that can be used, or arrays with --backend")
	f.addAgent(cmd)
	_ = cmd.RegisterFlagCompletionFunc("source", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{string(backends.Agent), string(backends.Scheduler), string(backends.Arrays)}, cobra.ShellCompDirectiveDefault
	})
}

// addZones adds the flag for what the scheduler's list does not have.
func (f *reportFlags) addZones(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.zones, "backend-zone", nil, "availability zone of a backend of another host, which the scheduler's list lacks, `NAME=ZONE` such as ctl2@lvm=dc2; repeatable")
}

// addRelease adds the flag for polled arrays.
func (f *reportFlags) addRelease(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.release, "release", 0, "make the reports of polled arrays or of a dry run those of the driver of this `release` of Cinder, such as 28; the newest by default")
}

func (f *reportFlags) addAgent(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.agent, "agent", "", "use the agent with this `URL` of its status page, such as http://ctl2:9748, and not that of this host")
	cmd.Flags().StringVar(&f.tokenFile, "agent-token-file", "", "`file` with the bearer token of the agent of --agent")
	cmd.Flags().StringVar(&f.caFile, "agent-ca-file", "", "PEM `file` with the certificates to trust for an https agent, in place of the system's")
}

// sourceHelp is the part of the commands' help about --source.
const sourceHelp = `Backends and their reports come from the first of these that can be used, or
from that of --source; the output names it, its age, and why another was not
used:

  agent      the running agent of this host, or that of --agent: effective
             reports, and the scheduler's list of backends
  scheduler  that list with its reports, over the message bus (transport_url)
  arrays     the arrays of this configuration, polled now
  FILE       a saved poolcast --dry-run, or pools as the API lists them

The list has the backends that count, of every host and vendor: a service that
is disabled, frozen or down is not in it.`

// given reports whether a source was chosen that is not a poll.
func (f *reportFlags) given() bool {
	return f.agent != "" || f.source != "" && f.source != string(backends.Arrays)
}

// isFile reports whether the source is a file.
func (f *reportFlags) isFile() bool {
	return !slices.Contains([]string{"", string(backends.Agent), string(backends.Scheduler), string(backends.Arrays)}, f.source)
}

// get returns the backends and their reports. An error that comes with a set means
// that some backends failed. The configuration may be nil for a file.
func (f *reportFlags) get(cmd *cobra.Command, sources *sourceFlags, cfg *config.Config) (*backends.Set, error) {
	finder, err := f.finder(cmd, sources, cfg)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	return finder.Find(cmd.Context())
}

// finder checks the flags. Its errors are about them.
func (f *reportFlags) finder(cmd *cobra.Command, sources *sourceFlags, cfg *config.Config) (*backends.Finder, error) {
	zones, err := f.backendZones()
	if err != nil {
		return nil, err
	}
	switch {
	case f.agent != "" && f.source != "" && f.source != string(backends.Agent):
		return nil, fmt.Errorf("--agent and --source %s exclude each other", f.source)
	case f.agent == "" && (f.tokenFile != "" || f.caFile != ""):
		return nil, errors.New("--agent-token-file and --agent-ca-file need --agent")
	case f.release < 0:
		return nil, fmt.Errorf("--release %d: want a release of Cinder, such as 28", f.release)
	case f.release > 0 && f.given() && !f.isFile():
		return nil, errors.New("--release is for polled arrays; other reports are those of cinder-volume: use --source arrays")
	}
	source := f.source
	if source == "" && f.agent == "" && len(sources.backends) > 0 {
		source = string(backends.Arrays) // the others cannot leave backends out
	}
	return &backends.Finder{
		Config: cfg, Source: source, Zones: zones, Release: f.release, Simulate: sources.simulate, Screen: text.ScreenOf(cmd.ErrOrStderr()),
		Agent: backends.RunningAgent{URL: f.agent, TokenFile: f.tokenFile, CAFile: f.caFile},
		Poll:  func(context.Context) ([]capability.Report, error) { return sources.poll(cmd) },
		Read: func(ctx context.Context, path string) ([]byte, error) {
			return input.Read(ctx, cmd.InOrStdin(), path)
		},
	}, nil
}

// backendZones reads --backend-zone, which comes before the services of --os-cloud.
func (f *reportFlags) backendZones() (map[string]string, error) {
	zones := map[string]string{}
	maps.Copy(zones, f.services)
	for _, text := range f.zones {
		name, zone, ok := strings.Cut(text, "=")
		name, _, _ = strings.Cut(name, "#")
		if !ok || zone == "" || !strings.Contains(name, "@") {
			return nil, fmt.Errorf("--backend-zone %s: want host@backend=zone, such as ctl2@lvm=dc2", text)
		}
		zones[name] = zone
	}
	return zones, nil
}

// poll reads the arrays once.
func (f *sourceFlags) poll(cmd *cobra.Command) ([]capability.Report, error) {
	runtime, err := f.open(cmd)
	if err != nil {
		return nil, err
	}
	defer runtime.Close()
	return runtime.Poll(cmd.Context())
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

// outputFlag adds --output with the given choices; the first is the default.
func outputFlag(cmd *cobra.Command, value *string, choices ...string) {
	*value = choices[0]
	help := "output format"
	if slices.Contains(choices, "wide") {
		help += "; on a terminal, a table has the columns that fit its width, or that of COLUMNS, and wide has all of them"
	}
	cmd.Flags().VarP(&choice{value: value, choices: choices}, "output", "o", help)
	completeWords(cmd, "output", choices)
}

// choice is a flag that takes one of a few words. Its type, which help shows, lists
// them.
type choice struct {
	value     *string
	choices   []string
	unchecked bool // checked with the rest of the configuration
}

func (c *choice) String() string { return *c.value }
func (c *choice) Type() string   { return strings.Join(c.choices, "|") }

func (c *choice) Set(s string) error {
	if !c.unchecked && !slices.Contains(c.choices, s) {
		return fmt.Errorf("want one of %s", strings.Join(c.choices, ", "))
	}
	*c.value = s
	return nil
}

// addVolume adds the flags that describe a volume to place.
func addVolume(cmd *cobra.Command, v *input.Volume) {
	cmd.Flags().Int64Var(&v.Size, "size", 0, "size of the volume in `GiB`")
	cmd.Flags().StringVar(&v.Zone, "availability-zone", "", "availability `zone` of the request; without one cinder-api chooses")
	cmd.Flags().StringVar(&v.Type, "type", "", "`name` of the volume type in --types or --os-cloud")
	cmd.Flags().StringVar(&v.TypesFile, "types", "", "`file` of volume types: the output of openstack volume type list --long -f json, of openstack volume type show -f json, or a body of the API")
	cmd.Flags().StringArrayVar(&v.Properties, "property", nil, "extra spec of the volume type, `key=value` as the openstack client takes it; repeatable")
	cmd.Flags().StringArrayVar(&v.QoS, "qos", nil, "QoS spec of the type, `key=value`, which functions read as qos.key; repeatable")
	cmd.Flags().StringArrayVar(&v.Hints, "hint", nil, "scheduler hint, `name=value`: same_host and different_host with the backend of a volume, local_to_instance with a compute host, query with JSON; repeatable")
	cmd.Flags().StringArrayVar(&v.Known, "volume-property", nil, "property of the volume, `name=value`, which functions read as volume.name, such as display_name or project_id; repeatable")
	_ = cmd.MarkFlagFilename("types", "json")
}

func completeWords(cmd *cobra.Command, flag string, words []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeTypes completes --type with the names in the file of --types.
func completeTypes(cmd *cobra.Command) {
	if cmd.Flags().Lookup("type") == nil {
		return
	}
	_ = cmd.RegisterFlagCompletionFunc("type", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		types, err := input.VolumeTypes(cmd.Flag("types").Value.String())
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, t := range types {
			names = append(names, t.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}
