package status

import (
	"cmp"
	"math"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

// column is one column of the table of arrays, and the definition of its figure.
type column struct {
	ID      string // the value of the parameter sort
	Label   string
	meaning string
	key     string            // the capability key that it shows, if it shows one
	text    func(row) string  // what it is sorted by: a text,
	figure  func(row) float64 // or a number
	falls   bool              // the highest value is first, unless the order is reversed
	Spare   bool              // left out where the window is narrow
}

// columns returns the columns in their order on the page.
func columns() []column {
	return []column{
		{ID: "name", Label: "array", text: func(r row) string { return r.Name }, meaning: "The stanza of cinder.conf."},
		{ID: "state", Label: "state", falls: true, figure: row.rank, meaning: "Up, or the highest severity and its causes. An array that is down or whose sample is stale is critical; a suspended overlay, a report that does not reach the schedulers, a partial sample and a problem that the array reports are warnings; figures are compared with the thresholds."},
		{ID: "load", Label: "load", key: capability.KeyLoadPercent, falls: true, figure: func(r row) float64 { return r.Load.value }, meaning: "How busy the array is. The scale of the line is from 0 to 100\u202f%."},
		{ID: "read", Label: "read", key: capability.KeyUsecPerRead, falls: true, figure: func(r row) float64 { return r.Read.value }, meaning: "Mean latency of reads."},
		{ID: "write", Label: "write", key: capability.KeyUsecPerWrite, falls: true, figure: func(r row) float64 { return r.Write.value }, meaning: "Mean latency of writes."},
		{ID: "used", Label: "used", falls: true, figure: func(r row) float64 { return r.Used.value }, meaning: "Share of the physical capacity in use: (total_capacity_gb − free_capacity_gb) / total_capacity_gb."},
		{ID: "virtual_free", Label: "virtual free", figure: func(r row) float64 { return r.VirtualFree.value }, meaning: "The capacity that CapacityFilter compares the size of a new volume with: (total − reserved) × ratio − provisioned. The percentage is the share of (total − reserved) × ratio."},
		{ID: "volumes", Label: "volumes", key: capability.KeyTotalVolumes, falls: true, Spare: true, figure: func(r row) float64 { return r.Volumes.value }, meaning: "Number of volumes."},
		{ID: "reduction", Label: "reduction", key: capability.KeyDataReduction, Spare: true, figure: func(r row) float64 { return r.Reduction.value }, meaning: "Bytes of data for each byte of physical capacity."},
		{ID: "age", Label: "age", falls: true, Spare: true, figure: func(r row) float64 { return r.Age.value }, meaning: "Time since the newest sample of the array."},
		{ID: "overlay", Label: "overlay", Spare: true, text: func(r row) string { return r.Overlay }, meaning: "What is published of the backend: overlaying is cinder-volume’s report with measured values in it, standalone a complete report; on standby another agent publishes."},
		{ID: "pool", Label: "pool", Spare: true, text: func(r row) string { return r.Pool }, meaning: "Logical pool: volume_backend_name."},
		{ID: "zone", Label: "zone", Spare: true, text: func(r row) string { return r.Zone }, meaning: "Availability zone."},
	}
}

// order compares two rows. What is not known is last in both directions.
func (c column) order(a, b row, reversed bool) int {
	unknown, compared := 0, 0
	if c.text != nil {
		x, y := strings.ToLower(c.text(a)), strings.ToLower(c.text(b))
		unknown, compared = compareBool(x == "", y == ""), cmp.Compare(x, y)
	} else {
		x, y := c.figure(a), c.figure(b)
		unknown, compared = compareBool(math.IsNaN(x), math.IsNaN(y)), cmp.Compare(x, y)
	}
	if c.falls != reversed {
		compared = -compared
	}
	return cmp.Or(unknown, compared)
}

// compareBool puts false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// IsNumber reports whether the column is aligned at the right.
func (c column) IsNumber() bool { return c.figure != nil && c.ID != "state" }

// Meaning is the definition of the column, with that of the capability key it shows.
func (c column) Meaning() string {
	k, ok := capability.LookupKey(c.key)
	if !ok {
		return c.meaning
	}
	text := c.meaning + " Key " + k.Name
	if k.Unit != "" {
		text += " in " + k.Unit
	}
	text += ": " + k.Source + "."
	if k.Absent != "" {
		text += " It is absent (–) if " + k.Absent + "."
	}
	return text
}

// meaning returns the definition of a column by its id.
func meaning(id string) string {
	for _, c := range columns() {
		if c.ID == id {
			return c.Meaning()
		}
	}
	return ""
}
