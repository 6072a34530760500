package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
)

const checkHelp = `Find what will go wrong before the scheduler does. Each finding says where, what,
why it matters, and what to type. Nothing is changed and nothing is published.

  configuration  traps of cinder.conf, with file and line
  arrays         whether each can be read, and whether two stanzas are one array
  identity       the names of the backends against those that cinder-volume uses
                 on the message bus; a report under another name is never used
  functions      filter_function and goodness_function, on the arrays' own values
  volume types   from --types: what fits now, what never will, and which limits on
                 live metrics exclude every array, or soon will
  pools          arrays of one name that differ

The bus is listened to until every backend was heard, for --listen-for at most;
with --simulate, --reports or --agent only if --listen-for is given.

Exit codes: 0 nothing but notes, 1 warnings, a fault in the section of a backend
while others are served, or something could not be asked, 2 usage, 3 errors.`

// checkFlags say what to check and against what.
type checkFlags struct {
	*sourceFlags
	reports   reportFlags
	types     string
	listenFor time.Duration
	noBus     bool
	output    string
}

func newCheckCommand(sources *sourceFlags) *cobra.Command {
	f := &checkFlags{sourceFlags: sources}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Find what will go wrong: configuration, names, functions, volume types",
		Long:  checkHelp,
		Example: `  poolcast check
  openstack volume type list --long -f json > types.json
  poolcast check --types types.json
  poolcast check --no-bus --output json
  poolcast check --simulate --config-file examples/cinder.conf`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.reports.add(cmd)
	cmd.Flags().StringVar(&f.types, "types", "", "volume types to judge: the output of openstack volume type list --long -f json")
	cmd.Flags().DurationVar(&f.listenFor, "listen-for", 0, "longest to listen for cinder-volume on the bus; a quarter more than backend_stats_polling_interval if it is missing")
	cmd.Flags().BoolVar(&f.noBus, "no-bus", false, "do not listen on the message bus")
	cmd.MarkFlagsMutuallyExclusive("listen-for", "no-bus")
	_ = cmd.MarkFlagFilename("types", "json")
	outputFlag(cmd, &f.output, "table", "json")
	return cmd
}

// checkup is what a check has found out so far.
type checkup struct {
	cfg      *config.Config
	refused  bool // the configuration cannot be used, and nothing else was checked
	findings []advice.Finding
	reports  []capability.Report // as the scheduler would be told
	types    []advice.Candidates
	bus      *heardOnBus // nil if it was not asked
}

func (f *checkFlags) run(cmd *cobra.Command) error {
	if f.listenFor < 0 {
		return withCode(exitUsage, fmt.Errorf("--listen-for %s: want a positive time", f.listenFor))
	}
	types, err := f.readTypes()
	if err != nil {
		return withCode(exitUsage, err)
	}
	c, err := f.configuration()
	if err != nil {
		return err
	}
	if !c.refused {
		if err := f.examine(cmd, c, types); err != nil {
			return err
		}
	}
	advice.Sort(c.findings)
	if err := c.print(cmd.OutOrStdout(), f.output); err != nil {
		return fmt.Errorf("print findings: %w", err)
	}
	return c.verdict()
}

func (f *checkFlags) readTypes() ([]cinder.VolumeType, error) {
	if f.types == "" {
		return nil, nil
	}
	return readVolumeTypes(f.types)
}

// configuration reads cinder.conf. Its faults are findings; the error is one of
// the command line.
func (f *checkFlags) configuration() (*checkup, error) {
	cfg, err := f.read()
	c := &checkup{cfg: cfg, findings: warningFindings(cfg)}
	if faults, ok := errors.AsType[config.FieldErrors](err); ok {
		c.refused, c.findings = true, append(c.findings, faultFindings(faults)...)
		return c, nil
	}
	if err != nil {
		return nil, withCode(exitConfig, err)
	}
	if err := f.keep(cfg); err != nil {
		return nil, withCode(exitUsage, err)
	}
	c.addBroken(cfg.Broken)
	switch {
	case len(cfg.Backends) > 0:
	case len(cfg.Broken) > 0:
		c.refused = true
		return c, nil
	default:
		return nil, withCode(exitConfig, noBackends(cfg))
	}
	c.findings = append(c.findings, trapFindings(cfg)...)
	return c, nil
}

// examine checks what needs more than the files: arrays, bus, functions, types
// and pools.
func (f *checkFlags) examine(cmd *cobra.Command, c *checkup, types []cinder.VolumeType) error {
	reports, err := f.collect(cmd, c)
	if err != nil {
		return err
	}
	if bound := f.listening(c.cfg); bound > 0 {
		cmd.PrintErrf("listening for cinder-volume on the bus for up to %s; --no-bus skips that\n", bound)
		heard, err := listenToBus(cmd.Context(), c.cfg, reports, bound)
		if err != nil {
			return err
		}
		c.bus = heard
		c.findings = append(c.findings, c.busFindings(reports)...)
	}
	c.reports = c.bus.overlaid(c.cfg, reports)
	c.findings = append(c.findings, advice.Functions(functionsOf(c.cfg, c.reports))...)
	c.findings = append(c.findings, advice.Pools(c.reports, policyOf(c.cfg))...)
	c.judgeTypes(types)
	return nil
}

// collect reads the arrays, or takes the reports from where they are said to
// be. An array that cannot be read is a finding, and the others are checked.
func (f *checkFlags) collect(cmd *cobra.Command, c *checkup) ([]capability.Report, error) {
	if f.reports.given() {
		reports, err := f.reports.get(cmd, f.sourceFlags)
		return withLiveKeys(reports, c.cfg), err
	}
	s := &session{setup: setup{cfg: c.cfg}, log: zerolog.Nop()}
	if err := s.connect(f.simulate); err != nil {
		return nil, err
	}
	defer s.close()
	c.addBroken(s.broken)
	var reports []capability.Report
	for _, r := range collector.Once(cmd.Context(), collectorTargets(s.targets)) {
		c.findings = append(c.findings, arrayFindings(c.cfg, r)...)
		if r.Err == nil {
			reports = append(reports, r.Report)
		}
	}
	return reports, nil
}

// listening is how long to listen, 0 for not at all.
func (f *checkFlags) listening(cfg *config.Config) time.Duration {
	switch {
	case f.noBus:
		return 0
	case f.listenFor > 0:
		return f.listenFor
	case f.simulate || f.reports.given():
		return 0
	}
	return cfg.ReportInterval * 5 / 4
}

// judgeTypes needs the filters of the cloud, and says so where it lacks them.
func (c *checkup) judgeTypes(types []cinder.VolumeType) {
	engine, err := placementEngine(c.cfg.Scheduler, "strict")
	if err != nil {
		c.findings = append(c.findings, engineFinding(c.cfg, err))
		return
	}
	if len(types) == 0 || len(c.reports) == 0 {
		return
	}
	candidates, found := advice.Types(engine, c.reports, types)
	c.types = candidates
	c.findings = append(c.findings, found...)
}

// verdict is the exit code: a section with a fault costs its backend only.
func (c *checkup) verdict() error {
	errs := advice.Count(c.findings, advice.Error)
	left := 0
	for _, f := range c.findings {
		if f.Code == sectionFault {
			left++
		}
	}
	switch {
	case errs > left || c.refused:
		return withCode(exitConfig, fmt.Errorf("check found %s", format.Count(errs, "error")))
	case errs > 0:
		return withCode(exitPartial, fmt.Errorf("check found %s in sections of backends; the other backends are served", format.Count(errs, "error")))
	}
	if n := advice.Count(c.findings, advice.Warning); n > 0 {
		return withCode(exitPartial, fmt.Errorf("check found %s", format.Count(n, "warning")))
	}
	return nil
}
