package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/why"
)

const whyHelp = `Explain a volume of a live cloud, usually one in the status error: its size,
type, zone and backend, Cinder's messages about it, the quota of its project,
which backend would get another volume like it now, and why each other one would
not.

The cloud is a name in clouds.yaml, of --os-cloud or of the environment variable
OS_CLOUD. Everything is only read.

The decision is made on the reports of now, whose age is printed. Those that the
scheduler had at the time of the create are gone.

` + sourceHelp + `

Exit codes: 0 another volume like it would get a backend, 4 it would not.`

// whyFlags are the cloud, the reports and the output.
type whyFlags struct {
	*sourceFlags
	cloud   cloudFlag
	reports reportFlags
	output  string
}

func newWhyCommand(sources *sourceFlags) *cobra.Command {
	f := &whyFlags{sourceFlags: sources}
	cmd := &cobra.Command{
		Use:   "why VOLUME",
		Short: "Explain why a volume is in error, or where it is",
		Long:  whyHelp,
		Example: `  poolcast why db-17 --os-cloud prod
  poolcast why c7cb1d7e-4f6f-4a2b-9a0c-3a4b6f1f2d11 --os-cloud prod
  OS_CLOUD=prod poolcast why db-17 --output json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.cloud.add(cmd)
	f.reports.add(cmd)
	outputFlag(cmd, &f.output, "table", "wide", "json")
	return cmd
}

func (f *whyFlags) run(cmd *cobra.Command, volume string) error {
	if err := f.cloud.require(); err != nil {
		return exit.With(exit.Usage, err)
	}
	cfg, err := f.load()
	if err != nil {
		return err
	}
	facts, err := f.read(cmd, volume)
	if err != nil {
		return err
	}
	f.reports.services = facts.Catalogue.BackendZones()
	set, polled := f.reports.get(cmd, f.sourceFlags, cfg)
	if set == nil {
		return polled
	}
	var seed uint64
	if decision.Options(cfg.Scheduler).Draws() {
		seed = rand.Uint64()
	}
	explanation, err := why.Explain(facts, withCatalogue(cfg, set, facts.Catalogue), seed, time.Now())
	if err != nil {
		return err
	}
	if err := render.Why(cmd.OutOrStdout(), f.output, explanation); err != nil {
		return fmt.Errorf("print explanation: %w", err)
	}
	return errors.Join(explanation.Fails(), polled)
}

func (f *whyFlags) read(cmd *cobra.Command, volume string) (*why.Facts, error) {
	client, err := f.cloud.connect(cmd)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	defer progress(cmd, "reading the volume and its project's quota from the cloud "+f.cloud.name).Stop()
	return why.Read(cmd.Context(), client, volume)
}
