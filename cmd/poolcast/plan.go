package main

import (
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/migration"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/plan"
)

const planHelp = `Plan migrations that even a logical pool, or that empty an array before
maintenance. poolcast migrates nothing: it prints the commands.

How full an array is, is the greater of its used space and of what is
provisioned as a share of what the scheduler permits. With --evacuate all moves
are mandatory and empty these arrays. Otherwise mandatory moves relieve arrays
that are fuller than --full, and optional moves even arrays that are apart by
more than --difference, while each takes away at least --least-gain of that.
None of them makes the fullest array fuller or the spread greater, and an
optional one never goes to an array with more load than --max-load. No array
becomes fuller than --full.

Between FlashArrays a migration is a copy of the whole volume by a host: by
cinder-volume if it is available, by Nova if it is in use. So the move with the
greatest gain for its copy comes first. Each is decided as cinder-api and the
scheduler would; a volume that they refuse to migrate is listed with the reason:
it has snapshots, is in a group, is replicated, or its type fits no other array.

The cloud is a name in clouds.yaml, of --os-cloud or of the environment variable
OS_CLOUD. Its volumes are only read, and so is their space on the arrays of this
configuration. A file is no source here: a plan needs the reports of now.

` + sourceHelp + `

Exit codes: 0 the plan is complete, 4 a volume of an array of --evacuate cannot
be moved.`

// planFlags are the cloud, the reports, and which moves are worth their copy.
type planFlags struct {
	*sourceFlags
	cloud   cloudFlag
	reports reportFlags
	request migration.Request
	full    int64
	apart   int64
	gain    int64
	output  string
}

func newPlanCommand(sources *sourceFlags) *cobra.Command {
	f := &planFlags{sourceFlags: sources, request: migration.Request{Options: plan.Defaults()}}
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Plan migrations that even a pool or empty an array",
		Long:  planHelp,
		Example: `  poolcast plan --os-cloud prod
  poolcast plan --os-cloud prod --pool pure_performance --difference 10
  poolcast plan --os-cloud prod --evacuate flasharray_x_01
  poolcast plan --os-cloud prod --evacuate flasharray_x_01 -o commands`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.cloud.add(cmd)
	f.reports.add(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.request.Empty, "evacuate", nil, "empty this `backend`; repeatable")
	flags.StringVar(&f.request.Pool, "pool", "", "only the logical pools of this volume_backend_`name`")
	flags.StringVar(&f.request.Zone, "availability-zone", "", "only the logical pools of this availability `zone`")
	flags.Int64Var(&f.full, "full", percentOf(f.request.Full), "how full an array may become, in `percent`")
	flags.Int64Var(&f.apart, "difference", percentOf(f.request.Difference), "how far two arrays may be apart, in `points`")
	flags.Int64Var(&f.gain, "least-gain", percentOf(f.request.LeastGain), "how much of the difference an optional move must take away, in `percent`")
	flags.Int64Var(&f.request.Load, "max-load", f.request.Load, "highest load with which an array takes optional moves, in `percent`")
	flags.IntVar(&f.request.MaxEvening, "max-moves", f.request.MaxEvening, "highest `number` of optional moves")
	outputFlag(cmd, &f.output, "table", "wide", "json", "commands")
	return cmd
}

func percentOf(share float64) int64 { return int64(math.Round(share * 100)) }

func (f *planFlags) run(cmd *cobra.Command) error {
	if err := f.check(); err != nil {
		return exit.With(exit.Usage, err)
	}
	runtime, err := f.open(cmd)
	if err != nil {
		return err
	}
	defer runtime.Close()
	facts, err := f.read(cmd)
	if err != nil {
		return err
	}
	f.reports.services = facts.Catalogue.BackendZones()
	set, polled := f.reports.get(cmd, f.sourceFlags, runtime.Config)
	if set == nil {
		return polled
	}
	reading := progress(cmd, "reading the space of each volume from the arrays")
	space, unread := migration.ReadSpace(cmd.Context(), runtime.Targets)
	reading.Stop()
	planning := progress(cmd, "deciding on each move")
	result, err := migration.Make(f.request, facts, space, withCatalogue(runtime.Config, set, facts.Catalogue))
	planning.Stop()
	if err != nil {
		return exit.With(exit.Usage, explainMissing(err, f.request.Empty, set))
	}
	if err := render.Plan(cmd.OutOrStdout(), f.output, result); err != nil {
		return fmt.Errorf("print plan: %w", err)
	}
	if n := result.Incomplete(); n > 0 {
		return exit.With(exit.NoFit, fmt.Errorf("%s cannot be moved off; the reasons are above", format.Count(n, "volume")))
	}
	return errors.Join(polled, exit.With(exit.Partial, unread))
}

// check reads the flags that are percentages.
func (f *planFlags) check() error {
	if err := f.cloud.require(); err != nil {
		return err
	}
	for _, p := range []struct {
		flag  string
		value int64
	}{{"--full", f.full}, {"--difference", f.apart}, {"--least-gain", f.gain}, {"--max-load", f.request.Load}} {
		if p.value < 0 || p.value > 100 {
			return fmt.Errorf("%s %d: want a percentage, 0 to 100", p.flag, p.value)
		}
	}
	switch {
	case f.request.MaxEvening < 0:
		return fmt.Errorf("--max-moves %d: want 0 or more", f.request.MaxEvening)
	case f.reports.source != "" && f.reports.isFile():
		return fmt.Errorf("--source %s: a plan needs the reports of now: %s, %s or %s", f.reports.source, backends.Agent, backends.Scheduler, backends.Arrays)
	}
	f.request.Cloud = f.cloud.name
	f.request.Full, f.request.Difference, f.request.LeastGain = float64(f.full)/100, float64(f.apart)/100, float64(f.gain)/100
	return nil
}

func (f *planFlags) read(cmd *cobra.Command) (*migration.Facts, error) {
	client, err := f.cloud.connect(cmd)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	defer progress(cmd, "reading the volumes of the cloud "+f.cloud.name).Stop()
	return migration.Read(cmd.Context(), client)
}
