package cinder

import (
	"errors"
	"fmt"
	"math"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// initialAutoRatio is used for an automatic ratio while nothing is provisioned
// (cinder/scheduler/sched_utils.py, INITIAL_AUTO_MOSR).
const initialAutoRatio = 20

// amount is a capacity as drivers report it.
type amount uint8

const (
	number amount = iota
	boundless
	none
	nonsense
)

// pool is a report typed for the scheduler's arithmetic. What changes as
// volumes are placed is in placement.Space; the rest is here, what every
// decision reads first.
type pool struct {
	free, total amount
	thin        bool // whether it can provision thinly
	ratio       float64
	reserved    float64 // share of the total, 0…1
	totalGiB    float64 // float(total_capacity_gb)

	// What there is to give out, less the reserve: for thick volumes, and for
	// thin ones with over-subscription, exactly and to 2 decimals.
	thickAvailable, thinAvailable, thinRounded float64

	totalErr     error // why there is no totalGiB
	reservedErr  error // why there is no reserved
	availableErr error // why there is nothing to give out

	host    string // with the pool
	cluster string // with the pool, "" if there is none
}

// pools are the typed reports of a snapshot, in its order.
type pools struct {
	rows []pool
	// err is a report on which the scheduler would stumble before it asks any
	// filter.
	err error
}

// newPools returns the view that types a snapshot's reports. The ratio is
// [DEFAULT] max_over_subscription_ratio, for backends that report none.
func newPools(ratio capability.Value) *placement.View[*pools] {
	return placement.NewView(func(s *placement.Snapshot) *pools {
		p := &pools{rows: make([]pool, s.Len())}
		var faults []error
		for i := range p.rows {
			b := s.At(i)
			if err := p.rows[i].read(b, ratio); err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", b.ID(), err))
			}
		}
		p.err = errors.Join(faults...)
		return p
	})
}

func (p *pool) read(b *placement.Backend, ratio capability.Value) error {
	p.host = poolHost(b.Report())
	if b.Report().Cluster != "" {
		p.cluster = b.ID()
	}
	p.readAmounts(b)
	support, _ := b.Value(capability.KeyThinProvisioning)
	p.thin = python.Bool(support)
	var err error
	if p.ratio, err = p.overSubscription(b, ratio); err != nil {
		return fmt.Errorf("read max_over_subscription_ratio: %w", err)
	}
	p.readAvailable()
	return nil
}

func (p *pool) readAmounts(b *placement.Backend) {
	total := valueOr(b, capability.KeyTotalCapacity, capability.OfInt(0))
	p.total = amountOf(total)
	if p.totalGiB, p.totalErr = python.ToFloat(total); p.totalErr != nil {
		p.totalErr = fmt.Errorf("read total_capacity_gb: %w", p.totalErr)
	}
	p.free = amountOf(valueOr(b, capability.KeyFreeCapacity, capability.OfInt(0)))
	percent, err := python.ToFloat(valueOr(b, capability.KeyReservedPercentage, capability.OfInt(0)))
	if err != nil {
		p.reservedErr = fmt.Errorf("read reserved_percentage: %w", err)
	}
	p.reserved = percent / 100
}

func amountOf(v capability.Value) amount {
	if _, ok := python.Number(v); ok {
		return number
	}
	switch s, _ := v.Str(); {
	case s == "infinite", s == "unknown":
		return boundless
	case v.IsNull():
		return none
	}
	return nonsense
}

func valueOr(b *placement.Backend, key string, absent capability.Value) capability.Value {
	if v, ok := b.Value(key); ok {
		return v
	}
	return absent
}

// overSubscription follows calculate_max_over_subscription_ratio in
// cinder/scheduler/sched_utils.py.
func (p *pool) overSubscription(b *placement.Backend, global capability.Value) (float64, error) {
	if !p.thin || p.total == boundless || p.free == boundless {
		return 1, nil
	}
	ratio, _ := b.Value(capability.KeyMaxOverSubscription)
	if !python.Bool(ratio) {
		ratio = global
	}
	if s, ok := ratio.Str(); !ok || s != "auto" {
		return python.ToFloat(ratio)
	}
	return p.automatic(b)
}

func (p *pool) automatic(b *placement.Backend) (float64, error) {
	allocated := valueOr(b, capability.KeyAllocatedCapacity, capability.OfInt(0))
	value := valueOr(b, capability.KeyProvisionedCapacity, allocated)
	if f, ok := python.Number(value); ok && f == 0 {
		return initialAutoRatio, nil
	}
	if p.total != number || p.free != number {
		return 0, errors.New("an automatic ratio needs numbers for total_capacity_gb and free_capacity_gb")
	}
	provisioned, err := python.ToFloat(value)
	if err != nil {
		return 0, fmt.Errorf("an automatic ratio needs provisioned_capacity_gb: %w", err)
	}
	free, _ := python.Number(valueOr(b, capability.KeyFreeCapacity, capability.OfInt(0)))
	used := p.totalGiB - free
	if used == -1 {
		return 0, errors.New("an automatic ratio divides by the used capacity + 1, which is 0")
	}
	return 1 + provisioned/(used+1), nil
}

// readAvailable follows calculate_capacity_factors in
// cinder/scheduler/sched_utils.py as far as it does not depend on what is
// placed.
func (p *pool) readAvailable() {
	p.availableErr = errors.Join(p.totalErr, p.reservedErr)
	reserve := math.Floor(p.totalGiB * p.reserved)
	if p.availableErr == nil && (math.IsInf(reserve, 0) || math.IsNaN(reserve)) {
		p.availableErr = fmt.Errorf("reserve %v of %v GiB: not a finite number", p.reserved, p.totalGiB)
	}
	p.thickAvailable = p.totalGiB - reserve
	p.thinAvailable = p.thickAvailable * p.ratio
	p.thinRounded = python.Round2(p.thinAvailable)
}

// virtualFree is a backend's room for thin or thick volumes, which Cinder
// rounds to 2 decimals.
func (p *pool) virtualFree(b *placement.Backend, thin bool) (float64, error) {
	if p.availableErr != nil {
		return 0, p.availableErr
	}
	space := b.Space()
	if math.IsNaN(space.Provisioned) {
		return 0, errors.New("provisioned_capacity_gb is not a number")
	}
	if thin && p.thin {
		return p.thinAvailable - space.Provisioned, nil
	}
	if p.free != number || math.IsNaN(space.Free) {
		return 0, errors.New("free_capacity_gb is not a number")
	}
	return min(space.Free, p.thickAvailable-space.Provisioned), nil
}
