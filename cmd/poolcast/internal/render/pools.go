package render

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// poolsJSON is what pools --output json prints.
type poolsJSON struct {
	Source client.Source `json:"source"`
	Pools  []poolJSON    `json:"pools"`
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

	Labels map[string]capability.Label `json:"labels,omitempty"` // numbers of cinder.conf in place of a measurement
}

// Pools prints logical pools in one of the formats table, wide and json.
func Pools(w io.Writer, output string, set *backends.Set) error {
	pools := capability.GroupPools(set.Reports)
	if output == "json" {
		out := poolsJSON{Source: set.JSON(time.Now()), Pools: []poolJSON{}}
		for _, p := range pools {
			out.Pools = append(out.Pools, jsonPool(p))
		}
		return JSON(w, out)
	}
	page := newPage(w, output)
	if len(pools) > 1 {
		page.Tables(summaryTable(pools))
		page.Line("")
	}
	var tables []*text.Table
	for i, p := range pools {
		tables = append(tables, poolTable(p).Title(poolTitle(page, p, i > 0)...))
	}
	page.Tables(tables...)
	addNotes(page, advice.LabelNotes(set.Reports, func(*capability.Report) []string { return poolKeys() }))
	addSource(page, set)
	return page.Print()
}

// poolTitle is the lines above the arrays of a pool, after an empty one if others are
// before it.
func poolTitle(page *text.Page, p capability.LogicalPool, follows bool) []string {
	title := text.Wrap(fmt.Sprintf("%s in %s: %s, load evenness %s, capacity evenness %s, data reduction difference %s",
		text.Cell(p.Name), text.Cell(p.Zone), format.Count(len(p.Reports), "array"), percent(p.LoadEvenness()), percent(p.CapacityEvenness()), percent(p.ReductionDivergence())), page.Width)
	if follows {
		return append([]string{""}, title...)
	}
	return title
}

func jsonPool(p capability.LogicalPool) poolJSON {
	out := poolJSON{
		Name: p.Name, Zone: p.Zone, LoadEvenness: p.LoadEvenness(),
		CapacityEvenness: p.CapacityEvenness(), ReductionDivergence: p.ReductionDivergence(),
	}
	for _, r := range p.Reports {
		a := arrayJSON{Backend: r.Backend, Status: r.Status, Capabilities: r.Capabilities, Labels: advice.LabelsRead(&r, slices.Sorted(maps.Keys(r.Labels)))}
		if sum, ok := cinder.ArithmeticOf(r); ok {
			a.Arithmetic = &sum
		}
		out.Arrays = append(out.Arrays, a)
	}
	return out
}

// poolKeys are the capabilities that the table shows, or computes with.
func poolKeys() []string {
	return []string{
		capability.KeyTotalCapacity, capability.KeyFreeCapacity, capability.KeyProvisionedCapacity, capability.KeyMaxOverSubscription,
		capability.KeyDataReduction, capability.KeyTotalVolumes, capability.KeyReadsPerSec, capability.KeyWritesPerSec,
		capability.KeyUsecPerRead, capability.KeyUsecPerWrite, capability.KeyLoadPercent,
	}
}

func poolTable(p capability.LogicalPool) *text.Table {
	mean := p.Mean(capability.KeyTotalVolumes)
	t := text.NewTable("ARRAY", "STATUS", "USED>", "FREE GiB>", "PROVISIONED>", "VIRTUAL FREE>", "REDUCTION>", "VOLUMES>", "OF MEAN>", "OPS/s>", "READ µs>", "+WRITE µs>", "LOAD %>").
		MayHide("OF MEAN", "REDUCTION", "OPS/s", "PROVISIONED", "READ µs", "VOLUMES", "FREE GiB")
	whole, share, decimal := orMissing(format.Whole), orMissing(format.Percent), orMissing(format.Decimal)
	for _, r := range p.Reports {
		c := r.Capabilities
		t.Add(r.Backend, cmp.Or(string(r.Status), format.Missing), share(c.UsedShare()), number(c, capability.KeyFreeCapacity), number(c, capability.KeyProvisionedCapacity),
			whole(virtualFree(&r)), decimal(c.Number(capability.KeyDataReduction)), number(c, capability.KeyTotalVolumes), share(ofMean(c, mean)),
			whole(c.Operations()), number(c, capability.KeyUsecPerRead), number(c, capability.KeyUsecPerWrite), number(c, capability.KeyLoadPercent))
	}
	return t
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
