package main

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/input"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
	"github.com/poolcast/poolcast/config"
)

// placeFlags are what to place, on which reports, and how.
type placeFlags struct {
	*sourceFlags
	volume  input.Volume
	move    input.Move
	reports reportFlags
	cloud   cloudFlag
	count   int
	policy  string
	seed    uint64
	output  string
}

const placeHelp = `Show which backend would get a volume, why that one, and why not the others: the
decision of the scheduler of cinder.conf, on the request that cinder-api makes.

Without --availability-zone the request has the zones of the type
(RESKEY:availability_zones), else default_availability_zone, else
storage_availability_zone. What cinder-api refuses before it sends the request
to a scheduler is refused here too, and the exit code is 4.

A refused backend is shown with every condition that it does not meet. Those
with "also:" are of later filters, which the scheduler does not run on it. A
filter, weigher or handler that is not Cinder's own is left out and named. Where
the scheduler draws, the output has the chances.

--policy prefer ignores conditions on live metrics if no backend meets them, and
lists them. Cinder has no such policy; poolcast prefer prints settings with
which it decides so.

` + sourceHelp

func newPlaceCommand(sources *sourceFlags) *cobra.Command {
	f := &placeFlags{sourceFlags: sources}
	cmd := &cobra.Command{
		Use:   "place --size GIB",
		Short: "Explain where a volume would go",
		Long:  placeHelp,
		Example: `  poolcast place --size 100 --property volume_backend_name=pure_performance
  poolcast place --size 100 --os-cloud prod --type gold
  openstack volume type list --long -f json > types.json
  poolcast place --size 100 --types types.json --type gold
  poolcast place --size 100 --property capabilities:total_volumes='<= 800'
  poolcast place --extend flasharray_x_01 --from-size 100 --size 200
  poolcast place --migrate-from flasharray_x_01 --to flasharray_x_02 --size 100
  poolcast place --retype-of flasharray_x_01 --size 9 --os-cloud prod --type ssd
  poolcast place --size 100 --source scheduler --backend-zone ctl2@lvm=dc2
  poolcast --dry-run > reports.json
  poolcast place --size 100 --source reports.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	addVolume(cmd, &f.volume)
	addMove(cmd, &f.move)
	f.reports.add(cmd)
	f.cloud.add(cmd)
	f.reports.addZones(cmd)
	f.reports.addRelease(cmd)
	cmd.Flags().IntVar(&f.count, "count", 1, "place this `number` of volumes one after the other, each using up capacity")
	policyFlag(cmd, &f.policy)
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "`seed` for what is random, such as ChanceWeigher; 0 draws one")
	outputFlag(cmd, &f.output, "table", "wide", "json")
	return cmd
}

// addMove adds the flags of requests about a source or a volume that exists.
func addMove(cmd *cobra.Command, m *input.Move) {
	flags := cmd.Flags()
	flags.StringVar(&m.CloneOf, "clone-of", "", "the new volume is a copy of a volume on this `backend`")
	flags.StringVar(&m.SnapshotOf, "snapshot-of", "", "the new volume is made from a snapshot of a volume on this `backend`")
	flags.StringVar(&m.RetypeOf, "retype-of", "", "give a volume on this `backend` the type of --type")
	flags.StringVar(&m.FromType, "from-type", "", "`name` of the present type of the volume of --retype-of")
	policies := []string{volumeapi.Never, volumeapi.OnDemand}
	m.Policy = policies[0]
	flags.Var(&choice{value: &m.Policy, choices: policies}, "migration-policy", "whether --retype-of may migrate the volume")
	completeWords(cmd, "migration-policy", policies)
	flags.StringVar(&m.Extend, "extend", "", "extend a volume on this `backend` from --from-size to --size")
	flags.Int64Var(&m.FromSize, "from-size", 0, "present size of the volume of --extend in `GiB`")
	flags.StringVar(&m.MigrateFrom, "migrate-from", "", "migrate a volume on this `backend` to that of --to")
	flags.StringVar(&m.To, "to", "", "destination `backend` of --migrate-from")
	flags.BoolVar(&m.InUse, "in-use", false, "the volume of --retype-of, --extend or --migrate-from is attached")
}

func policyFlag(cmd *cobra.Command, policy *string) {
	choices := []string{"strict", "prefer"}
	*policy = choices[0]
	cmd.Flags().Var(&choice{value: policy, choices: choices}, "policy", "strict: as Cinder decides; prefer: limits on live metrics are preferences")
	_ = cmd.RegisterFlagCompletionFunc("policy", cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
}

func (f *placeFlags) run(cmd *cobra.Command) error {
	if f.count < 1 || f.count > 10000 {
		return exit.With(exit.Usage, fmt.Errorf("--count %d: want 1 to 10000", f.count))
	}
	catalogue, err := f.cloud.read(cmd, &f.volume)
	if err != nil {
		return err
	}
	f.reports.services = catalogue.BackendZones()
	create, notes, err := f.volume.Create()
	if err = errors.Join(err, f.move.Check(&f.volume)); err != nil {
		return exit.With(exit.Usage, err)
	}
	for _, note := range notes {
		cmd.PrintErrln("warning:", text.Printable(note))
	}
	cfg, err := f.load()
	if err != nil {
		return err
	}
	set, polled := f.reports.get(cmd, f.sourceFlags, cfg)
	if set == nil {
		return polled
	}
	cloud := withCatalogue(cfg, set, catalogue)
	question, err := f.question(cmd, create, set.Reports)
	if err != nil {
		return exit.With(exit.Usage, explainMissing(err, f.move.Backends(), set))
	}
	answer, err := f.ask(cmd, cfg, cloud, question)
	if err != nil {
		return err
	}
	if err := render.Answer(cmd.OutOrStdout(), f.output, answer); err != nil {
		return fmt.Errorf("print decision: %w", err)
	}
	if !answer.Fits() {
		return exit.With(exit.NoFit, noFit(answer, f.nextStep(cloud, question)))
	}
	return polled
}

func (f *placeFlags) ask(cmd *cobra.Command, cfg *config.Config, cloud *decision.Cloud, q decision.Question) (answer *decision.Answer, err error) {
	if decision.Options(cfg.Scheduler).Draws() {
		q.Seed = cmp.Or(f.seed, rand.Uint64())
	}
	if cloud.API.DefaultType, err = f.volume.DefaultType(cfg.API.DefaultType); err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	defer progress(cmd, "deciding on "+format.Count(f.count, "volume")).Stop()
	answer, err = cloud.Ask(q)
	return answer, exit.With(exit.Config, err)
}

// question is what the flags ask, about these backends.
func (f *placeFlags) question(cmd *cobra.Command, create *volumeapi.Create, reports []capability.Report) (decision.Question, error) {
	if err := f.volume.ReadHints(cmd.Context(), create, volumeapi.HintReader{Backends: reports}); err != nil {
		return decision.Question{}, err
	}
	q, err := f.move.Question(&f.volume, create, reports)
	if err == nil && q.Create == nil && f.count > 1 {
		err = fmt.Errorf("--count %d: a volume that exists is one", f.count)
	}
	q.Count, q.Policy = f.count, f.policy
	return q, err
}

// explainMissing adds to an error why the scheduler does not list one of the backends that
// the flags name.
func explainMissing(err error, names []string, set *backends.Set) error {
	for _, name := range names {
		if note := set.MissingNote(name); note != "" {
			return fmt.Errorf("%w. %s The agent of its host has the last report: use --source agent there, or --agent", err, note)
		}
	}
	return err
}

// noFit is the last line of an answer that is no, with the next step.
func noFit(a *decision.Answer, next string) error {
	switch {
	case a.Refusal != nil:
		return errors.New("cinder-api refuses the request; the reason is above")
	case a.Move != nil:
		return errors.New("the scheduler refuses the request; the reason is above")
	}
	return errors.New("no backend fits; the reasons are above" + next)
}

// nextStep is what to do if limits on live metrics are the only reason why no backend
// fits, or "".
func (f *placeFlags) nextStep(cloud *decision.Cloud, q decision.Question) string {
	if !cloud.OnlyLiveLimitsRefuse(q) {
		return ""
	}
	return ". Only limits on live metrics refuse: " + f.preferCommand() + " prints settings with which Cinder prefers arrays under them and refuses none"
}

// preferCommand translates the type of the volume.
func (f *placeFlags) preferCommand() string {
	if f.volume.Type == "" {
		return "poolcast prefer --types FILE"
	}
	return "poolcast prefer " + f.cloud.typesFlag(f.volume.TypesFile) + " --type " + format.ShellQuoted(f.volume.Type)
}
