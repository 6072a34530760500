package flasharray

import (
	"context"
	"errors"

	"github.com/poolcast/poolcast/collector/capability"
)

var errNoCapacity = errors.New("the array did not tell its capacity; does the token's role have the right to see it?")

// space reads arrays/space, without which there is no reading.
func (s *sampler) space(ctx context.Context) error {
	var odd []error
	p, err := s.ask(ctx, "arrays/space", nil, &odd)
	if err != nil {
		return err
	}
	if len(p.items) == 0 {
		return errors.New("GET arrays/space: the answer is empty")
	}
	s.array = p.items[0].text("id")
	s.stats.Space = decodeSpace(p.items[0])
	if s.stats.Space == nil {
		odd = append(odd, errNoCapacity)
	}
	s.fault("space", odd...)
	return nil
}

// decodeSpace returns nil when the capacity is not told: what is used of an
// unknown whole says nothing.
func decodeSpace(o object) *capability.Space {
	inner := o.object("space")
	space := &capability.Space{
		Capacity:         o.int("capacity"),
		TotalPhysical:    inner.int("total_physical"),
		TotalUsed:        inner.int("total_used"),
		TotalProvisioned: inner.int("total_provisioned"),
		UsedProvisioned:  inner.int("used_provisioned"),
		DataReduction:    inner.float("data_reduction"),
		TotalReduction:   inner.float("total_reduction"),
	}
	if space.Capacity == nil {
		return nil
	}
	return space
}
