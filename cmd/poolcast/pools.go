package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
)

const poolsHelp = `Show each logical pool: the backends that share a volume_backend_name in one
availability zone, their capacity and load, and how much they differ. Several
pools are summed up first, a line each: the status is the worst of the arrays,
load the mean and the highest, and a sum ends in + if an array lacks the number.

Evenness is 100 % when operations, or used capacity, are spread evenly over the
arrays, and 100/n % when everything is on one of n. Data reduction difference is
how far the best of the pool is above the worst: arrays of one name are meant to
be equal. Virtual free is what CapacityFilter compares a size with.

` + sourceHelp

func newPoolsCommand(sources *sourceFlags) *cobra.Command {
	var (
		reports reportFlags
		output  string
	)
	cmd := &cobra.Command{
		Use:   "pools",
		Short: "Show each logical pool, its arrays, and how evenly they are used",
		Long:  poolsHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := sources.loadFor(&reports)
			if err != nil {
				return err
			}
			set, polled := reports.get(cmd, sources, cfg)
			if set == nil {
				return polled
			}
			if err := render.Pools(cmd.OutOrStdout(), output, set); err != nil {
				return fmt.Errorf("print pools: %w", err)
			}
			return polled
		},
	}
	reports.add(cmd)
	reports.addZones(cmd)
	reports.addRelease(cmd)
	outputFlag(cmd, &output, "table", "wide", "json")
	return cmd
}
