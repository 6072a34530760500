package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/check"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/input"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/config"
)

const checkHelp = `Find configuration problems before they reach the scheduler. Each finding has a
place, the problem, the reason, and what to type. Nothing is changed and nothing
is published.

  configuration  problems of cinder.conf, with file and line
  arrays         whether each can be read, and whether two stanzas are one array
  identity       the names of the backends against those that cinder-volume uses
                 on the message bus; a report under another name is never used
  functions      filter_function and goodness_function, on the present values
  services       with --os-cloud: those disabled, frozen or down, and why
  volume types   from --types or --os-cloud: what fits now, what never will, and
                 which limits on live metrics refuse every array, or soon will
  pools          arrays of one name that differ

poolcast polls the arrays, listens on the message bus until every backend has
reported, for --listen-for at most, and requests the scheduler's list of
backends: those of other hosts and vendors are checked too, and one that reports
and is not listed is a note. With --simulate, or another --source than arrays,
the bus is used only if --listen-for is given.

Exit codes: 0 nothing but notes, 1 warnings, a fault in the section of a backend
while others are served, or something could not be checked, 2 usage, 3 errors.`

// checkFlags are what to check, and with what.
type checkFlags struct {
	*sourceFlags
	reports   reportFlags
	cloud     cloudFlag
	types     string
	listenFor time.Duration
	noBus     bool
	output    string
}

func newCheckCommand(sources *sourceFlags) *cobra.Command {
	f := &checkFlags{sourceFlags: sources}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Find what will go wrong: configuration, names, functions, volume types",
		Long:  checkHelp,
		Example: `  poolcast check
  openstack volume type list --long -f json > types.json
  poolcast check --types types.json
  poolcast check --os-cloud prod
  poolcast check --no-bus --output json
  poolcast check --simulate --config-file examples/cinder.conf`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.reports.add(cmd)
	f.reports.addZones(cmd)
	cmd.Flags().StringVar(&f.types, "types", "", "`file` of volume types to check: the output of openstack volume type list --long -f json")
	f.cloud.add(cmd)
	cmd.Flags().DurationVar(&f.listenFor, "listen-for", 0, "longest `duration` of listening for cinder-volume on the bus; by default two and a quarter of the time between its reports")
	cmd.Flags().BoolVar(&f.noBus, "no-bus", false, "do not listen on the message bus")
	cmd.MarkFlagsMutuallyExclusive("listen-for", "no-bus")
	_ = cmd.MarkFlagFilename("types", "json")
	outputFlag(cmd, &f.output, "table", "wide", "json")
	return cmd
}

func (f *checkFlags) run(cmd *cobra.Command) error {
	if f.listenFor < 0 {
		return exit.With(exit.Usage, fmt.Errorf("--listen-for %s: want a positive time", f.listenFor))
	}
	types, err := input.VolumeTypes(f.types)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	catalogue, err := f.cloud.read(cmd, nil)
	if err != nil {
		return err
	}
	o := check.Options{
		Source: f.source(), Types: types, TypesFlag: f.cloud.typesFlag(f.types), Cloud: catalogue, ListenFor: f.listenFor, NoBus: f.noBus, Screen: text.ScreenOf(cmd.ErrOrStderr()),
		Listening: func(longest time.Duration) {
			cmd.PrintErrf("listening for cinder-volume on the bus for up to %s; --no-bus skips that\n", longest)
		},
	}
	f.reports.services = catalogue.BackendZones()
	finder, err := f.reports.finder(cmd, f.sourceFlags, nil)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	o.Zones = finder.Zones
	if f.reports.given() {
		o.Find = func(ctx context.Context, cfg *config.Config) (*backends.Set, error) {
			finder.Config = cfg
			return finder.Find(ctx)
		}
	}
	result, err := check.Run(cmd.Context(), o)
	if err != nil {
		return err
	}
	if err := render.Findings(cmd.OutOrStdout(), f.output, result); err != nil {
		return fmt.Errorf("print findings: %w", err)
	}
	return result.Verdict()
}
