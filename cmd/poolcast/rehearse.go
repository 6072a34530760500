package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/input"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/rehearsal"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
	"github.com/poolcast/poolcast/config"
)

const rehearseHelp = `Simulate a burst of creates on the reports, under the scheduler's settings and
under others, and show where the volumes would be placed. Nothing is created.

Each scheduler decides by the reports and by its own deductions since, as
Cinder's does; arrays report at every interval. New volumes are empty unless
--fill is given, which is why an automatic over-subscription ratio grows with
each of them.

Settings: current is that of cinder.conf, and each other one differs from it in
one point. fixed-ratio and auto-ratio: max_over_subscription_ratio, and
pure_automatic_max_oversubscription_ratio. capacity, allocated, volume-number,
goodness: that weigher alone. balanced: GoodnessWeigher, and CapacityWeigher
with capacity_weight_multiplier = 0.5. stochastic: that
scheduler_weight_handler. prefer, two-choices, ledger: what only poolcast's own
placement has.

FAILED creates find no backend. SPREAD is how evenly the new volumes are spread
over the arrays, whatever these held before: 100 % is the same number on each,
100/n % all on one of n. EXCESS is the number of volumes above what the arrays
would have if each volume were placed where it left the smallest share
provisioned, so a burst that fills an empty array up has a low SPREAD and no
EXCESS. LOAD EVEN is how evenly operations are spread afterwards. TIES are
decisions between backends of equal weight.

--without takes a backend out, as a disabled service does: new volumes go to the
others, and those that it holds stay. The output has what is placed with and
without it.

--with adds an empty array like that backend, named BACKEND-new: the same labels
and functions, all capacity free, no volumes, no operations and a latency of 0,
as an idle array reports, and max_over_subscription_ratio in place of its
reduction. The output has how many of the volumes it takes, how many in a row
from the first, and the setting of Cinder with which it takes the most equal
share. Both flags together rehearse a replacement.

Exit code 4: under the first setting no create finds a backend.

` + sourceHelp

// rehearseFlags are the burst, the reports and the settings.
type rehearseFlags struct {
	*sourceFlags
	volume   input.Volume
	reports  reportFlags
	cloud    cloudFlag
	burst    rehearsal.Burst
	seed     uint64
	ratio    float64
	goodness string
	settings []string
	without  []string
	with     []string
	output   string
}

func newRehearseCommand(sources *sourceFlags) *cobra.Command {
	f := &rehearseFlags{sourceFlags: sources}
	cmd := &cobra.Command{
		Use:   "rehearse --size GIB",
		Short: "Show where a burst of volumes would be placed, under these settings and others",
		Long:  rehearseHelp,
		Example: `  poolcast rehearse --size 100 --count 200 --rate 5 --schedulers 3
  poolcast rehearse --size 2048 --settings current,fixed-ratio --ratio 10
  poolcast rehearse --size 100 --skew 5s --os-cloud prod --type gold
  poolcast rehearse --size 100 --without flasharray_x_03
  poolcast rehearse --size 100 --with flasharray_x_01 --operations 50
  poolcast --dry-run > reports.json
  poolcast rehearse --size 100 --source reports.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	addVolume(cmd, &f.volume)
	f.reports.add(cmd)
	f.cloud.add(cmd)
	f.reports.addZones(cmd)
	f.reports.addRelease(cmd)
	f.add(cmd)
	outputFlag(cmd, &f.output, "table", "wide", "json")
	return cmd
}

func (f *rehearseFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&f.burst.Count, "count", 40, "`number` of volumes to create")
	flags.Float64Var(&f.burst.Rate, "rate", 1, "creates per `second`")
	flags.DurationVar(&f.burst.Interval, "interval", 0, "time between reports; poll_interval by default")
	flags.IntVar(&f.burst.Schedulers, "schedulers", 1, "`number` of cinder-schedulers that take creates in turn")
	flags.DurationVar(&f.burst.Skew, "skew", 0, "`duration` by which the timestamps of reports are ahead of the schedulers' clocks, such as 3s; less than 0 if they are behind")
	flags.Float64Var(&f.burst.Fill, "fill", 0, "`share` of its size that a new volume fills, between 0 and 1")
	flags.Float64Var(&f.burst.Operations, "operations", 0, "`number` of operations per second that a new volume adds, half of them reads")
	flags.Float64Var(&f.ratio, "ratio", 20, "over-subscription `ratio` of the setting fixed-ratio")
	flags.StringVar(&f.goodness, "goodness", rehearsal.DefaultGoodness, "goodness `function` of backends that report none")
	flags.StringSliceVar(&f.settings, "settings", nil, "`names` of the settings to compare, separated by commas; all by default")
	flags.StringArrayVar(&f.without, "without", nil, "take this `backend` out, a section or host@section; repeatable")
	flags.StringArrayVar(&f.with, "with", nil, "add an empty array like this `backend`; repeatable")
	f.completeBackends(cmd, "without")
	f.completeBackends(cmd, "with")
	flags.Uint64Var(&f.seed, "seed", 1, "`seed` for random settings, such as two-choices")
}

func (f *rehearseFlags) run(cmd *cobra.Command) error {
	catalogue, err := f.cloud.read(cmd, &f.volume)
	if err != nil {
		return err
	}
	f.reports.services = catalogue.BackendZones()
	create, notes, err := f.volume.Create()
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	for _, note := range notes {
		cmd.PrintErrln("warning:", text.Printable(note))
	}
	f.burst.Request = create.Draft()
	cfg, err := f.load()
	if err != nil {
		return err
	}
	settings, err := f.prepare(cfg)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	set, polled := f.reports.get(cmd, f.sourceFlags, cfg)
	if set == nil {
		return polled
	}
	if err := f.request(cmd, withCatalogue(cfg, set, catalogue), cfg, create); err != nil {
		return err
	}
	if slices.ContainsFunc(settings, func(s rehearsal.Setting) bool { return s.Options.Draws() }) {
		f.burst.Request.RandomSeed = f.seed
	}
	return errors.Join(f.rehearse(cmd, cfg, set, settings), polled)
}

// rehearse prints the outcomes of the burst on these backends.
func (f *rehearseFlags) rehearse(cmd *cobra.Command, cfg *config.Config, set *backends.Set, settings []rehearsal.Setting) error {
	engine, err := decision.Engine(cfg.Scheduler, "strict")
	if err != nil {
		return exit.With(exit.Config, err)
	}
	fleet, err := rehearsal.Maintain(set.Candidates(), f.without, f.with, f.emptyRatio(cfg))
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	steps := len(settings)
	if fleet.Changed() {
		steps++ // on all backends
	}
	creates := progress(cmd, "simulating the burst under "+format.Count(len(settings), "setting"))
	defer creates.Stop()
	creates.Set(0, steps*f.burst.Count, "create")
	f.burst.Created = creates.Add
	outcomes, err := rehearsal.Compare(cmd.Context(), fleet.Reports, f.burst, settings)
	if err != nil {
		return fmt.Errorf("rehearse: %w", err)
	}
	change, err := rehearsal.ChangeOf(cmd.Context(), fleet, f.burst, outcomes)
	if err != nil {
		return fmt.Errorf("rehearse on all backends: %w", err)
	}
	creates.Stop()
	assumptions := rehearsal.Assumptions(fleet.Reports)
	for _, note := range decision.NewCloud(cfg, set).LabelNotes(f.burst.Request, fleet.Reports) {
		assumptions = append(assumptions, note+".")
	}
	if err := render.Rehearsal(cmd.OutOrStdout(), f.output, f.burst, render.Assumed{
		Lines: assumptions, LeftOut: engine.LeftOut(), Change: change, Set: set,
	}, outcomes); err != nil {
		return fmt.Errorf("print rehearsal: %w", err)
	}
	if outcomes[0].Placed == 0 {
		return exit.With(exit.NoFit, errors.New("no create finds a backend; the reason is above"))
	}
	return nil
}

// emptyRatio is the over-subscription ratio that the driver reports for an unused array
// with an automatic one: that of the first backend's section, or Cinder's default.
func (f *rehearseFlags) emptyRatio(cfg *config.Config) float64 {
	for _, b := range cfg.Backends {
		if slices.Contains(f.with, b.Stanza) && !b.MaxOverSubscription.Auto {
			return b.MaxOverSubscription.Ratio
		}
	}
	return f.ratio
}

// request sets the request of the burst to what cinder-api makes of it.
func (f *rehearseFlags) request(cmd *cobra.Command, cloud *decision.Cloud, cfg *config.Config, create *volumeapi.Create) error {
	if err := f.volume.ReadHints(cmd.Context(), create, volumeapi.HintReader{Backends: cloud.Backends.Reports}); err != nil {
		return exit.With(exit.Usage, err)
	}
	var err error
	if cloud.API.DefaultType, err = f.volume.DefaultType(cfg.API.DefaultType); err != nil {
		return exit.With(exit.Usage, err)
	}
	request, notes, err := cloud.Request(decision.Question{Create: create})
	if err != nil {
		return exit.With(exit.NoFit, err)
	}
	for _, note := range notes {
		cmd.PrintErrln("note:", text.Printable(note))
	}
	f.burst.Request = request
	return nil
}

// prepare completes the burst and picks the settings. Its errors are about flags.
func (f *rehearseFlags) prepare(cfg *config.Config) ([]rehearsal.Setting, error) {
	if f.burst.Interval == 0 {
		f.burst.Interval = max(cfg.Agent.PollInterval, time.Second)
	}
	if err := f.burst.Check(); err != nil {
		return nil, err
	}
	if f.ratio < 1 {
		return nil, fmt.Errorf("--ratio %g: want 1 or more", f.ratio)
	}
	c := rehearsal.Catalogue{Cloud: decision.Options(cfg.Scheduler), Ratio: f.ratio, Goodness: f.goodness}
	settings, err := c.Pick(f.settings)
	if err != nil {
		return nil, fmt.Errorf("--settings: %w", err)
	}
	return settings, nil
}
