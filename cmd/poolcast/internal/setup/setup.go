package setup

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/configcheck"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/watch"
	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
)

// Setup is a configuration, the clients of its arrays, and the backends that are
// left out. It is not changed once it is made.
type Setup struct {
	Config  *config.Config
	Targets []Target
	Broken  []config.Broken
}

// Runtime is a setup with everything else that a command needs to read its
// arrays. It ends with [Runtime.Close].
type Runtime struct {
	Setup
	Source  Source
	Clients *Clients
	Screen  *text.Screen // shows progress; nil shows none
	Log     zerolog.Logger
	Level   *LogLevel
}

// Open loads the configuration, makes the clients, and writes the log to w. It
// sends no request to any array.
func Open(source Source, w io.Writer) (*Runtime, error) {
	cfg, err := source.Load()
	if err != nil {
		return nil, err
	}
	log, level, err := NewLogger(w, cfg.Agent.LogFormat, cfg.Agent.LogLevel)
	if err != nil {
		return nil, exit.With(exit.Config, err)
	}
	LogNotes(log, cfg, &config.Config{}, source.Simulate)
	r, err := Connect(source, cfg)
	if err != nil {
		return nil, err
	}
	r.Log, r.Level, r.Screen = log, level, text.ScreenOf(w)
	if source.Simulate {
		log.Warn().Msg("simulated arrays: the numbers are not those of your arrays")
	}
	LogBroken(log, r.Broken, nil)
	return r, nil
}

// Connect makes a client for each array of a configuration, or for the simulated
// ones. Nothing is logged.
func Connect(source Source, cfg *config.Config) (*Runtime, error) {
	r := &Runtime{Source: source, Log: zerolog.Nop(), Clients: &Clients{Hashes: watch.NewHashes(), UserAgent: "poolcast/" + source.Version}}
	var err error
	if source.Simulate {
		if r.Clients.Simulation, err = startSimulation(cfg.Backends); err != nil {
			return nil, err
		}
	}
	if r.Setup, err = r.Clients.Setup(cfg, Setup{}); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// LogBroken logs the backends that are left out, one line for each fault that was
// not there before.
func LogBroken(log zerolog.Logger, broken, before []config.Broken) {
	known := map[string]bool{}
	for _, b := range before {
		for _, e := range b.Faults {
			known[b.Stanza+e.Error()] = true
		}
	}
	for _, b := range broken {
		for _, e := range b.Faults {
			if !known[b.Stanza+e.Error()] {
				log.Error().Str("backend", b.Stanza).Err(e).Msg("backend is not served")
			}
		}
	}
}

// LogNotes logs the warnings of a configuration that were not there before.
func LogNotes(log zerolog.Logger, cfg, before *config.Config, simulated bool) {
	for _, w := range cfg.Warnings {
		if !slices.Contains(before.Warnings, w) {
			log.Warn().Msg(w.String())
		}
	}
	for _, i := range cfg.Ignored {
		if !slices.Contains(before.Ignored, i) {
			log.Info().Str("backend", i.Stanza).Str("driver", i.Driver).Msg("ignored: " + i.Reason)
		}
	}
	if simulated {
		return // no secret is used
	}
	known := configcheck.Secrets(before)
	for _, f := range configcheck.Secrets(cfg) {
		if !slices.Contains(known, f) {
			log.Warn().Msg(f.Problem + ": " + f.Reason + ". " + f.Fix)
		}
	}
}

// Poll reads every array once and logs those that failed. The error counts them;
// the reports of the others are returned with it.
func (r *Runtime) Poll(ctx context.Context) ([]capability.Report, error) {
	var reports []capability.Report
	failed := 0
	for _, result := range r.Once(ctx) {
		if result.Err != nil {
			failed++
			r.Log.Error().Str("backend", result.Backend).Err(result.Err).Msg("array was not read")
			continue
		}
		for _, fault := range result.Stats.Faults {
			r.Log.Warn().Str("backend", result.Backend).Str("part", fault.Part).Err(fault.Err).Msg("array was read in part")
		}
		reports = append(reports, result.Report)
	}
	if failed += len(r.Broken); failed > 0 {
		return reports, exit.With(exit.Partial, fmt.Errorf("%d of %d backends were not read; the reasons are above", failed, len(r.Targets)+len(r.Broken)))
	}
	return reports, nil
}

// Close logs out of every array, within a bound, and ends the simulation.
func (r *Runtime) Close() {
	defer r.Screen.Begin(context.Background(), "logging out of the arrays", text.AtMost(closeTimeout)).Stop()
	for _, err := range collector.Close(CollectorTargets(r.Targets), closeTimeout) {
		if err != nil {
			r.Log.Warn().Err(err).Msg("session was left open on the array; it expires there by itself")
		}
	}
	if r.Clients.Simulation != nil {
		r.Clients.Simulation.Close()
	}
}
