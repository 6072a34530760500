package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/configcheck"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
	"github.com/poolcast/poolcast/config"
)

// Options are what to check, and with what.
type Options struct {
	Source setup.Source
	// Find finds the backends to check, if the arrays are not to be polled.
	Find  func(context.Context, *config.Config) (*backends.Set, error)
	Zones map[string]string // of backends that are not configured here, by identity
	Types []cinder.VolumeType
	// TypesFlag is the flag that named the types, for what to type.
	TypesFlag string
	// Cloud has further types, and the services; nil if no cloud is asked.
	Cloud *openstack.Catalogue
	// ListenFor is how long to listen on the message bus at most. With 0 it is a
	// quarter more than the interval of cinder-volume's reports, or nothing if the
	// arrays are simulated or the reports are given.
	ListenFor time.Duration
	NoBus     bool
	Screen    *text.Screen // shows progress; nil shows none
	// Listening is called before listening.
	Listening func(longest time.Duration)
}

// Result is what a check has found.
type Result struct {
	Config   *config.Config
	Refused  bool // the configuration cannot be used, and nothing else was checked
	Findings []advice.Finding
	Set      *backends.Set // as the scheduler would receive them; nil if nothing was checked
	Types    []advice.Candidates
	Bus      *Bus // nil if nothing listened
}

// Run checks everything that the options allow. Its errors are about the command
// line; everything else is a finding.
func Run(ctx context.Context, o Options) (*Result, error) {
	r, err := o.configuration()
	if err != nil {
		return nil, err
	}
	if !r.Refused {
		if err := o.examine(ctx, r); err != nil {
			return nil, err
		}
	}
	advice.Sort(r.Findings)
	return r, nil
}

// configuration reads cinder.conf. Its faults are findings; the error is one of
// the command line.
func (o *Options) configuration() (*Result, error) {
	cfg, err := o.Source.Read()
	r := &Result{Config: cfg, Findings: configcheck.Warnings(cfg)}
	if faults, ok := errors.AsType[config.FieldErrors](err); ok {
		r.Refused, r.Findings = true, append(r.Findings, configcheck.Faults(faults)...)
		return r, nil
	}
	if err != nil {
		return nil, exit.With(exit.Config, err)
	}
	if err := o.Source.Keep(cfg); err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	r.addBroken(cfg.Broken)
	switch {
	case len(cfg.Backends) > 0:
	case len(cfg.Broken) > 0:
		r.Refused = true
		return r, nil
	default:
		return nil, exit.With(exit.Config, setup.NoBackends(cfg))
	}
	r.Findings = append(r.Findings, configcheck.Settings(cfg)...)
	return r, nil
}

// examine checks what needs more than the files: arrays, bus, functions, types
// and pools.
func (o *Options) examine(ctx context.Context, r *Result) error {
	set, err := o.collect(ctx, r)
	if err != nil {
		return err
	}
	reports := set.Reports
	if longest := o.listenFor(r.Config); longest > 0 {
		o.Listening(longest)
		bus, err := Listen(ctx, r.Config, reports, longest, o.Screen)
		if err != nil {
			return err
		}
		r.Bus = bus
		r.Findings = append(r.Findings, r.busFindings(reports)...)
	}
	set.Reports = r.Bus.overlaid(r.Config, reports)
	r.Set = set
	if r.Bus != nil && o.Find == nil {
		r.addListed(ctx, o)
	}
	if o.Cloud != nil {
		r.Set.ApplyServices(o.Cloud.Services)
		r.Findings = append(r.Findings, serviceFindings(o.Cloud, r.Set.Reports)...)
	}
	r.Findings = append(r.Findings, configcheck.Pinned(r.Config, r.Set.Reports)...)
	r.Findings = append(r.Findings, r.unlistedFindings()...)
	functions := functions(r.Config, r.Set.Reports)
	r.Findings = append(r.Findings, advice.Functions(functions)...)
	r.Findings = append(r.Findings, volumeProperties(functions)...)
	r.Findings = append(r.Findings, advice.History(o.types(), functions, stanzas(r.Config), r.Config.Agent.LoadHistory)...)
	r.Findings = append(r.Findings, advice.Pools(r.Set.WithKnownZone(), policy(r.Config))...)
	progress := o.Screen.Begin(ctx, "checking the volume types", "")
	defer progress.Stop()
	r.checkTypes(o.types(), o.TypesFlag)
	return nil
}

// collect polls the arrays, or finds the backends otherwise. An array that cannot be
// read is a finding, and the others are checked.
func (o *Options) collect(ctx context.Context, r *Result) (*backends.Set, error) {
	if o.Find != nil {
		set, err := o.Find(ctx, r.Config)
		if err == nil {
			set.Reports = WithLiveKeys(set.Reports, r.Config)
		}
		return set, err
	}
	runtime, err := setup.Connect(o.Source, r.Config)
	if err != nil {
		return nil, err
	}
	defer runtime.Close()
	runtime.Screen = o.Screen
	r.addBroken(runtime.Broken)
	set := &backends.Set{Source: backends.Arrays, Release: backends.NewestRelease}
	for _, polled := range runtime.Once(ctx) {
		r.Findings = append(r.Findings, arrayFindings(r.Config, polled)...)
		if polled.Err == nil {
			set.Reports = append(set.Reports, polled.Report)
		}
	}
	return set, nil
}

// listenFor is how long to listen at most, 0 for not at all.
func (o *Options) listenFor(cfg *config.Config) time.Duration {
	switch {
	case o.NoBus:
		return 0
	case o.ListenFor > 0:
		return o.ListenFor
	case o.Source.Simulate || o.Find != nil:
		return 0
	}
	return cfg.ReportInterval() * 9 / 4 // its timer has a jitter, and then it misses a turn
}

// addBroken adds the faults of backends that are not served, each once.
func (r *Result) addBroken(broken []config.Broken) {
	for _, f := range configcheck.Broken(broken) {
		if !slices.Contains(r.Findings, f) {
			r.Findings = append(r.Findings, f)
		}
	}
}

// types are those of the file and those of the cloud.
func (o *Options) types() []cinder.VolumeType {
	if o.Cloud == nil {
		return o.Types
	}
	return append(slices.Clone(o.Types), o.Cloud.PlacementTypes()...)
}

// checkTypes needs the filters of the cloud; one that is not known is a finding, and the
// types are checked without it.
func (r *Result) checkTypes(types []cinder.VolumeType, typesFlag string) {
	engine, err := decision.Engine(r.Config.Scheduler, "strict")
	if err != nil {
		r.Findings = append(r.Findings, engineFinding(r.Config, err))
		return
	}
	r.Findings = append(r.Findings, leftOutFindings(r.Config, engine.LeftOut())...)
	reports := r.Set.Candidates()
	if len(types) == 0 || len(reports) == 0 {
		return
	}
	cloud := decision.NewCloud(r.Config, r.Set)
	requests := requests(cloud.API, 1)
	requests.Types = typesFlag
	candidates, found := advice.Types(engine, reports, types, requests)
	r.Types = candidates
	r.Findings = append(append(r.Findings, found...), labelFindings(reports, types)...)
}

// requests make requests as cinder-api makes them, for volumes of a size in GiB, or of
// the least size of their type if that is more.
func requests(api volumeapi.Cloud, size int64) advice.Requests {
	open := api
	open.DefaultZone, open.StorageZone = "", ""
	create := func(api volumeapi.Cloud, t *cinder.VolumeType) (*cinder.Request, error) {
		return api.Create(volumeapi.Create{Size: max(size, volumeapi.LeastSize(t)), Type: t})
	}
	return advice.Requests{
		Default: func(t *cinder.VolumeType) (*cinder.Request, error) { return create(api, t) },
		AnyZone: func(t *cinder.VolumeType) (*cinder.Request, error) {
			if volumeapi.LimitsZones(t) {
				return create(api, t)
			}
			return create(open, t)
		},
	}
}

// Verdict is an error with the exit code of what was found. A section with a fault
// costs its backend only.
func (r *Result) Verdict() error {
	errs := advice.Count(r.Findings, advice.Error)
	inSections := 0
	for _, f := range r.Findings {
		if f.Code == configcheck.SectionFault {
			inSections++
		}
	}
	switch {
	case errs > inSections || r.Refused:
		return exit.With(exit.Config, fmt.Errorf("check found %s", format.Count(errs, "error")))
	case errs > 0:
		return exit.With(exit.Partial, fmt.Errorf("check found %s in sections of backends; the other backends are served", format.Count(errs, "error")))
	}
	if n := advice.Count(r.Findings, advice.Warning); n > 0 {
		return exit.With(exit.Partial, fmt.Errorf("check found %s", format.Count(n, "warning")))
	}
	return nil
}
