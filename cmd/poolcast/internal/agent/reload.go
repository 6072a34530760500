package agent

import (
	"errors"
	"reflect"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
	"github.com/poolcast/poolcast/publisher/status"
)

// plan is a changed configuration with everything done that can fail. Applying
// it cannot fail.
type plan struct {
	setup.Setup
	why     string
	err     error // why the configuration is refused; nothing else is set then
	level   zerolog.Level
	next    *publisher.Publisher // nil if the one that runs is kept
	options publisher.Options
	failed  listening // for failed creates
	types   *volumeTypes

	paths []string      // of the files that were read, also if they are refused
	done  chan struct{} // closed when the main loop is done with the plan
}

// plan reads the configuration and makes what it needs. It may wait for the file
// system, and changes nothing that runs.
func (a *agent) plan(why string) *plan {
	p := &plan{why: why, done: make(chan struct{})}
	cfg, err := a.Source.Load()
	if cfg != nil {
		p.paths = cfg.Paths
	}
	if err == nil {
		p.Setup, err = a.Clients.Setup(cfg, *a.current.Load())
	}
	if err == nil {
		p.level, err = setup.ParseLevel(cfg.Agent.LogLevel)
	}
	if err == nil {
		p.options = setup.BusOptions(cfg, a.Log)
		p.next, err = a.publisher.prepare(p.options)
	}
	if err == nil {
		p.failed, err = a.notified.prepare(a.Runtime, p.Setup)
	}
	if err == nil {
		p.types = readVolumeTypes(cfg.Agent.VolumeTypes, a.types.Load())
	}
	p.err = err
	return p
}

// install applies a plan, or logs why it is refused. It runs on the main loop.
func (a *agent) install(p *plan) {
	defer close(p.done)
	a.systemd.reloading()
	defer a.systemd.ready()
	if p.err != nil {
		a.refuse(p)
		return
	}
	before := a.current.Load()
	a.Level.Set(p.level)
	a.publisher.use(p.next, p.options)
	a.notified.use(p.failed)
	if err := a.arrays.Apply(setup.CollectorTargets(p.Targets)); err != nil {
		return // only a collector that has stopped refuses what was checked
	}
	a.current.Store(&p.Setup)
	p.types.logChange(a.Log, a.types.Load())
	a.types.Store(p.types)
	a.source.config.Store(&status.Config{Loaded: time.Now()})
	a.logReload(p, before)
}

// refuse keeps the configuration that runs, and logs each fault on a line of its own.
func (a *agent) refuse(p *plan) {
	faults := []error{p.err}
	if all, ok := errors.AsType[config.FieldErrors](p.err); ok {
		faults = faults[:0]
		for _, e := range all {
			faults = append(faults, e)
		}
	}
	before := a.source.config.Load()
	state := status.Config{Loaded: before.Loaded, Refused: time.Now(), RefusedSince: before.RefusedSince}
	if state.RefusedSince.IsZero() {
		state.RefusedSince = state.Refused
	}
	for _, fault := range faults {
		state.Faults = append(state.Faults, fault.Error())
		a.Log.Error().Err(fault).Str("because", p.why).Msg("the new configuration is refused; the running one stays")
	}
	a.source.config.Store(&state)
}

func (a *agent) logReload(p *plan, before *setup.Setup) {
	setup.LogNotes(a.Log, p.Config, before.Config, a.Source.Simulate)
	setup.LogBroken(a.Log, p.Broken, before.Broken)
	e := a.Log.Info().Str("because", p.why).Int("backends", len(p.Targets))
	differ := compareTargets(before.Targets, p.Targets)
	for _, list := range []struct {
		name  string
		names []string
	}{{"added", differ.added}, {"removed", differ.removed}, {"changed", differ.changed}} {
		if len(list.names) > 0 {
			e = e.Strs(list.name, list.names)
		}
	}
	e.Msg("configuration reloaded")
	for _, name := range config.RestartOptions(before.Config.Agent, p.Config.Agent) {
		a.Log.Warn().Msg(name + ": takes effect at the next start")
	}
}

// targetChanges are backends, by the names of their sections.
type targetChanges struct{ added, removed, changed []string }

func compareTargets(before, after []setup.Target) targetChanges {
	var c targetChanges
	old := byKey(before, func(t setup.Target) string { return t.Backend })
	now := byKey(after, func(t setup.Target) string { return t.Backend })
	for _, t := range after {
		was, had := old[t.Backend]
		switch {
		case !had:
			c.added = append(c.added, t.Backend)
		case !sameFacts(was.Target, t.Target):
			c.changed = append(c.changed, t.Backend)
		}
	}
	for _, t := range before {
		if _, has := now[t.Backend]; !has {
			c.removed = append(c.removed, t.Backend)
		}
	}
	return c
}

func sameFacts(t, u collector.Target) bool {
	t.Source, u.Source = nil, nil
	return reflect.DeepEqual(t, u)
}
