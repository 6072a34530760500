package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

const rootHelp = `poolcast polls every Pure Storage FlashArray behind this host's cinder-volume and
tells the Cinder scheduler what it measured, over cinder-volume's own reports.

Without a subcommand it is the agent. With --dry-run it reads every array once,
prints what it would report, and touches no message bus.

Exit codes: 0 fine, 1 some backend failed (the rest is printed), 2 usage,
3 configuration, 4 no backend fits.`

const rootExample = `  poolcast --simulate --dry-run --config-file examples/cinder.conf
  poolcast --dry-run --output table
  poolcast check
  poolcast place --size 100 --property volume_backend_name=pure_performance`

// runFlags are the flags of the agent itself.
type runFlags struct {
	sourceFlags
	dryRun bool
	once   bool
	output string
}

// newRootCommand builds the whole command line. It keeps no state between
// calls, so that a test can run it many times.
func newRootCommand() *cobra.Command {
	flags := &runFlags{}
	root := &cobra.Command{
		Use:           "poolcast",
		Short:         "Live FlashArray metrics for the Cinder scheduler",
		Long:          rootHelp,
		Example:       rootExample,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.run(cmd)
		},
	}
	flags.add(root)
	root.Flags().BoolVar(&flags.dryRun, "dry-run", false, "read every array once, print the reports, and publish nothing")
	root.Flags().BoolVar(&flags.once, "once", false, "read every array once, publish the reports, and stop")
	outputFlag(root, &flags.output, "json", "table", "oslo")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return withCode(exitUsage, fmt.Errorf("%w; see %s --help", err, cmd.CommandPath()))
	})
	root.AddCommand(subcommands(&flags.sourceFlags)...)
	for _, cmd := range append(root.Commands(), root) {
		usageErrors(cmd)
	}
	return root
}

// usageErrors gives wrong arguments, flags that exclude each other and missing
// ones the exit code of a wrong flag.
func usageErrors(cmd *cobra.Command) {
	check := cmd.Args
	if check == nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if err == nil {
			err = errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups())
		}
		if err != nil {
			return withCode(exitUsage, fmt.Errorf("%w; see %s --help", err, cmd.CommandPath()))
		}
		return nil
	}
}

func (f *runFlags) run(cmd *cobra.Command) error {
	switch {
	case f.dryRun && f.once:
		return withCode(exitUsage, errors.New("--dry-run publishes nothing and --once publishes once: choose one"))
	case f.dryRun:
		return f.runDry(cmd)
	case f.once:
		return f.runOnce(cmd)
	}
	return f.runAgent(cmd)
}
