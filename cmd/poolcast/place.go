package main

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
)

// placeFlags say what is to be placed, on which reports, and how.
type placeFlags struct {
	*sourceFlags
	question questionFlags
	reports  reportFlags
	count    int
	policy   string
	seed     uint64
	output   string
}

const placeHelp = `Say which backend would take a volume, why that one, and why not the others.

The filters, weighers and multipliers are those of cinder.conf, and the answer
is Cinder's own: this is what the scheduler would decide on these reports. With
--policy prefer, conditions on live metrics are wishes: if no backend meets them,
they are set aside and the weighers decide, and the answer says so. Cinder has
no such policy.

The reports are polled now, read from a saved dry run (--reports), or asked of
the running agent (--agent), which knows what the scheduler was told last: live
numbers laid over what cinder-volume said.`

func newPlaceCommand(sources *sourceFlags) *cobra.Command {
	f := &placeFlags{sourceFlags: sources, reports: reportFlags{effective: true}}
	cmd := &cobra.Command{
		Use:   "place --size GIB",
		Short: "Explain where a volume would go",
		Long:  placeHelp,
		Example: `  poolcast place --size 100 --property volume_backend_name=pure_performance
  poolcast place --size 100 --property capabilities:total_volumes='<= 800' --policy prefer
  openstack volume type list --long -f json > types.json
  poolcast place --size 100 --types types.json --type gold --availability-zone dc1
  poolcast --dry-run > reports.json; poolcast place --size 100 --reports reports.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.question.add(cmd)
	f.reports.add(cmd)
	cmd.Flags().IntVar(&f.count, "count", 1, "place this many volumes one after the other, each taking its room")
	policyFlag(cmd, &f.policy)
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "seed for what is random, such as ChanceWeigher; 0 draws one")
	outputFlag(cmd, &f.output, "table", "json")
	return cmd
}

func policyFlag(cmd *cobra.Command, policy *string) {
	choices := []string{"strict", "prefer"}
	*policy = choices[0]
	cmd.Flags().Var(&choice{value: policy, choices: choices}, "policy", "strict: as Cinder decides; prefer: conditions on live metrics are wishes")
	_ = cmd.RegisterFlagCompletionFunc("policy", cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
}

func (f *placeFlags) run(cmd *cobra.Command) error {
	if f.count < 1 || f.count > 10000 {
		return withCode(exitUsage, fmt.Errorf("--count %d: want 1 to 10000", f.count))
	}
	request, notes, err := f.question.request()
	if err != nil {
		return withCode(exitUsage, err)
	}
	for _, note := range notes {
		cmd.PrintErrln("warning:", printable(note))
	}
	cfg, err := f.load()
	if err != nil {
		return err
	}
	if draws(cfg.Scheduler) {
		request.RandomSeed = cmp.Or(f.seed, rand.Uint64())
	}
	reports, polled := f.reports.get(cmd, f.sourceFlags)
	if len(reports) == 0 && polled != nil {
		return polled
	}
	engine, err := newEngine(cfg, f.policy)
	if err != nil {
		return withCode(exitConfig, err)
	}
	answers, err := placeMany(engine, cinder.NewSnapshot(reports), request, f.count)
	if err != nil {
		return err
	}
	if err := printAnswers(cmd.OutOrStdout(), f.output, answers, f.policy); err != nil {
		return fmt.Errorf("print answer: %w", err)
	}
	if !answers[len(answers)-1].fits() {
		return withCode(exitNoFit, errors.New("no backend fits; the reasons are above"))
	}
	return polled
}

// draws reports whether anything is left to chance, so that an answer without
// it has no seed and is the same each time.
func draws(s config.Scheduler) bool {
	return isLottery(s) || slices.ContainsFunc(s.Weighers, func(w string) bool {
		return w[strings.LastIndex(w, ".")+1:] == cinder.ChanceWeigher
	})
}

// answer is one decision; none says why nothing fits.
type answer struct {
	request  *cinder.Request
	decision *placement.Decision
	none     error
}

func (a answer) fits() bool { return a.none == nil }

// placeMany places volumes one after the other, each on what the one before
// left. It stops at the first that fits nowhere.
func placeMany(engine *placement.Engine, s *placement.Snapshot, request *cinder.Request, count int) ([]answer, error) {
	var answers []answer
	for i := range count {
		one := *request
		if one.RandomSeed != 0 {
			one.RandomSeed += uint64(i)
		}
		a, err := placeOne(engine, s, &one)
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
		if !a.fits() {
			break
		}
		s = cinder.Consume(s, a.decision.Chosen.Backend, &one)
	}
	return answers, nil
}

func placeOne(engine *placement.Engine, s *placement.Snapshot, request *cinder.Request) (answer, error) {
	d, err := engine.Decide(s, request)
	if errors.Is(err, placement.ErrNoPool) {
		return answer{request: request, decision: d, none: err}, nil
	}
	if err != nil {
		return answer{}, fmt.Errorf("decide: %w", err)
	}
	return answer{request: request, decision: d}, nil
}
