package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
)

// setup is a configuration, the clients of its arrays, and the backends that are
// left out. It is not changed once it is made.
type setup struct {
	cfg     *config.Config
	targets []target
	broken  []config.Broken
}

// session is a setup with everything a command needs to ask its arrays: made by
// open, ended by close.
type session struct {
	setup
	log   zerolog.Logger
	level *logLevel
	sim   *simulation
}

// open loads the configuration and makes the clients. It speaks to no array.
func (f *sourceFlags) open(cmd *cobra.Command) (*session, error) {
	cfg, err := f.load()
	if err != nil {
		return nil, err
	}
	s := &session{setup: setup{cfg: cfg}}
	if s.log, s.level, err = newLogger(cmd.ErrOrStderr(), cfg.Agent.LogFormat, cfg.Agent.LogLevel); err != nil {
		return nil, withCode(exitConfig, err)
	}
	logNotes(s.log, cfg, &config.Config{}, f.simulate)
	if err := s.connect(f.simulate); err != nil {
		return nil, err
	}
	logBroken(s.log, s.broken, nil)
	return s, nil
}

// connect makes a client for each array, or for the simulated ones. On an error
// there is nothing to close.
func (s *session) connect(simulate bool) (err error) {
	if simulate {
		if s.sim, err = startSimulation(s.cfg.Backends); err != nil {
			return err
		}
	}
	if s.setup, err = newSetup(s.cfg, s.sim, setup{}, newDigests()); err != nil {
		s.close()
		return err
	}
	return nil
}

// newSetup makes the clients of a configuration. Those of before whose connection
// is the same go on. It is an error if no backend is left.
func newSetup(cfg *config.Config, sim *simulation, before setup, d *digests) (setup, error) {
	s := setup{cfg: cfg}
	s.targets, s.broken = newTargets(cfg, sim, before.targets, d)
	if len(s.targets) == 0 {
		return setup{}, withCode(exitConfig, newRefusal(cfg, faultsOf(s.broken)))
	}
	if err := collector.Validate(collectorTargets(s.targets)); err != nil {
		return setup{}, withCode(exitConfig, err)
	}
	return s, nil
}

// faultsOf gathers the faults of backends, each once.
func faultsOf(broken []config.Broken) config.FieldErrors {
	var all config.FieldErrors
	seen := map[string]bool{}
	for _, b := range broken {
		for _, e := range b.Faults {
			if !seen[e.Error()] {
				seen[e.Error()] = true
				all = append(all, e)
			}
		}
	}
	return all
}

// logBroken says which backends are left out, one line for each fault that was
// not there before.
func logBroken(log zerolog.Logger, broken, before []config.Broken) {
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

// read reads the configuration as it stands.
func (f *sourceFlags) read() (*config.Config, error) {
	return config.Load(config.Sources{Inputs: f.inputs, Environ: os.Environ(), Flags: f.given(), StripComments: f.simulate})
}

// load reads the configuration and keeps the backends that were asked for.
func (f *sourceFlags) load() (*config.Config, error) {
	cfg, err := f.read()
	if faults, ok := errors.AsType[config.FieldErrors](err); ok {
		return cfg, withCode(exitConfig, newRefusal(cfg, faults))
	}
	if err != nil {
		return cfg, withCode(exitConfig, err)
	}
	if err := f.keep(cfg); err != nil {
		return cfg, withCode(exitUsage, err)
	}
	switch {
	case len(cfg.Backends) > 0:
		return cfg, nil
	case len(cfg.Broken) > 0:
		return cfg, withCode(exitConfig, newRefusal(cfg, faultsOf(cfg.Broken)))
	}
	return cfg, withCode(exitConfig, noBackends(cfg))
}

// refusal is a configuration that cannot be used, for people who start a
// command. A reload logs its faults one by one.
type refusal struct {
	faults   config.FieldErrors
	warnings []config.Warning
}

func newRefusal(cfg *config.Config, faults config.FieldErrors) error {
	return &refusal{faults: faults, warnings: cfg.Warnings}
}

// Error shows warnings with the faults: one is often the cause of the other.
func (r *refusal) Error() string {
	var b strings.Builder
	b.WriteString("the configuration cannot be used:")
	for _, e := range r.faults {
		b.WriteString("\n  " + e.Error())
	}
	for _, w := range r.warnings {
		b.WriteString("\n  warning: " + w.String())
	}
	return b.String()
}

// Unwrap returns the faults.
func (r *refusal) Unwrap() error { return r.faults }

func noBackends(cfg *config.Config) error {
	text := "no backend uses a Pure Storage driver"
	for _, i := range cfg.Ignored {
		text += fmt.Sprintf("\n  [%s] %s", i.Stanza, i.Reason)
	}
	return errors.New(text + "\n  add one to enabled_backends, or name the right file with --config-file")
}

// keep drops the backends that --backend did not name.
func (f *sourceFlags) keep(cfg *config.Config) error {
	if len(f.backends) == 0 {
		return nil
	}
	var known []string
	for _, b := range cfg.Backends {
		known = append(known, b.Stanza)
	}
	for _, b := range cfg.Broken {
		known = append(known, b.Stanza)
	}
	for _, name := range f.backends {
		if !slices.Contains(known, name) {
			return fmt.Errorf("--backend %s: there is no such backend; there are %s", name, strings.Join(known, ", "))
		}
	}
	cfg.Backends = slices.DeleteFunc(cfg.Backends, func(b config.Backend) bool { return !slices.Contains(f.backends, b.Stanza) })
	cfg.Broken = slices.DeleteFunc(cfg.Broken, func(b config.Broken) bool { return !slices.Contains(f.backends, b.Stanza) })
	return nil
}

// logNotes logs what the configuration made poolcast do, but for what was the
// same before.
func logNotes(log zerolog.Logger, cfg, before *config.Config, simulated bool) {
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
	known := trustFindings(before)
	for _, f := range trustFindings(cfg) {
		if !slices.Contains(known, f) {
			log.Warn().Msg(f.Problem + ": " + f.Reason + ". " + f.Fix)
		}
	}
}

// poll reads every array once and logs those that failed. The error counts
// them; the reports of the others are good.
func (s *session) poll(ctx context.Context) ([]capability.Report, error) {
	var reports []capability.Report
	failed := 0
	for _, r := range collector.Once(ctx, collectorTargets(s.targets)) {
		if r.Err != nil {
			failed++
			s.log.Error().Str("backend", r.Backend).Err(r.Err).Msg("array was not read")
			continue
		}
		for _, fault := range r.Stats.Faults {
			s.log.Warn().Str("backend", r.Backend).Str("part", fault.Part).Err(fault.Err).Msg("array answered in part")
		}
		reports = append(reports, r.Report)
	}
	if failed += len(s.broken); failed > 0 {
		return reports, withCode(exitPartial, fmt.Errorf("%d of %d backends were not read; the reasons are above", failed, len(s.targets)+len(s.broken)))
	}
	return reports, nil
}

// close logs out of every array within a bound.
func (s *session) close() {
	for _, err := range collector.Close(collectorTargets(s.targets), closeBound) {
		if err != nil {
			s.log.Warn().Err(err).Msg("session was left open on the array; it expires there by itself")
		}
	}
	if s.sim != nil {
		s.sim.close()
	}
}

// printReports writes reports in one of the formats of --output.
func printReports(w io.Writer, output string, reports []capability.Report) error {
	switch output {
	case "table":
		return printReportTable(w, reports)
	case "oslo":
		return printEnvelopes(w, reports)
	}
	if reports == nil {
		reports = []capability.Report{}
	}
	return printJSON(w, reports)
}
