package rehearsal

import (
	"slices"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// round is the reports of all arrays at one moment.
type round struct {
	stamp   time.Time
	reports []capability.Report
}

// scheduler is the state of one cinder-scheduler.
type scheduler struct {
	latest  *round
	reports []capability.Report // whose numbers it uses
	fresh   *placement.Snapshot // of reports
	current *placement.Snapshot // with its deductions
	taken   [][]float64         // deductions since, by backend, in GiB
	updated []time.Time         // when it last changed a backend's numbers

	ledger *placement.Ledger // nil to do as Cinder does
}

func newScheduler(backends int, ledger bool) *scheduler {
	s := &scheduler{
		reports: make([]capability.Report, backends),
		taken:   make([][]float64, backends),
		updated: make([]time.Time, backends),
	}
	if ledger {
		s.ledger = new(placement.Ledger)
	}
	return s
}

// update takes over the newest reports, as Cinder does before each decision.
func (s *scheduler) update(r *round) {
	isNew := s.latest != r
	s.latest = r
	if s.ledger != nil {
		if isNew {
			s.current = s.ledger.Apply(cinder.NewSnapshot(r.reports))
		}
		return
	}
	dropped := s.accept(r, isNew)
	if isNew {
		s.fresh = cinder.NewSnapshot(s.reports)
	}
	if isNew || dropped {
		s.deduct()
	}
}

// accept takes over the numbers of each backend from which nothing was deducted
// since the round's timestamp. It returns whether deductions were dropped.
func (s *scheduler) accept(r *round, isNew bool) (dropped bool) {
	for i := range s.reports {
		held := s.updated[i].After(r.stamp)
		switch {
		case held && isNew:
			s.reports[i] = withNumbersOf(s.reports[i], r.reports[i])
		case held:
		case isNew || len(s.taken[i]) > 0:
			dropped = dropped || len(s.taken[i]) > 0
			s.reports[i], s.taken[i], s.updated[i] = r.reports[i], nil, r.stamp
		}
	}
	return dropped
}

// withNumbersOf is a report with the numbers that a scheduler keeps apart from
// its capabilities (PoolState in cinder/scheduler/host_manager.py).
func withNumbersOf(old, r capability.Report) capability.Report {
	caps := r.Capabilities.Clone()
	for _, key := range []string{
		capability.KeyTotalCapacity, capability.KeyFreeCapacity, capability.KeyAllocatedCapacity,
		capability.KeyProvisionedCapacity, capability.KeyMaxOverSubscription, capability.KeyReservedPercentage,
	} {
		if v, ok := old.Capabilities[key]; ok {
			caps[key] = v
		}
	}
	r.Capabilities = caps
	return r
}

// deduct subtracts the deductions that still count from the reports, one by one
// and in order, so that equal sums are equal to the last bit.
func (s *scheduler) deduct() {
	s.current = s.fresh
	for i, sizes := range s.taken {
		for _, gib := range sizes {
			s.current = s.current.Consume(s.current.At(i), placement.Consumption{GiB: gib})
		}
	}
}

// consume deducts a volume that was placed.
func (s *scheduler) consume(b *placement.Backend, r *cinder.Request, at time.Time) {
	i, consumed := b.Index(), r.Consumption()
	if s.ledger != nil {
		consumed.Volumes = 1
		s.ledger.Add(b.ID(), consumed, at)
	}
	s.current = s.current.Consume(b, consumed)
	s.taken[i] = append(slices.Clip(s.taken[i]), consumed.GiB)
	s.updated[i] = at
}
