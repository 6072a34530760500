package placement

import (
	"slices"
	"sync"
	"time"
)

// Ledger keeps what was placed and is not in a report yet. Cinder's scheduler
// drops its own deductions with each report; a ledger drops an entry only when the
// backend's report was begun after the entry was made, and it can count volumes as
// well as capacity.
//
// An engine does not use a ledger by itself. A Ledger may be used from any
// goroutine; the zero value is empty and ready.
type Ledger struct {
	mu      sync.Mutex
	entries map[string][]entry // by backend
}

type entry struct {
	placed Consumption
	at     time.Time
}

// Add enters what was placed on a backend at a time.
func (l *Ledger) Add(backend string, c Consumption, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.entries == nil {
		l.entries = map[string][]entry{}
	}
	l.entries[backend] = append(l.entries[backend], entry{placed: c, at: at})
}

// Apply returns the snapshot with all entries consumed that are not in its
// reports, and drops the others. Entries of backends that are not in the snapshot
// are kept for a later report. Use it on a snapshot of reports, not on one that was
// consumed from already.
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
			out.backends[i].consume(e.placed)
		}
	}
	if out == nil {
		return s
	}
	return out
}

// pending drops the entries made before a report that was begun at that time.
func (l *Ledger) pending(backend string, begun time.Time) []entry {
	left := slices.DeleteFunc(l.entries[backend], func(e entry) bool { return e.at.Before(begun) })
	if len(left) == 0 {
		delete(l.entries, backend)
		return nil
	}
	l.entries[backend] = left
	return left
}
