package backends

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
)

// agentTimeout is how long the agent of this host may take before the next source is
// tried. That of --agent has the client's own bound.
const agentTimeout = 2 * time.Second

// NewestRelease is the release of Cinder whose driver the reports of polled arrays are
// those of, if no other is chosen.
const NewestRelease = 29

// Finder finds the backends of a question. Its fields are the flags of a command.
type Finder struct {
	Config *config.Config // may be nil for a file
	// Source is one of agent, scheduler and arrays, or the path of a file; "" tries
	// the first three in this order.
	Source string
	Agent  RunningAgent // without a URL it is the agent of this host
	// Zones are those of backends that are not configured here, by identity.
	Zones    map[string]string
	Release  int  // of Cinder, for polled arrays; 0 is the newest
	Simulate bool // arrays are simulated, and nothing else is tried

	Screen *text.Screen // shows progress; nil shows none

	Poll func(context.Context) ([]capability.Report, error)
	Read func(context.Context, string) ([]byte, error) // reads a file
}

// Find returns the backends. A source that fails is left out with a note, unless it is
// the one that was chosen or the last. An error that comes with a set means that some
// arrays were not read.
func (f *Finder) Find(ctx context.Context) (*Set, error) {
	set, err := f.find(ctx)
	if set != nil {
		set.MarkLabels(f.Config)
	}
	return set, err
}

func (f *Finder) find(ctx context.Context) (*Set, error) {
	chosen := Source(f.Source)
	switch {
	case chosen == "" && f.Simulate:
		chosen = Arrays
	case chosen == "" && f.Agent.URL != "":
		chosen = Agent
	}
	switch chosen {
	case Agent:
		return f.agent(ctx)
	case Scheduler:
		return f.scheduler(ctx)
	case Arrays:
		return f.arrays(ctx)
	case "":
		return f.first(ctx)
	}
	return f.file(ctx)
}

// Measured returns the measured reports of the backends that are configured here: those
// of the agent's own samples, of a saved dry run, or by default of the arrays. Reports
// of a scheduler are not measured.
func (f *Finder) Measured(ctx context.Context) (*Set, error) {
	switch {
	case f.Agent.URL != "" || Source(f.Source) == Agent:
		a, err := f.agentToUse()
		if err != nil {
			return nil, err
		}
		defer f.Screen.Begin(ctx, "requesting reports from the agent at "+a.URL, "").Stop()
		reports, err := a.Reports(ctx, false)
		if err != nil {
			return nil, err
		}
		return &Set{Source: Agent, From: a.URL, Reports: reports}, nil
	case Source(f.Source) == Scheduler:
		return nil, exit.With(exit.Usage, errors.New("--source scheduler: the scheduler holds no measured reports, but those that cinder-volume or poolcast published; use agent, arrays or the file of a dry run"))
	case f.Source == "" || Source(f.Source) == Arrays:
		return f.arrays(ctx)
	}
	set, err := f.file(ctx)
	if err == nil && set.Listed != nil {
		return nil, exit.With(exit.Usage, fmt.Errorf("--source %s: it is a scheduler's list of pools, which holds what cinder-volume or poolcast published; want a poolcast --dry-run", f.Source))
	}
	return set, err
}

// first tries the sources in order.
func (f *Finder) first(ctx context.Context) (*Set, error) {
	var notes []string
	for _, try := range []func(context.Context) (*Set, error){f.agent, f.scheduler} {
		set, err := try(ctx)
		if err == nil {
			set.Notes = append(notes, set.Notes...)
			return set, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		notes = append(notes, fmt.Sprintf("Not used: %v.", err))
	}
	set, err := f.arrays(ctx)
	if set == nil {
		return nil, fmt.Errorf("%w\n%s", err, strings.Join(notes, "\n"))
	}
	set.Notes = append(notes, set.Notes...)
	return set, err
}

// agent gets the effective reports of an agent, and the scheduler's list from it. An
// agent without a list is a note.
func (f *Finder) agent(ctx context.Context) (*Set, error) {
	a, err := f.agentToUse()
	if err != nil {
		return nil, err
	}
	defer f.Screen.Begin(ctx, "requesting reports and the scheduler's list from the agent at "+a.URL, "").Stop()
	effective, err := a.Reports(ctx, true)
	switch {
	case err != nil && f.Agent.URL != "":
		return nil, err
	case err != nil:
		return nil, noAgent(a.URL, err)
	case f.Agent.URL == "" && !f.serves(effective):
		return nil, fmt.Errorf("the agent at %s serves none of the backends of this configuration", a.URL)
	}
	a.Timeout = 0
	list, failure := agentList(ctx, a)
	set := Arrange(effective, list, ZonesOf(f.Config, f.Zones))
	set.Source, set.From = Agent, a.URL
	if failure != "" {
		set.Notes = append(set.Notes, ListFailure(failure))
	}
	set.NoteMissing(f.Config.Zones)
	return set, nil
}

// ListFailure is the note of a set without the scheduler's list.
func ListFailure(reason string) string {
	return "The scheduler's list is not known, so disabled services and backends of other hosts and vendors are not considered: " + reason + "."
}

// agentList is the scheduler's list of an agent, and why there is none, or no newer
// one.
func agentList(ctx context.Context, a RunningAgent) (list *publisher.SchedulerPools, failure string) {
	got, err := a.Scheduler(ctx)
	switch {
	case err != nil:
		return nil, err.Error()
	case got.ReceivedAt == nil:
		return nil, got.Error
	}
	list = &publisher.SchedulerPools{Received: *got.ReceivedAt}
	for _, p := range got.Pools {
		list.Pools = append(list.Pools, publisher.SchedulerPool(p))
	}
	return list, ""
}

// agentToUse is the agent of the flags, else that of this host.
func (f *Finder) agentToUse() (RunningAgent, error) {
	if f.Agent.URL != "" {
		return f.Agent, nil
	}
	a, ok := HostAgent(f.Config.Agent)
	if !ok {
		return a, errors.New("the agent has no address: listen in [poolcast] is off")
	}
	a.Timeout = agentTimeout
	return a, nil
}

// noAgent says that no agent listens, if that is why.
func noAgent(base string, err error) error {
	if u, parseErr := url.Parse(base); parseErr == nil && errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("no agent listens at %s", u.Host)
	}
	return err
}

// serves is whether one of the reports is of a backend of the configuration.
func (f *Finder) serves(reports []capability.Report) bool {
	return slices.ContainsFunc(reports, func(r capability.Report) bool {
		_, ok := f.Config.Zones[r.Identity()]
		return ok
	})
}

// scheduler requests the scheduler's list over the message bus.
func (f *Finder) scheduler(ctx context.Context) (*Set, error) {
	request := func(ctx context.Context) (*publisher.SchedulerPools, error) {
		return publisher.Pools(ctx, setup.BusOptions(f.Config, zerolog.Nop()))
	}
	var wanted []string
	for identity := range f.Config.Zones {
		wanted = append(wanted, identity)
	}
	defer ListProgress(ctx, f.Screen).Stop()
	list, err := RequestList(ctx, request, wanted)
	if err == nil && len(list.Pools) == 0 {
		err = errNothingListed
	}
	if err != nil {
		return nil, err
	}
	set := Arrange(nil, list, ZonesOf(f.Config, f.Zones))
	set.Source, set.From = Scheduler, list.Broker
	set.nameOwn(f.Config)
	set.NoteMissing(f.Config.Zones)
	return set, nil
}

// arrays polls the arrays once.
func (f *Finder) arrays(ctx context.Context) (*Set, error) {
	reports, err := f.Poll(ctx)
	if len(reports) == 0 && err != nil {
		return nil, err
	}
	set := &Set{Source: Arrays, Reports: reports}
	f.applyRelease(set)
	return set, err
}

// applyRelease makes polled reports those of the driver of a release.
func (f *Finder) applyRelease(set *Set) {
	if set.Release = f.Release; set.Release == 0 {
		set.Release = NewestRelease
	}
	if set.Release < provisionedRelease {
		misspellProvisioned(set.Reports)
	}
}

// provisionedRelease is the release whose Pure driver reports provisioned_capacity_gb.
// Those before send provisioned_capacity, which no scheduler reads
// (cinder/volume/drivers/pure.py, _update_stats).
const provisionedRelease = 29

func misspellProvisioned(reports []capability.Report) {
	for i := range reports {
		c := reports[i].Capabilities.Clone()
		if v, ok := c[capability.KeyProvisionedCapacity]; ok {
			c["provisioned_capacity"] = v
			delete(c, capability.KeyProvisionedCapacity)
		}
		reports[i].Capabilities = c
	}
}

// file reads a saved dry run, or a saved list of pools.
func (f *Finder) file(ctx context.Context) (*Set, error) {
	data, err := f.Read(ctx, f.Source)
	if err != nil {
		return nil, exit.With(exit.Usage, fmt.Errorf("read reports: --source %s: %w", f.Source, err))
	}
	set, err := f.parse(data)
	if err != nil {
		return nil, exit.With(exit.Usage, fmt.Errorf("read reports: --source %s: %w", f.Source, err))
	}
	set.Source, set.From = File, f.Source
	switch {
	case set.Listed == nil && slices.ContainsFunc(set.Reports, isSample):
		f.applyRelease(set)
	case f.Release > 0:
		return nil, exit.With(exit.Usage, fmt.Errorf("--source %s: the reports are those of cinder-volume: --release is for polled arrays and a poolcast --dry-run", f.Source))
	}
	return set, nil
}
