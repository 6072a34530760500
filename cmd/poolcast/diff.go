package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
)

const diffHelp = `Show what poolcast would change: each key of its report against what
cinder-volume said last, which of them it would lay over that, and what the
scheduler would then decide otherwise. Nothing is published.

What cinder-volume said is heard on the message bus, within --wait, or read from
a file (--base), which may be any of

  a saved poolcast --dry-run, made before a change
  the scheduler's pools as the API gives them: {"pools": [{"name", "capabilities"}]}
  a JSON object of capabilities by host: {"ctl1@flasharray_x_01": {…}}
  openstack volume backend pool list --long -f json, which has a few keys only:
    these are compared, and the effect is not computed

A key is laid over when it is measured. A key that the scheduler computes with
and cinder-volume does not send is never added, unless fix_provisioned_capacity
asks for it; extra_capabilities and options come from cinder-volume's own report.
Where a running agent would suspend the overlay, as after a failover, the cause is
named and nothing is laid over. Without a report of cinder-volume nothing is sent,
unless overlay is off.

Exit codes: 0 fine, 1 some backend was not read or has no base, 2 usage,
3 configuration.`

// diffFlags say what to compare with what.
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
  poolcast diff --agent http://127.0.0.1:9748`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.reports.add(cmd)
	cmd.Flags().StringVar(&f.base, "base", "", "saved reports or pools to compare with, as JSON, instead of listening; - reads standard input")
	cmd.Flags().DurationVar(&f.wait, "wait", 0, "longest to listen for cinder-volume; a quarter more than two of backend_stats_polling_interval if it is missing")
	cmd.Flags().StringVar(&f.types, "types", "", "volume types to compare decisions on: the output of openstack volume type list --long -f json")
	cmd.Flags().Int64Var(&f.size, "size", 1, "size of the volume to decide about, in GiB")
	cmd.MarkFlagsMutuallyExclusive("base", "wait")
	_ = cmd.MarkFlagFilename("base", "json")
	_ = cmd.MarkFlagFilename("types", "json")
	outputFlag(cmd, &f.output, "table", "json")
	return cmd
}

func (f *diffFlags) run(cmd *cobra.Command) error {
	types, err := f.check()
	if err != nil {
		return withCode(exitUsage, err)
	}
	cfg, err := f.load()
	if err != nil {
		return err
	}
	bases, err := f.saved(cmd)
	if err != nil {
		return withCode(exitUsage, err)
	}
	reports, polled := f.reports.get(cmd, f.sourceFlags)
	if len(reports) == 0 && polled != nil {
		return polled
	}
	if f.reports.given() {
		reports = withLiveKeys(reports, cfg)
	}
	if f.base == "" {
		if bases, err = f.heard(cmd, cfg, reports); err != nil {
			return err
		}
	}
	d, err := f.compare(cfg, reports, bases, types)
	if err != nil {
		return err
	}
	if err := d.print(cmd.OutOrStdout(), f.output); err != nil {
		return fmt.Errorf("print differences: %w", err)
	}
	return errors.Join(polled, d.unheard())
}

func (f *diffFlags) check() ([]cinder.VolumeType, error) {
	if f.size < 1 {
		return nil, fmt.Errorf("--size %d: want a whole number of GiB, 1 or more", f.size)
	}
	if f.wait < 0 {
		return nil, fmt.Errorf("--wait %s: want a positive time", f.wait)
	}
	if f.base == "-" && f.reports.file == "-" {
		return nil, errors.New("--base and --reports cannot both read standard input")
	}
	if f.types == "" {
		return nil, nil
	}
	return readVolumeTypes(f.types)
}

func (f *diffFlags) saved(cmd *cobra.Command) (baseSet, error) {
	if f.base == "" {
		return baseSet{}, nil
	}
	return readBases(cmd.Context(), cmd.InOrStdin(), f.base)
}

// heard listens on the bus.
func (f *diffFlags) heard(cmd *cobra.Command, cfg *config.Config, reports []capability.Report) (baseSet, error) {
	bound := f.wait
	if bound == 0 {
		bound = cfg.ReportInterval * 9 / 4
	}
	cmd.PrintErrf("listening for cinder-volume on the bus for up to %s; --base FILE compares with a saved report\n", bound)
	h, err := listenToBus(cmd.Context(), cfg, reports, bound)
	if err != nil {
		return baseSet{}, err
	}
	if len(h.bases) == 0 {
		return baseSet{}, fmt.Errorf("nothing was heard of cinder-volume in %s: %s; poolcast check compares the names, --base FILE needs no bus",
			h.took.Round(time.Second), sessionText(h.session))
	}
	bases := baseSet{sets: map[string]capability.Set{}}
	for identity, b := range h.bases {
		bases.sets[identity] = b.Capabilities
	}
	bases.backends = h.backends
	return bases, nil
}

// sessionText says how the bus is, for people.
func sessionText(s publisher.Session) string {
	switch s.State {
	case publisher.Connecting:
		return strings.TrimSuffix("no broker answers: "+s.Detail, ": ")
	case publisher.NoExchange:
		return "the exchange cinder-scheduler_fanout does not exist, so no scheduler runs"
	case publisher.NoScheduler:
		return "no scheduler runs"
	}
	return "the scheduler runs, and no cinder-volume reported"
}

// difference is everything there is to say.
type difference struct {
	backends []backendDiff
	effects  []advice.Effect
	partial  bool // the bases are too poor for an effect
}

// suspension is why an agent would send nothing over a base.
type suspension struct {
	Cause  publisher.Cause `json:"cause"`
	Detail string          `json:"detail"`
}

// backendDiff is one backend.
type backendDiff struct {
	Host    string `json:"host"`
	Backend string `json:"backend"`
	Heard   bool   `json:"heard"` // whether there is a base
	// Complete is whether a report would be sent without a base.
	Complete  bool               `json:"complete"`
	Suspended *suspension        `json:"suspended"` // null if it is not
	Changes   []advice.KeyChange `json:"changes"`
	Before    *float64           `json:"virtual_free_before"` // GiB
	After     *float64           `json:"virtual_free_after"`
}

func (f *diffFlags) compare(cfg *config.Config, reports []capability.Report, bases baseSet, types []cinder.VolumeType) (*difference, error) {
	d := &difference{partial: bases.partial}
	var before, after []capability.Report
	for _, r := range reports {
		base, heard := bases.sets[r.Identity()]
		b := backendDiff{
			Host: r.Identity(), Backend: r.Backend, Heard: heard, Changes: []advice.KeyChange{},
			Suspended: bases.judge(cfg.Agent.Overlay, r),
		}
		b.Complete = !heard && b.Suspended == nil && !cfg.Agent.Overlay
		was, will := r, r
		was.Capabilities, will.Capabilities = base, b.effective(base, r, cfg.Agent.FixProvisionedCapacity)
		if heard {
			b.Changes = advice.CompareKeys(base, r.Capabilities, will.Capabilities, bases.partial)
			b.Before = virtualOf(was)
			before = append(before, was)
		}
		if heard || b.Complete {
			after = append(after, will)
			if !bases.partial {
				b.After = virtualOf(will)
			}
		}
		d.backends = append(d.backends, b)
	}
	if bases.partial {
		return d, nil
	}
	engine, err := newEngine(cfg, "strict")
	if err != nil {
		return nil, withCode(exitConfig, err)
	}
	d.effects, err = advice.Effects(engine, before, after, questions(reports, types, f.size))
	return d, err
}

// effective is what the scheduler would hold.
func (b *backendDiff) effective(base capability.Set, r capability.Report, fixProvisioned bool) capability.Set {
	switch {
	case b.Suspended != nil:
		return base
	case b.Complete:
		return r.Capabilities
	}
	return publisher.Overlay(base, r, fixProvisioned)
}

// judge applies the agent's own rules: nil if it would send a report.
func (s *baseSet) judge(overlay bool, r capability.Report) *suspension {
	if b := s.backends[r.Identity()]; b.Cause == publisher.UnreadableBase {
		return &suspension{b.Cause, b.Detail}
	}
	base, heard := s.sets[r.Identity()]
	if !heard {
		return nil
	}
	if !overlay {
		return &suspension{publisher.CinderVolumeReports, "overlay is off, and cinder-volume reports this backend itself"}
	}
	if cause, detail := publisher.SuspendCause(base, r); cause != publisher.NoCause {
		return &suspension{cause, detail}
	}
	return nil
}

func virtualOf(r capability.Report) *float64 {
	a, ok := cinder.ArithmeticOf(r)
	if !ok {
		return nil
	}
	return &a.Virtual
}

// questions are a plain volume, one of each pool where there are several, and
// one of each type.
func questions(reports []capability.Report, types []cinder.VolumeType, size int64) []advice.Question {
	ask := func(name string, t *cinder.VolumeType) advice.Question {
		return advice.Question{Name: fmt.Sprintf("%s, %d GiB", name, size), Request: &cinder.Request{Size: size, Type: t, RandomSeed: 1}}
	}
	all := []advice.Question{ask("any backend", nil)}
	if pools := poolNames(reports); len(pools) > 1 {
		for _, name := range pools {
			all = append(all, ask("pool "+name, &cinder.VolumeType{
				Name: name, ExtraSpecs: cinder.ExtraSpecs{cinder.Spec(capability.KeyVolumeBackendName, name)},
			}))
		}
	}
	for i := range types {
		all = append(all, ask("type "+types[i].Name, &types[i]))
	}
	return all
}

func poolNames(reports []capability.Report) []string {
	names := map[string]bool{}
	for _, r := range reports {
		names[r.Pool] = true
	}
	return sortedKeys(names)
}

// unheard is an error if some backend had nothing to compare with.
func (d *difference) unheard() error {
	var names []string
	for _, b := range d.backends {
		if !b.Heard && b.Suspended == nil {
			names = append(names, b.Host)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return withCode(exitPartial, fmt.Errorf("there is nothing to compare %s with; poolcast check compares the names", listed(names)))
}
