package cinder

import (
	"errors"
	"math"

	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// newCapacityFilter types the snapshot and finds out how much is asked for.
func newCapacityFilter(view *placement.View[*pools]) placement.PerRequestFilter {
	return func(r placement.Request, s *placement.Snapshot) (placement.Filter, error) {
		req, err := requestOf(r)
		if err != nil {
			return nil, err
		}
		want := req.Size
		if req.NewSize != 0 {
			want = req.NewSize - req.Size
		}
		if want == 0 {
			return nil, nil // a volume that is taken over needs no room
		}
		return &capacityFilter{rows: view.Of(s).rows, home: req.ExistsOn, want: float64(want), thin: !req.thick()}, nil
	}
}

// thick reports whether the type asks for thick volumes, for which
// over-subscription does not count.
func (r *Request) thick() bool {
	provisioning, _ := r.specs().Get("provisioning:type")
	return provisioning == "thick"
}

// capacityFilter is CapacityFilter for one request
// (cinder/scheduler/filters/capacity_filter.py).
type capacityFilter struct {
	rows []pool
	home string
	want float64
	thin bool
}

// Filter lets backends with enough room pass.
func (c *capacityFilter) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	short, err := c.verdict(b)
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

// verdict is what a backend is short of.
func (c *capacityFilter) verdict(b *placement.Backend) (shortage, error) {
	p := &c.rows[b.Index()]
	switch {
	case c.home != "" && b.ID() == c.home:
		return enough, nil
	case p.free == none:
		return noFree, nil
	case p.reservedErr != nil:
		return enough, p.reservedErr
	case p.free == boundless:
		return enough, nil
	case p.total == boundless && p.reserved == 0:
		return enough, nil
	case p.total == boundless:
		return unknownReserve, nil
	case p.totalErr != nil:
		return enough, p.totalErr
	case p.totalGiB <= 0:
		return noTotal, nil
	}
	return c.compare(p, b)
}

func (c *capacityFilter) compare(p *pool, b *placement.Backend) (shortage, error) {
	virtual, err := p.virtualFree(b, c.thin)
	if err != nil {
		return enough, err
	}
	if c.thin && p.thin {
		switch {
		case p.ratio < 1:
			return badRatio, nil
		case p.thinRounded == 0:
			return enough, errors.New("the reserve leaves nothing to divide by")
		case c.provisionedRatio(p, b) > p.ratio:
			return overRatio, nil
		}
	}
	if below(virtual, c.want) {
		return noVirtual, nil
	}
	return enough, nil
}

// provisionedRatio is what the backend would be subscribed to. Cinder divides
// by a total that holds the over-subscription ratio already, and compares the
// result with the ratio once more.
func (c *capacityFilter) provisionedRatio(p *pool, b *placement.Backend) float64 {
	return (b.Space().Provisioned + c.want) / p.thinRounded
}

// below is python.Round2(x) < want. Rounding is the costly part, and only matters
// near want.
func below(x, want float64) bool {
	if math.Abs(x-want) > 0.01 {
		return x < want
	}
	return python.Round2(x) < want
}
