package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/agent"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/manual"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
)

const rootHelp = `poolcast polls every Pure Storage FlashArray behind this host's cinder-volume
and publishes cinder-volume's reports to the Cinder scheduler with the measured
values in them.

Without a subcommand it is the agent. With --dry-run it polls every array once,
prints the reports, and publishes nothing.

Exit codes: 0 fine, 1 some backend failed (the rest is printed), 2 usage,
3 configuration, 4 no backend fits, or cinder-api refuses the request.`

const rootExample = `  poolcast --simulate --dry-run --config-file examples/cinder.conf
  poolcast --dry-run --output table
  poolcast check
  poolcast place --size 100 --property volume_backend_name=pure_performance`

// rootFlags are the flags of the agent itself.
type rootFlags struct {
	sourceFlags
	dryRun       bool
	once         bool
	output       string
	fileInterval time.Duration // of the agent; 0 for its default
}

// newRootCommand builds the whole command line. It keeps no state between
// calls, so that a test can run it many times.
func newRootCommand() *cobra.Command { return newRootCommandWith(&rootFlags{}) }

func newRootCommandWith(flags *rootFlags) *cobra.Command {
	root := &cobra.Command{
		Use:           "poolcast",
		Short:         "Live FlashArray metrics for the Cinder scheduler",
		Long:          rootHelp,
		Example:       rootExample,
		Args:          noCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version,
		RunE:          func(cmd *cobra.Command, _ []string) error { return flags.run(cmd) },
	}
	flags.addAll(root)
	root.Flags().BoolVar(&flags.dryRun, "dry-run", false, "poll every array once, print the reports, and publish nothing")
	root.Flags().BoolVar(&flags.once, "once", false, "poll every array once, publish the reports, and stop")
	outputFlag(root, &flags.output, "json", "table", "wide", "oslo")
	root.SetFlagErrorFunc(usageError)
	root.SetUsageFunc(manual.Usage)
	root.AddCommand(subcommands()...)
	for _, cmd := range append(root.Commands(), root) {
		checkUsage(cmd)
	}
	return root
}

// subcommands lists every subcommand, with the options of [poolcast] that it uses.
func subcommands() []*cobra.Command {
	poll := []string{"poll_timeout", "live_capabilities"}
	log := []string{"log_level", "log_format"}
	overlay := []string{"overlay", "fix_provisioned_capacity"}
	return []*cobra.Command{
		withSource(newCheckCommand, slices.Concat(poll, overlay)...),
		withSource(newDiffCommand, slices.Concat(poll, log, overlay)...),
		newManCommand(),
		withSource(newPlaceCommand, slices.Concat(poll, log)...),
		withSource(newPlanCommand, slices.Concat(poll, log)...),
		withSource(newPoolsCommand, slices.Concat(poll, log)...),
		withSource(newPreferCommand, slices.Concat(poll, log)...),
		newProbeCommand(),
		withSource(newRecordCommand, append(log, "poll_timeout")...),
		newReferenceCommand(),
		withSource(newRehearseCommand, slices.Concat(poll, log, []string{"poll_interval"})...),
		newSimulatorCommand(),
		newVersionCommand(),
		withSource(newWhyCommand, slices.Concat(poll, log)...),
	}
}

// noCommand refuses the name of a command that does not exist, and suggests those
// with a similar name.
func noCommand(cmd *cobra.Command, args []string) error {
	err := cobra.NoArgs(cmd, args)
	if err == nil {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		return fmt.Errorf("%w; did you mean %s?", err, strings.Join(similar, " or "))
	}
	return err
}

// checkUsage gives wrong arguments, flags that exclude each other and missing
// ones the exit code of a wrong flag.
func checkUsage(cmd *cobra.Command) {
	check := cmd.Args
	if check == nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if err == nil {
			err = errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups())
		}
		return usageError(cmd, err)
	}
}

func usageError(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return exit.With(exit.Usage, fmt.Errorf("%w; see %s --help", err, cmd.CommandPath()))
}

func (f *rootFlags) run(cmd *cobra.Command) error {
	if f.dryRun && f.once {
		return exit.With(exit.Usage, errors.New("--dry-run and --once exclude each other: choose one"))
	}
	if !f.dryRun && !f.once {
		defer catchBrokenPipes()()
	}
	runtime, err := f.open(cmd)
	if err != nil {
		return err
	}
	if !f.dryRun && !f.once {
		return agent.Run(cmd.Context(), runtime, agent.Options{FileInterval: f.fileInterval})
	}
	defer runtime.Close()
	reports, polled := runtime.Poll(cmd.Context())
	if err := render.Reports(cmd.OutOrStdout(), f.output, reports); err != nil {
		return fmt.Errorf("print reports: %w", err)
	}
	if f.once {
		if err := agent.PublishOnce(cmd.Context(), runtime, reports); err != nil {
			return err
		}
	}
	return polled
}
