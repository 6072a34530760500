package placement

import (
	"slices"
	"sync"
	"time"
)

// Ledger remembers what was placed and no report can know yet. Cinder's
// scheduler forgets its own deductions with each report; a ledger forgets an
// entry only when the backend's report was begun after the entry was made, and
// it can count volumes as well as capacity.
//
// Nothing uses a ledger unless it is told to. A Ledger may be used from any
// goroutine; the zero value is empty and ready.
type Ledger struct {
	mu      sync.Mutex
	entries map[string][]entry // by backend
}

type entry struct {
	charge Charge
	at     time.Time
}

// Add notes a charge on a backend. The caller says when; the ledger has no
// clock.
func (l *Ledger) Add(backend string, c Charge, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.entries == nil {
		l.entries = map[string][]entry{}
	}
	l.entries[backend] = append(l.entries[backend], entry{charge: c, at: at})
}

// Apply returns the snapshot with all charges that its reports do not know,
// and forgets the others. Entries of backends that are not in the snapshot are
// kept: they may be back with the next report. Use it on a snapshot of
// reports, not on one that was charged by hand.
func (l *Ledger) Apply(s *Snapshot) *Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out *Snapshot
	for i := range s.backends {
		id := s.backends[i].id
		pending := l.pending(id, s.backends[i].report.CollectedAt)
		if len(pending) > 0 && out == nil {
			out = s.clone()
		}
		for _, e := range pending {
			out.backends[i].charge(e.charge)
		}
	}
	if out == nil {
		return s
	}
	return out
}

// pending drops the entries that a reading begun at that time has seen.
func (l *Ledger) pending(backend string, begun time.Time) []entry {
	left := slices.DeleteFunc(l.entries[backend], func(e entry) bool { return e.at.Before(begun) })
	if len(left) == 0 {
		delete(l.entries, backend)
		return nil
	}
	l.entries[backend] = left
	return left
}

// Len is the number of entries.
func (l *Ledger) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, e := range l.entries {
		n += len(e)
	}
	return n
}
