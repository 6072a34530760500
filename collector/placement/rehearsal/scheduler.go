package rehearsal

import (
	"slices"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// bulletin is what all arrays reported at one moment.
type bulletin struct {
	stamp   time.Time
	reports []capability.Report
}

// scheduler holds what one cinder-scheduler believes.
type scheduler struct {
	heard   *bulletin
	reports []capability.Report // whose numbers it goes by
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

// look takes the newest bulletin in, as Cinder does before each decision.
func (s *scheduler) look(b *bulletin) {
	isNew := s.heard != b
	s.heard = b
	if s.ledger != nil {
		if isNew {
			s.current = s.ledger.Apply(cinder.NewSnapshot(b.reports))
		}
		return
	}
	forgot := s.believe(b, isNew)
	if isNew {
		s.fresh = cinder.NewSnapshot(s.reports)
	}
	if isNew || forgot {
		s.deduct()
	}
}

// believe takes over the numbers of each backend that was not deducted from
// since the bulletin's stamp. It tells whether deductions went with that.
func (s *scheduler) believe(b *bulletin, isNew bool) (forgot bool) {
	for i := range s.reports {
		held := s.updated[i].After(b.stamp)
		switch {
		case held && isNew:
			s.reports[i] = withNumbersOf(s.reports[i], b.reports[i])
		case held:
		case isNew || len(s.taken[i]) > 0:
			forgot = forgot || len(s.taken[i]) > 0
			s.reports[i], s.taken[i], s.updated[i] = b.reports[i], nil, b.stamp
		}
	}
	return forgot
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

// deduct lays the deductions that still count over the reports, one by one and
// in order, so that equal sums come out equal to the last bit.
func (s *scheduler) deduct() {
	s.current = s.fresh
	for i, sizes := range s.taken {
		for _, gib := range sizes {
			s.current = s.current.Consume(s.current.At(i), placement.Consumption{GiB: gib})
		}
	}
}

// consume notes a volume that was placed.
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
