package cinder

import (
	"errors"

	"github.com/poolcast/poolcast/collector/placement"
)

// newCapacityFilter types the snapshot and finds out how much is asked for.
func newCapacityFilter(view *placement.View[*pools]) placement.PerRequestFilter {
	return func(r placement.Request, s *placement.Snapshot) (placement.Filter, error) {
		req, err := requestOf(r)
		if err != nil {
			return nil, err
		}
		p, want := view.Of(s), req.Size
		if req.NewSize != 0 {
			want = req.NewSize - req.Size
		}
		if want == 0 || p.err != nil {
			return nil, p.err // a volume that is taken over needs no room
		}
		return capacityFilter{rows: p.rows, home: req.ExistsOn, want: float64(want), thin: !req.thick()}, nil
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
func (c capacityFilter) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	v, err := c.verdict(b)
	return v.shortage == enough, err
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

// verdict is a shortage with the operands.
type capacityVerdict struct {
	shortage shortage
	room     room
	ratio    float64 // provisioned / available after placing; for overRatio
}

func (c capacityFilter) verdict(b *placement.Backend) (capacityVerdict, error) {
	p := &c.rows[b.Index()]
	switch {
	case c.home != "" && b.ID() == c.home:
		return capacityVerdict{}, nil
	case p.free == none:
		return capacityVerdict{shortage: noFree}, nil
	case p.reservedErr != nil:
		return capacityVerdict{}, p.reservedErr
	case p.free == boundless:
		return capacityVerdict{}, nil
	case p.total == boundless && p.reserved == 0:
		return capacityVerdict{}, nil
	case p.total == boundless:
		return capacityVerdict{shortage: unknownReserve}, nil
	case p.totalErr != nil:
		return capacityVerdict{}, p.totalErr
	case p.totalGiB <= 0:
		return capacityVerdict{shortage: noTotal}, nil
	}
	return c.compare(p, b)
}

func (c capacityFilter) compare(p *pool, b *placement.Backend) (capacityVerdict, error) {
	r, err := p.room(b, c.thin)
	v := capacityVerdict{room: r}
	if err != nil {
		return v, err
	}
	if c.thin && p.thin {
		if p.ratio < 1 {
			v.shortage = badRatio
			return v, nil
		}
		if r.available == 0 {
			return v, errors.New("the reserve leaves nothing to divide by")
		}
		if v.ratio = (b.Space().Provisioned + c.want) / r.available; v.ratio > p.ratio {
			v.shortage = overRatio
			return v, nil
		}
	}
	if r.virtual < c.want {
		v.shortage = noVirtual
	}
	return v, nil
}
