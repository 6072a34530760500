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
	number   amount = iota
	infinite        // or unknown
	null
	invalid
)

// reportView is a report with the types of the scheduler's arithmetic, ordered by
// what decisions read first. What changes as volumes are placed is in
// placement.Space.
type reportView struct {
	free, total amount
	thin        bool // whether it can provision thinly
	ratio       float64
	reserved    float64 // share of the total, 0…1
	totalGiB    float64 // float(total_capacity_gb)

	// The capacity less the reserve: for thick volumes, and for thin ones with
	// over-subscription, exactly and to 2 decimals.
	thickAvailable, thinAvailable, thinRounded float64

	totalErr     error // why there is no totalGiB
	reservedErr  error // why there is no reserved
	availableErr error // why there is no available capacity

	host    string // with the pool
	cluster string // with the pool, "" if there is none
}

// reportViews are the typed reports of a snapshot, in its order.
type reportViews struct {
	rows []reportView
	// err is a report on which the scheduler fails before it calls any filter.
	err error
}

// newReportViews returns the view of a snapshot's reports. The ratio is
// [DEFAULT] max_over_subscription_ratio, for backends that report none.
func newReportViews(ratio capability.Value) *placement.View[*reportViews] {
	return placement.NewView(func(s *placement.Snapshot) *reportViews {
		p := &reportViews{rows: make([]reportView, s.Len())}
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

func (p *reportView) read(b *placement.Backend, ratio capability.Value) error {
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

func (p *reportView) readAmounts(b *placement.Backend) {
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
		return infinite
	case v.IsNull():
		return null
	}
	return invalid
}

func valueOr(b *placement.Backend, key string, absent capability.Value) capability.Value {
	if v, ok := b.Value(key); ok {
		return v
	}
	return absent
}

// overSubscription follows calculate_max_over_subscription_ratio in
// cinder/scheduler/sched_utils.py.
func (p *reportView) overSubscription(b *placement.Backend, global capability.Value) (float64, error) {
	if !p.thin || p.total == infinite || p.free == infinite {
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

func (p *reportView) automatic(b *placement.Backend) (float64, error) {
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

// readAvailable is the part of calculate_capacity_factors in
// cinder/scheduler/sched_utils.py that does not depend on what is placed.
func (p *reportView) readAvailable() {
	p.availableErr = errors.Join(p.totalErr, p.reservedErr)
	reserve := math.Floor(p.totalGiB * p.reserved)
	if p.availableErr == nil && (math.IsInf(reserve, 0) || math.IsNaN(reserve)) {
		p.availableErr = fmt.Errorf("reserve %v of %v GiB: not a finite number", p.reserved, p.totalGiB)
	}
	p.thickAvailable = p.totalGiB - reserve
	p.thinAvailable = p.thickAvailable * p.ratio
	p.thinRounded = python.Round2(p.thinAvailable)
}

// virtualFree is a backend's room for thin or thick volumes; Cinder rounds it to 2
// decimals.
func (p *reportView) virtualFree(b *placement.Backend, thin bool) (float64, error) {
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

// attribute returns the attribute of that name of the scheduler's pool (PoolState in
// cinder/scheduler/host_manager.py), null if it has none. The time of its last
// update is null too: it is a Python object that no comparison can use.
func (p *reportView) attribute(b *placement.Backend, name string) capability.Value {
	switch name {
	case "host":
		return capability.OfString(p.host)
	case "cluster_name":
		return textOrNull(p.cluster)
	case "backend_id":
		return capability.OfString(b.ID())
	case "pool_name":
		return capability.OfString(poolName(b.Report()))
	case "capabilities":
		return capability.OfSet(b.Report().Capabilities)
	case "service":
		return capability.OfSet(capability.Set{
			"host":              capability.OfString(b.Report().Host),
			"availability_zone": textOrNull(b.Report().Zone),
		})
	case "pools":
		return capability.OfSet(nil)
	case capability.KeyMaxOverSubscription:
		return capability.OfFloat(p.ratio)
	}
	return reported(b, name)
}

func textOrNull(s string) capability.Value {
	if s == "" {
		return capability.Value{}
	}
	return capability.OfString(s)
}

// reported returns an attribute that is copied from the report, with the
// scheduler's default.
func reported(b *placement.Backend, name string) capability.Value {
	switch name {
	case capability.KeyFreeCapacity, capability.KeyAllocatedCapacity, capability.KeyProvisionedCapacity:
		return current(b, name)
	case capability.KeyTotalCapacity, capability.KeyReservedPercentage, capability.KeyGoodnessFunction:
		return valueOr(b, name, capability.OfInt(0))
	case capability.KeyQoSSupport, capability.KeyThinProvisioning, capability.KeyMultiattach, "thick_provisioning_support":
		return valueOr(b, name, capability.OfBool(false))
	case capability.KeyVolumeBackendName, capability.KeyVendorName, capability.KeyDriverVersion,
		capability.KeyStorageProtocol, capability.KeyFilterFunction:
		return valueOr(b, name, capability.Value{})
	}
	return capability.Value{}
}

// current is a capacity after what was placed since the report.
func current(b *placement.Backend, name string) capability.Value {
	v, ok := b.Value(name)
	if ok && (!b.Consumed() || v.Kind() == capability.String || v.IsNull()) {
		return v
	}
	space := b.Space()
	switch name {
	case capability.KeyFreeCapacity:
		return capability.OfFloat(space.Free)
	case capability.KeyAllocatedCapacity:
		return capability.OfFloat(space.Allocated)
	}
	return capability.OfFloat(space.Provisioned)
}
