package main

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/input"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
)

// placeFlags are what to place, on which reports, and how.
type placeFlags struct {
	*sourceFlags
	volume  input.Volume
	reports reportFlags
	count   int
	policy  string
	seed    uint64
	output  string
}

const placeHelp = `Show which backend would get a volume, why that one, and why not the others.

The filters, weighers and multipliers are those of cinder.conf, and the decision
is the one that the scheduler would make on these reports. With --policy prefer,
conditions on live metrics are preferences: if no backend meets them, they are
relaxed, the weighers decide, and the output lists them. Cinder has no such
policy.

` + sourceHelp

func newPlaceCommand(sources *sourceFlags) *cobra.Command {
	f := &placeFlags{sourceFlags: sources}
	cmd := &cobra.Command{
		Use:   "place --size GIB",
		Short: "Explain where a volume would go",
		Long:  placeHelp,
		Example: `  poolcast place --size 100 --property volume_backend_name=pure_performance
  poolcast place --size 100 --property capabilities:total_volumes='<= 800' --policy prefer
  openstack volume type list --long -f json > types.json
  poolcast place --size 100 --types types.json --type gold --availability-zone dc1
  poolcast place --size 100 --source scheduler --backend-zone ctl2@lvm=dc2
  poolcast --dry-run > reports.json; poolcast place --size 100 --source reports.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	addVolume(cmd, &f.volume)
	f.reports.add(cmd)
	f.reports.addZones(cmd)
	f.reports.addRelease(cmd)
	cmd.Flags().IntVar(&f.count, "count", 1, "place this many volumes one after the other, each using up capacity")
	policyFlag(cmd, &f.policy)
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "seed for what is random, such as ChanceWeigher; 0 draws one")
	outputFlag(cmd, &f.output, "table", "json")
	return cmd
}

func policyFlag(cmd *cobra.Command, policy *string) {
	choices := []string{"strict", "prefer"}
	*policy = choices[0]
	cmd.Flags().Var(&choice{value: policy, choices: choices}, "policy", "strict: as Cinder decides; prefer: conditions on live metrics are preferences")
	_ = cmd.RegisterFlagCompletionFunc("policy", cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
}

func (f *placeFlags) run(cmd *cobra.Command) error {
	if f.count < 1 || f.count > 10000 {
		return exit.With(exit.Usage, fmt.Errorf("--count %d: want 1 to 10000", f.count))
	}
	request, notes, err := f.volume.Request()
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	for _, note := range notes {
		cmd.PrintErrln("warning:", text.Printable(note))
	}
	cfg, err := f.load()
	if err != nil {
		return err
	}
	if decision.Draws(cfg.Scheduler) {
		request.RandomSeed = cmp.Or(f.seed, rand.Uint64())
	}
	set, polled := f.reports.get(cmd, f.sourceFlags, cfg)
	if set == nil {
		return polled
	}
	answer, err := decision.NewCloud(cfg, set).Place(request, f.count, f.policy)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	if err := render.Answer(cmd.OutOrStdout(), f.output, answer); err != nil {
		return fmt.Errorf("print decision: %w", err)
	}
	if answer.Last().Chosen == nil {
		return exit.With(exit.NoFit, errors.New("no backend fits; the reasons are above"))
	}
	return polled
}
