package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/check"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/input"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
)

const diffHelp = `Show what poolcast would change: each key of its report beside that of
cinder-volume's last report (the base report), which keys it would overlay, and
which decisions of the scheduler would change. Nothing is published.

The reports of poolcast are those of the arrays, polled now; of the agent of
this host or of --agent; or of a saved dry run (--source FILE).

The base reports are received on the message bus, within --wait, or read from a
file (--base), which may be any of

  a saved poolcast --dry-run, made before a change
  the scheduler's pools as the API gives them, {"pools": [{"name",
    "capabilities"}]}, from before poolcast was started: an overlay is not a
    base report, and is refused
  a JSON object of capabilities by host: {"ctl1@flasharray_x_01": {…}}
  openstack volume backend pool list --long -f json, which has a few keys only:
    these are compared, and the effect is not computed

Measured keys are overlaid. A key that the scheduler computes with and
cinder-volume does not send is not added, unless fix_provisioned_capacity is on;
extra_capabilities and options come from the base report. Where a running agent
would suspend the overlay, as after a failover, the cause is shown and nothing
is overlaid. Without a base report nothing is published, unless overlay is off.

Exit codes: 0 fine, 1 some backend was not read or has no base, 2 usage,
3 configuration.`

// diffFlags are what to compare, and with what.
type diffFlags struct {
	*sourceFlags
	reports reportFlags
	base    string
	wait    time.Duration
	types   string
	size    int64
	output  string
}

func newDiffCommand(sources *sourceFlags) *cobra.Command {
	f := &diffFlags{sourceFlags: sources}
	cmd := &cobra.Command{
		Use:   "diff",
		Short: "Show what poolcast would change of cinder-volume's reports, and its effect",
		Long:  diffHelp,
		Example: `  poolcast diff
  poolcast diff --fix-provisioned-capacity --types types.json --size 500
  poolcast diff --base before.json --output json
  poolcast diff --source agent`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.reports.add(cmd)
	cmd.Flags().StringVar(&f.base, "base", "", "`file` with reports or pools to compare with, as JSON, instead of listening; - reads standard input")
	cmd.Flags().DurationVar(&f.wait, "wait", 0, "longest `duration` of listening for cinder-volume; by default two and a quarter of the time between its reports")
	cmd.Flags().StringVar(&f.types, "types", "", "`file` of volume types to compare decisions on: the output of openstack volume type list --long -f json")
	cmd.Flags().Int64Var(&f.size, "size", 1, "size of the volume to decide on, in `GiB`")
	cmd.MarkFlagsMutuallyExclusive("base", "wait")
	_ = cmd.MarkFlagFilename("base", "json")
	_ = cmd.MarkFlagFilename("types", "json")
	outputFlag(cmd, &f.output, "table", "wide", "json")
	return cmd
}

func (f *diffFlags) run(cmd *cobra.Command) error {
	if err := f.validate(); err != nil {
		return exit.With(exit.Usage, err)
	}
	types, err := input.VolumeTypes(f.types)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	cfg, err := f.load()
	if err != nil {
		return err
	}
	bases, err := f.savedBases(cmd)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	finder, err := f.reports.finder(cmd, f.sourceFlags, cfg)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	set, polled := finder.Measured(cmd.Context())
	if set == nil {
		return polled
	}
	reports := set.Reports
	if f.reports.given() {
		reports = check.WithLiveKeys(reports, cfg)
	}
	if bases == nil {
		if bases, err = f.receiveBases(cmd, cfg, reports); err != nil {
			return err
		}
	}
	d, err := check.Diff(cfg, reports, bases, types, f.size)
	if err != nil {
		return err
	}
	if err := render.Difference(cmd.OutOrStdout(), f.output, d); err != nil {
		return fmt.Errorf("print differences: %w", err)
	}
	return errors.Join(polled, d.Incomplete())
}

func (f *diffFlags) validate() error {
	switch {
	case f.size < 1:
		return fmt.Errorf("--size %d: want a whole number of GiB, 1 or more", f.size)
	case f.wait < 0:
		return fmt.Errorf("--wait %s: want a positive time", f.wait)
	case f.base == "-" && f.reports.source == "-":
		return errors.New("--base and --source cannot both read standard input")
	}
	return nil
}

// savedBases reads the file of --base; nil if there is none.
func (f *diffFlags) savedBases(cmd *cobra.Command) (*check.Bases, error) {
	if f.base == "" {
		return nil, nil
	}
	data, err := input.Read(cmd.Context(), cmd.InOrStdin(), f.base)
	if err != nil {
		return nil, fmt.Errorf("read base: %w", err)
	}
	bases, err := check.ParseBases(data)
	if err != nil {
		return nil, fmt.Errorf("read base from %s: %w; poolcast diff --help lists the forms", f.base, err)
	}
	return bases, nil
}

func (f *diffFlags) receiveBases(cmd *cobra.Command, cfg *config.Config, reports []capability.Report) (*check.Bases, error) {
	longest := f.wait
	if longest == 0 {
		longest = cfg.ReportInterval() * 9 / 4
	}
	cmd.PrintErrf("listening for cinder-volume on the bus for up to %s; --base FILE compares with a saved report\n", longest)
	return check.ReceiveBases(cmd.Context(), cfg, reports, longest, text.ScreenOf(cmd.ErrOrStderr()))
}
