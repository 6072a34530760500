package main

import (
	"errors"
	"reflect"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
	"github.com/poolcast/poolcast/publisher/status"
)

// plan is a changed configuration with everything made that can fail. What is
// left to do cannot.
type plan struct {
	setup
	why     string
	err     error // why the configuration is refused; nothing else is set then
	level   zerolog.Level
	bus     *publisher.Publisher // nil if the one that runs goes on
	options publisher.Options

	paths []string      // of the files that were read, also if they are refused
	done  chan struct{} // closed when the main loop is done with the plan
}

// plan reads the configuration and makes what it needs. It may wait for the file
// system, and changes nothing that runs.
func (a *agent) plan(why string) *plan {
	p := &plan{why: why, done: make(chan struct{})}
	cfg, err := a.flags.load()
	if cfg != nil {
		p.paths = cfg.Paths
	}
	if err == nil {
		p.setup, err = newSetup(cfg, a.sim, *a.now.Load(), a.digests)
	}
	if err == nil {
		p.level, err = parseLevel(cfg.Agent.LogLevel)
	}
	if err == nil {
		p.options = busOptions(cfg, a.log)
		p.bus, err = a.bus.prepare(p.options)
	}
	p.err = err
	return p
}

// install applies a plan, or says why it is refused. It runs on the main loop.
func (a *agent) install(p *plan) {
	defer close(p.done)
	a.systemd.reloading()
	defer a.systemd.ready()
	if p.err != nil {
		a.refuse(p)
		return
	}
	before := a.now.Load()
	a.level.set(p.level)
	a.bus.use(p.bus, p.options)
	if err := a.arrays.Apply(collectorTargets(p.targets)); err != nil {
		return // only a collector that has stopped refuses what was checked
	}
	a.now.Store(&p.setup)
	a.view.config.Store(&status.Config{Loaded: time.Now()})
	a.logReload(p, before)
}

// refuse keeps what runs, and logs each fault on a line of its own.
func (a *agent) refuse(p *plan) {
	faults := []error{p.err}
	if all, ok := errors.AsType[config.FieldErrors](p.err); ok {
		faults = faults[:0]
		for _, e := range all {
			faults = append(faults, e)
		}
	}
	state := status.Config{Loaded: a.view.config.Load().Loaded, Refused: time.Now()}
	for _, fault := range faults {
		state.Faults = append(state.Faults, fault.Error())
		a.log.Error().Err(fault).Str("because", p.why).Msg("the new configuration is refused; the running one stays")
	}
	a.view.config.Store(&state)
}

func (a *agent) logReload(p *plan, before *setup) {
	logNotes(a.log, p.cfg, before.cfg, a.sim != nil)
	logBroken(a.log, p.broken, before.broken)
	e := a.log.Info().Str("because", p.why).Int("backends", len(p.targets))
	differ := compareTargets(before.targets, p.targets)
	for _, list := range []struct {
		name  string
		names []string
	}{{"added", differ.added}, {"removed", differ.removed}, {"changed", differ.changed}} {
		if len(list.names) > 0 {
			e = e.Strs(list.name, list.names)
		}
	}
	e.Msg("configuration reloaded")
	for _, name := range config.RestartOptions(before.cfg.Agent, p.cfg.Agent) {
		a.log.Warn().Msg(name + ": takes effect at the next start")
	}
}

// targetChanges are backends, by the names of their sections.
type targetChanges struct{ added, removed, changed []string }

func compareTargets(before, after []target) targetChanges {
	var c targetChanges
	old := byKey(before, func(t target) string { return t.Backend })
	now := byKey(after, func(t target) string { return t.Backend })
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
