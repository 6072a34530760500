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

// session is a loaded configuration with everything a command needs to ask its
// arrays: made by open, ended by close.
type session struct {
	cfg     *config.Config
	log     zerolog.Logger
	level   *logLevel
	sim     *simulation
	targets []target
}

// open loads the configuration and makes the clients. It speaks to no array.
func (f *sourceFlags) open(cmd *cobra.Command) (*session, error) {
	cfg, err := f.load()
	if err != nil {
		return nil, err
	}
	s := &session{cfg: cfg}
	if s.log, s.level, err = newLogger(cmd.ErrOrStderr(), cfg.Agent.LogFormat, cfg.Agent.LogLevel); err != nil {
		return nil, withCode(exitConfig, err)
	}
	logNotes(s.log, cfg, f.simulate)
	return s, s.connect(f.simulate)
}

// connect makes a client for each array, or for the simulated ones. On an error
// there is nothing to close.
func (s *session) connect(simulate bool) (err error) {
	if simulate {
		if s.sim, err = startSimulation(s.cfg.Backends); err != nil {
			return err
		}
	}
	if s.targets, err = newTargets(s.cfg, s.sim, nil); err != nil {
		s.close()
		return withCode(exitConfig, err)
	}
	return nil
}

// read reads the configuration as it stands.
func (f *sourceFlags) read() (*config.Config, error) {
	return config.Load(config.Sources{Inputs: f.inputs, Environ: os.Environ(), Flags: f.given()})
}

// load reads the configuration and keeps the backends that were asked for.
func (f *sourceFlags) load() (*config.Config, error) {
	cfg, err := f.read()
	if err != nil {
		return nil, withCode(exitConfig, configError(cfg, err))
	}
	if err := f.keep(cfg); err != nil {
		return nil, withCode(exitUsage, err)
	}
	if len(cfg.Backends) == 0 {
		return nil, withCode(exitConfig, noBackends(cfg))
	}
	return cfg, nil
}

// configError shows warnings with the faults: one is often the cause of the
// other.
func configError(cfg *config.Config, err error) error {
	var b strings.Builder
	b.WriteString("the configuration cannot be used:\n")
	for line := range strings.SplitSeq(err.Error(), "\n") {
		b.WriteString("  " + line + "\n")
	}
	if cfg != nil {
		for _, w := range cfg.Warnings {
			b.WriteString("  warning: " + w.String() + "\n")
		}
	}
	return errors.New(strings.TrimSuffix(b.String(), "\n"))
}

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
	for _, name := range f.backends {
		if !slices.Contains(known, name) {
			return fmt.Errorf("--backend %s: there is no such backend; there are %s", name, strings.Join(known, ", "))
		}
	}
	cfg.Backends = slices.DeleteFunc(cfg.Backends, func(b config.Backend) bool { return !slices.Contains(f.backends, b.Stanza) })
	return nil
}

// logNotes tells once what the configuration made poolcast do.
func logNotes(log zerolog.Logger, cfg *config.Config, simulated bool) {
	for _, w := range cfg.Warnings {
		log.Warn().Msg(w.String())
	}
	for _, i := range cfg.Ignored {
		log.Info().Str("backend", i.Stanza).Str("driver", i.Driver).Msg("ignored: " + i.Reason)
	}
	if simulated {
		return // no secret is used
	}
	for _, f := range slices.Concat(readableByOthers(cfg), unverified(cfg)) {
		log.Warn().Msg(f.What + ": " + f.Why + ". " + f.Do)
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
	if failed > 0 {
		return reports, withCode(exitPartial, fmt.Errorf("%d of %d backends were not read; the reasons are above", failed, len(s.targets)))
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
