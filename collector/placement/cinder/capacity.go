package cinder

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// newCapacityFilter prepares CapacityFilter.
func newCapacityFilter(views *placement.View[*reportViews]) placement.PerRequestFilter {
	return func(r placement.Request, s *placement.Snapshot) (placement.Filter, error) {
		req, err := requestOf(r)
		if err != nil {
			return nil, err
		}
		size := req.Size
		if req.NewSize != 0 {
			size = req.NewSize - req.Size
		}
		if size == 0 {
			return nil, nil // a volume that is managed needs no room
		}
		return &capacityFilter{rows: views.Of(s).rows, existsOn: req.ExistsOn, size: float64(size), thin: !req.thick()}, nil
	}
}

// thick reports whether the type asks for thick volumes, for which
// over-subscription does not count.
func (r *Request) thick() bool {
	provisioning, _ := r.specs().get("provisioning:type")
	return provisioning == "thick"
}

// capacityFilter is CapacityFilter for one request
// (cinder/scheduler/filters/capacity_filter.py).
type capacityFilter struct {
	rows     []reportView
	existsOn string
	size     float64 // GiB
	thin     bool
}

// Filter passes backends with enough room.
func (c *capacityFilter) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	short, err := c.check(b)
	return short == enough, err
}

// shortage says which check a backend failed.
type shortage uint8

const (
	enough shortage = iota
	noFree
	noTotal
	unknownReserve
	badRatio
	overRatio
	noVirtual
)

// check returns which check a backend fails.
func (c *capacityFilter) check(b *placement.Backend) (shortage, error) {
	p := &c.rows[b.Index()]
	switch {
	case c.existsOn != "" && b.ID() == c.existsOn:
		return enough, nil
	case p.free == null:
		return noFree, nil
	case p.reservedErr != nil:
		return enough, p.reservedErr
	case p.free == infinite:
		return enough, nil
	case p.total == infinite && p.reserved == 0:
		return enough, nil
	case p.total == infinite:
		return unknownReserve, nil
	case p.totalErr != nil:
		return enough, p.totalErr
	case p.totalGiB <= 0:
		return noTotal, nil
	}
	return c.compare(p, b)
}

func (c *capacityFilter) compare(p *reportView, b *placement.Backend) (shortage, error) {
	virtual, err := p.virtualFree(b, c.thin)
	if err != nil {
		return enough, err
	}
	if c.thin && p.thin {
		switch {
		case p.ratio < 1:
			return badRatio, nil
		case p.thinRounded == 0:
			return enough, errors.New("total_capacity_gb less the reserve is 0, and cannot be divided by")
		case c.provisionedRatio(p, b) > p.ratio:
			return overRatio, nil
		}
	}
	if below(virtual, c.size) {
		return noVirtual, nil
	}
	return enough, nil
}

// provisionedRatio is the subscription of the backend with the volume. Cinder
// divides by a total that includes the over-subscription ratio already, and compares
// the result with the ratio again.
func (c *capacityFilter) provisionedRatio(p *reportView, b *placement.Backend) float64 {
	return (b.Space().Provisioned + c.size) / p.thinRounded
}

// below is python.Round2(x) < limit. Rounding is slow, and matters only near the
// limit.
func below(x, limit float64) bool {
	if math.Abs(x-limit) > 0.01 {
		return x < limit
	}
	return python.Round2(x) < limit
}

// The offsets of an infinite capacity where the multiplier favours little capacity
// (cinder/scheduler/weights/capacity.py, OFFSET_MIN and OFFSET_MULT).
const (
	offsetMin  = 10000
	offsetMult = 100
)

// capacityWeigher is CapacityWeigher for one request
// (cinder/scheduler/weights/capacity.py).
type capacityWeigher struct {
	rows     []reportView
	thin     bool
	infinite float64 // weight of a capacity that is infinite or unknown
}

func newCapacityWeigher(views *placement.View[*reportViews], multiplier float64) placement.PerRequestWeigher {
	weight := -1.0
	if multiplier <= 0 {
		weight = math.Inf(1)
	}
	return func(r placement.Request, s *placement.Snapshot) (placement.Weigher, error) {
		req, err := requestOf(r)
		if err != nil {
			return nil, err
		}
		v := views.Of(s)
		return &capacityWeigher{rows: v.rows, thin: !req.thick(), infinite: weight}, v.err
	}
}

// Weigh returns the virtual free capacity.
func (w *capacityWeigher) Weigh(_ placement.Request, b *placement.Backend) (float64, error) {
	p := &w.rows[b.Index()]
	if p.free == infinite || p.total == infinite {
		return w.infinite, nil
	}
	virtual, err := p.virtualFree(b, w.thin)
	return python.Round2(virtual), err
}

// Adjust puts infinite weights far above the others.
func (w *capacityWeigher) Adjust(weights []float64) error {
	if !math.IsInf(slices.Max(weights), 1) {
		return nil
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, weight := range weights {
		lo = min(lo, weight)
		if !math.IsInf(weight, 0) {
			hi = max(hi, weight)
		}
	}
	if math.IsInf(hi, -1) {
		return errors.New("no backend has a finite capacity to compare with")
	}
	offset := (hi - lo) * offsetMult
	if offset == 0 {
		offset = offsetMin
	}
	for i := range weights {
		if math.IsInf(weights[i], 0) {
			weights[i] = hi + offset
		}
	}
	return nil
}

// Explain shows the arithmetic.
func (c *capacityFilter) Explain(_ placement.Request, b *placement.Backend) string {
	short, err := c.check(b)
	if err != nil {
		return err.Error()
	}
	p := &c.rows[b.Index()]
	switch short {
	case noFree:
		return "free_capacity_gb is null: cinder-volume could not read it"
	case noTotal:
		return fmt.Sprintf("total %s is not above 0", gib(p.totalGiB))
	case unknownReserve:
		return fmt.Sprintf("cannot reserve %s%% of a total that is infinite or unknown", plain(p.reserved*100))
	case badRatio:
		return fmt.Sprintf("over-subscription ratio %s is below 1", plain(p.ratio))
	case overRatio:
		return fmt.Sprintf("provisioned ratio %s > %s: (%s%s + %s) / %s",
			strconv.FormatFloat(c.provisionedRatio(p, b), 'g', 6, 64), plain(p.ratio),
			provisionedTerm(b.Report()), plain(b.Space().Provisioned), gib(c.size), gib(p.thinRounded))
	case noVirtual:
		return p.compared(b, c.thin) + " < " + gib(c.size) + ": " + p.arithmetic(b, c.thin)
	}
	return ""
}

// Explain shows how the virtual free capacity is computed.
func (w *capacityWeigher) Explain(_ placement.Request, b *placement.Backend) string {
	p := &w.rows[b.Index()]
	if p.free == infinite || p.total == infinite {
		return "capacity is infinite or unknown"
	}
	return p.compared(b, w.thin) + ": " + p.arithmetic(b, w.thin)
}

func (p *reportView) compared(b *placement.Backend, thin bool) string {
	virtual, err := p.virtualFree(b, thin)
	if err != nil {
		return err.Error()
	}
	return "virtual free " + gib(virtual)
}

// arithmetic is the virtual free capacity as a formula.
func (p *reportView) arithmetic(b *placement.Backend, thin bool) string {
	space, provisioned := b.Space(), provisionedTerm(b.Report())+plain(b.Space().Provisioned)
	total := "total " + plain(p.totalGiB)
	reserve := p.totalGiB - p.thickAvailable
	if reserve != 0 {
		total += " - reserved " + plain(reserve)
	}
	if thin && p.thin {
		if reserve != 0 {
			total = "(" + total + ")"
		}
		return fmt.Sprintf("%s × ratio %s - %s", total, plain(p.ratio), provisioned)
	}
	sum := total + " - " + provisioned
	if space.Free < p.thickAvailable-space.Provisioned {
		return fmt.Sprintf("free %s, which is less than %s", plain(space.Free), sum)
	}
	return fmt.Sprintf("%s, free %s", sum, plain(space.Free))
}

func gib(f float64) string { return plain(f) + " GiB" }

// plain prints a number to 2 decimals, without trailing zeros.
func plain(f float64) string { return strconv.FormatFloat(python.Round2(f), 'f', -1, 64) }

// Arithmetic has the terms of the scheduler's virtual free capacity of one backend
// in GiB, with which CapacityFilter compares a size.
type Arithmetic struct {
	Total       float64 `json:"total"`        // total_capacity_gb
	Reserved    float64 `json:"reserved"`     // kept free by reserved_percentage, rounded down
	Ratio       float64 `json:"ratio"`        // over-subscription; 1 for thick volumes
	Provisioned float64 `json:"provisioned"`  // provisioned_capacity_gb, or else allocated_capacity_gb
	Free        float64 `json:"free"`         // free_capacity_gb
	Virtual     float64 `json:"virtual_free"` // what is left for new volumes
	Thin        bool    `json:"thin"`         // whether the ratio counts
}

// ArithmeticOf computes it for a thin volume on a report. It is not ok where a term
// is missing, infinite or unknown: CapacityFilter then computes nothing.
func ArithmeticOf(r capability.Report) (a Arithmetic, ok bool) {
	s := NewSnapshot([]capability.Report{r})
	views := newReportViews(capability.OfString(DefaultRatio)).Of(s)
	b := s.At(0)
	row := &views.rows[0]
	if views.err != nil || row.total != number || row.free != number {
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
