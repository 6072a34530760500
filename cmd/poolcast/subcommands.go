package main

import (
	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/flasharray"
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

// tested are the ranges the project's tests run against: the simulator's API
// versions, and the newest Cinder the placement vectors were made with.
func tested() testedRanges {
	return testedRanges{
		PurityREST: flasharray.OldestVersion + "–" + flasharray.NewestVersion,
		CinderRPC:  "3.3",
		Cinder:     "21–" + "29",
		RabbitMQ:   "3.10",
	}
}
