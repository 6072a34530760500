package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

const poolsHelp = `Show each logical pool: the backends that share a volume_backend_name in one
availability zone, their capacity and load, and how much they differ.

Evenness is 100 % when operations, or used capacity, are spread evenly over the
arrays, and 100/n % when everything is on one of n. Data reduction difference is
how far the best of the pool is above the worst: arrays of one name are meant to
be equal. Virtual free is what CapacityFilter compares a size with.`

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
			found, polled := reports.get(cmd, sources)
			if len(found) == 0 && polled != nil {
				return polled
			}
			pools := capability.GroupPools(found)
			if err := printPools(cmd.OutOrStdout(), output, pools); err != nil {
				return fmt.Errorf("print pools: %w", err)
			}
			return polled
		},
	}
	reports.add(cmd)
	outputFlag(cmd, &output, "table", "json")
	return cmd
}

// poolJSON is a pool as pools --output json prints it. Evenness and divergence
// are null where fewer than two arrays report the numbers.
type poolJSON struct {
	Name                string      `json:"volume_backend_name"`
	Zone                string      `json:"availability_zone"`
	LoadEvenness        *float64    `json:"load_evenness"`
	CapacityEvenness    *float64    `json:"capacity_evenness"`
	ReductionDivergence *float64    `json:"data_reduction_divergence"`
	Arrays              []arrayJSON `json:"arrays"`
}

type arrayJSON struct {
	Backend      string             `json:"backend"`
	Status       capability.Status  `json:"status"`
	Arithmetic   *cinder.Arithmetic `json:"arithmetic"`
	Capabilities capability.Set     `json:"capabilities"`
}

func printPools(w io.Writer, output string, pools []capability.LogicalPool) error {
	if output == "json" {
		out := []poolJSON{}
		for _, p := range pools {
			out = append(out, jsonPool(p))
		}
		return printJSON(w, out)
	}
	for i, p := range pools {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := printPool(w, p); err != nil {
			return err
		}
	}
	return nil
}

func jsonPool(p capability.LogicalPool) poolJSON {
	out := poolJSON{
		Name: p.Name, Zone: p.Zone, LoadEvenness: p.LoadEvenness(),
		CapacityEvenness: p.CapacityEvenness(), ReductionDivergence: p.ReductionDivergence(),
	}
	for _, r := range p.Reports {
		a := arrayJSON{Backend: r.Backend, Status: r.Status, Capabilities: r.Capabilities}
		if sum, ok := cinder.ArithmeticOf(r); ok {
			a.Arithmetic = &sum
		}
		out.Arrays = append(out.Arrays, a)
	}
	return out
}

func printPool(w io.Writer, p capability.LogicalPool) error {
	_, err := fmt.Fprintf(w, "%s in %s: %s, load evenness %s, capacity evenness %s, data reduction difference %s\n",
		cell(p.Name), cell(p.Zone), format.Count(len(p.Reports), "array"), percent(p.LoadEvenness()), percent(p.CapacityEvenness()), percent(p.ReductionDivergence()))
	if err != nil {
		return err
	}
	mean := p.Mean(capability.KeyTotalVolumes)
	t := newTable("ARRAY", "STATUS", "USED>", "FREE GiB>", "PROVISIONED>", "VIRTUAL FREE>", "REDUCTION>", "VOLUMES>", "OF MEAN>", "OPS/s>", "READ µs>", "WRITE µs>", "LOAD %>")
	number, share, decimal := orMissing(format.Whole), orMissing(format.Percent), orMissing(format.Decimal)
	for _, r := range p.Reports {
		c := r.Capabilities
		sum, ok := cinder.ArithmeticOf(r)
		t.add(r.Backend, string(r.Status), share(c.UsedShare()), whole(c, capability.KeyFreeCapacity), whole(c, capability.KeyProvisionedCapacity),
			number(sum.Virtual, ok), decimal(c.Number(capability.KeyDataReduction)), whole(c, capability.KeyTotalVolumes), share(ofMean(c, mean)),
			number(c.Operations()), whole(c, capability.KeyUsecPerRead), whole(c, capability.KeyUsecPerWrite), whole(c, capability.KeyLoadPercent))
	}
	return t.print(w)
}

// orMissing prints numbers with the given format, and [format.Missing] for those
// that were not measured.
func orMissing(print func(float64) string) func(f float64, ok bool) string {
	return func(f float64, ok bool) string {
		if !ok {
			return format.Missing
		}
		return print(f)
	}
}

// percent prints a share that may be unknown.
func percent(share *float64) string {
	if share == nil {
		return "unknown"
	}
	return format.Percent(*share)
}

// ofMean is the number of an array's volumes as a share of the pool's mean.
func ofMean(c capability.Set, mean *float64) (share float64, ok bool) {
	n, ok := c.Number(capability.KeyTotalVolumes)
	if !ok || mean == nil || *mean == 0 {
		return 0, false
	}
	return n / *mean, true
}
