package main

import (
	"github.com/spf13/cobra"
)

// subcommands lists every subcommand; each is in the file of its name.
func subcommands(flags *sourceFlags) []*cobra.Command {
	return []*cobra.Command{
		newCheckCommand(flags),
		newDiffCommand(flags),
		newManCommand(),
		newPlaceCommand(flags),
		newPoolsCommand(flags),
		newProbeCommand(flags),
		newRecordCommand(flags),
		newReferenceCommand(),
		newRehearseCommand(flags),
		newSimulatorCommand(),
		newVersionCommand(),
	}
}
