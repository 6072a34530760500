package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/input"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/fallback"
)

// preferFlags are the types to translate, and on which reports to check the result.
type preferFlags struct {
	*sourceFlags
	reports  reportFlags
	cloud    cloudFlag
	types    string
	names    []string
	size     int64
	separate bool
	replace  bool
	output   string
}

const preferHelp = `Print settings with which the Cinder scheduler prefers arrays under the limits
of a volume type, and refuses none.

A condition of a type on a live metric, such as total_volumes <= 800, is
enforced by CapabilitiesFilter: if every array is above the limit, no volume can
be created. The settings are a goodness_function for each backend, the weighers
and multipliers of the scheduler, and the types without the conditions. Arrays
under the limits then get volumes first. If several are, or none is, the other
weighers decide. Capacity still refuses.

Nothing is changed. Decisions are made with the settings on the present reports
and on constructed ones. If one is not as wanted, or a condition cannot be
translated, the output says so and the exit code is 1.

With --os-cloud the types and the services are read from the APIs of the cloud.

A goodness_function counts for every type whose volumes can be on the backend.
Types with different conditions are distinguished by an extra spec, which is
added if necessary. A present goodness_function is kept as a tenth of the score.

` + sourceHelp

func newPreferCommand(sources *sourceFlags) *cobra.Command {
	f := &preferFlags{sourceFlags: sources}
	cmd := &cobra.Command{
		Use:   "prefer {--types FILE | --os-cloud NAME}",
		Short: "Print settings with which Cinder prefers arrays under a type's limits",
		Long:  preferHelp,
		Example: `  openstack volume type list --long -f json > types.json
  poolcast prefer --types types.json
  poolcast prefer --types types.json --type gold --size 500
  poolcast prefer --types types.json --type gold --separate
  poolcast prefer --os-cloud prod --type gold
  poolcast prefer --types types.json --source reports.json --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.reports.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.types, "types", "", "`file` of volume types: the output of openstack volume type list --long -f json")
	flags.StringArrayVar(&f.names, "type", nil, "`name` of a type to translate; repeatable; by default all that have conditions on live metrics")
	flags.Int64Var(&f.size, "size", 1, "size in `GiB` of the volumes with which the settings are checked")
	flags.BoolVar(&f.separate, "separate", false, "let only volumes of the translated types prefer arrays, by an extra spec")
	flags.BoolVar(&f.replace, "replace", false, "drop the present goodness_function of the backends, which is kept otherwise")
	_ = cmd.MarkFlagFilename("types", "json")
	f.cloud.add(cmd)
	cmd.MarkFlagsOneRequired("types", "os-cloud")
	outputFlag(cmd, &f.output, "table", "wide", "json")
	return cmd
}

func (f *preferFlags) run(cmd *cobra.Command) error {
	if f.size < 1 {
		return exit.With(exit.Usage, fmt.Errorf("--size %d: want a whole number of GiB, 1 or more", f.size))
	}
	types, catalogue, err := f.read(cmd)
	if err != nil {
		return err
	}
	cfg, err := f.load()
	if err != nil {
		return err
	}
	set, polled := f.reports.get(cmd, f.sourceFlags, cfg)
	if set == nil {
		return polled
	}
	set.ApplyServices(catalogue.Services)
	deciding := progress(cmd, "checking decisions with the settings")
	plan, err := fallback.Make(fallback.Cloud{
		Types: types, Names: f.names, Size: f.size, Separate: f.separate, Replace: f.replace,
		Reports: backends.WithPresentFunctions(cfg, set.Reports), Unlisted: set.Unlisted, Options: decision.Options(cfg.Scheduler),
	})
	deciding.Stop()
	switch {
	case errors.Is(err, fallback.ErrNothing):
		return exit.With(exit.Usage, fmt.Errorf("%s: %w; there is nothing to translate", f.typesName(), err))
	case errors.Is(err, fallback.ErrUnknown):
		return exit.With(exit.Usage, fmt.Errorf("--type: %w", err))
	case err != nil:
		return exit.With(exit.Config, fmt.Errorf("translate the types of %s: %w", f.typesName(), err))
	}
	plan.Limits = append(plan.Limits, set.WithoutReport(cfg)...)
	plan.Limits = append(plan.Limits, decision.PreferenceLabels(set.Candidates(), types, plan)...)
	if err := render.Preference(cmd.OutOrStdout(), f.output, cfg, plan, set); err != nil {
		return fmt.Errorf("print settings: %w", err)
	}
	if !plan.Holds() {
		return errors.New("the settings do not hold; the reasons are above")
	}
	return polled
}

// read reads the volume types, those of the cloud with its services.
func (f *preferFlags) read(cmd *cobra.Command) ([]cinder.VolumeType, *openstack.Catalogue, error) {
	types, err := input.VolumeTypes(f.types)
	if err != nil {
		return nil, nil, exit.With(exit.Usage, err)
	}
	catalogue, err := f.cloud.read(cmd, nil)
	if err != nil {
		return nil, nil, err
	}
	f.reports.services = catalogue.BackendZones()
	return append(types, catalogue.PlacementTypes()...), catalogue, nil
}

// typesName is where the types come from.
func (f *preferFlags) typesName() string {
	if f.cloud.name != "" {
		return "cloud " + f.cloud.name
	}
	return f.types
}
