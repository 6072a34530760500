package capability

import "time"

// Condition is what an array reports about its own state, beside capacity and load:
// for metrics and the status page, and never in a report. Numbers of objects are
// exact; no object is listed in them.
//
// It is a value: a receiver may keep it and must not change what it refers to.
type Condition struct {
	// CriticalAlerts and the next two are numbers of open alerts (GET alerts with
	// state='open'), by severity. Alerts that the array hides are in none of them.
	CriticalAlerts Reading[int64]
	WarningAlerts  Reading[int64]
	InfoAlerts     Reading[int64]
	// Controllers are those of the array itself, without those of shelves.
	Controllers Reading[[]Controller]
	// Mediators are numbers of stretched pods by the status of their mediator, as
	// this array sees it. Never read from an array without connections.
	Mediators Reading[map[string]int64]
	// ReplicaLinks are the links of pods to pods of other arrays. Never read from an
	// array without connections.
	ReplicaLinks Reading[ReplicaLinks]
	// Faults are the parts that could not be read when it was their turn. One that is
	// not refused is in the list from the second failure in a row.
	Faults []Fault
}

// Reading is a part of a Condition; the zero value was never read.
type Reading[T any] struct {
	Value T
	At    time.Time     // when it was read, by this host's clock
	Every time.Duration // how often it is read, if the array is polled often enough
}

const (
	// turns is how many requests share the last one of a sample, at the most.
	turns = 9
	// missedTurns is how many turns in a row may fail before a reading is too old.
	missedTurns = 4
)

// ValidAt returns the condition without the readings that are too old, or were never
// made, of an array that is polled at an interval.
func (c Condition) ValidAt(now time.Time, interval time.Duration) Condition {
	return Condition{
		CriticalAlerts: c.CriticalAlerts.validAt(now, interval),
		WarningAlerts:  c.WarningAlerts.validAt(now, interval),
		InfoAlerts:     c.InfoAlerts.validAt(now, interval),
		Controllers:    c.Controllers.validAt(now, interval),
		Mediators:      c.Mediators.validAt(now, interval),
		ReplicaLinks:   c.ReplicaLinks.validAt(now, interval),
		Faults:         c.Faults,
	}
}

func (r Reading[T]) validAt(now time.Time, interval time.Duration) Reading[T] {
	if !r.Read() || now.Sub(r.At) > missedTurns*max(r.Every, turns*interval) {
		return Reading[T]{}
	}
	return r
}

// Read reports whether there is a value.
func (r Reading[T]) Read() bool { return !r.At.IsZero() }

// Controller is one controller of an array (GET controllers).
type Controller struct {
	Name    string // CT0 or CT1
	Mode    string // primary, secondary, offline or not present
	Status  string // ready, not ready, updating or unknown; "" if not reported
	Model   string
	Version string // release of Purity
}

// Ready reports whether the controller is ready, and whether the array says so.
func (c Controller) Ready() (ready, known bool) { return c.Status == "ready", c.Status != "" }

// ReplicaLinks summarise the links of pods (GET pod-replica-links/lag).
type ReplicaLinks struct {
	Statuses map[string]int64 // numbers of links by status
	// MaxLag is the greatest lag of any link; nil if no link reports one.
	MaxLag *time.Duration
}
