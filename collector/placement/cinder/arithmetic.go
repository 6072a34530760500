package cinder

import (
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// Arithmetic is how the scheduler counts the room of one backend, in GiB: what
// CapacityFilter compares a size with, term by term.
type Arithmetic struct {
	Total       float64 `json:"total"`        // total_capacity_gb
	Reserved    float64 `json:"reserved"`     // kept free by reserved_percentage, rounded down
	Ratio       float64 `json:"ratio"`        // over-subscription; 1 for thick volumes
	Provisioned float64 `json:"provisioned"`  // provisioned_capacity_gb, or else allocated_capacity_gb
	Free        float64 `json:"free"`         // free_capacity_gb
	Virtual     float64 `json:"virtual_free"` // what is left for new volumes
	Thin        bool    `json:"thin"`         // whether the ratio counts
}

// ArithmeticOf does the scheduler's sum for a thin volume on a report. It is
// not ok where a term is missing, infinite or unknown, as CapacityFilter then
// does not compute.
func ArithmeticOf(r capability.Report) (a Arithmetic, ok bool) {
	s := NewSnapshot([]capability.Report{r})
	p := newPools(capability.OfString(DefaultRatio)).Of(s)
	b := s.At(0)
	row := &p.rows[0]
	if p.err != nil || row.total != number || row.free != number {
		return Arithmetic{}, false
	}
	virtual, err := row.virtualFree(b, true)
	if err != nil {
		return Arithmetic{}, false
	}
	a = Arithmetic{
		Total: row.totalGiB, Reserved: row.totalGiB - row.thickAvailable, Ratio: 1, Thin: row.thin,
		Provisioned: b.Space().Provisioned, Free: b.Space().Free, Virtual: python.Round2(virtual),
	}
	if row.thin {
		a.Ratio = row.ratio
	}
	return a, true
}
