package collector

import "time"

// State is how an array stands, as the last poll left it.
type State string

// The states. An array is in one of them, and the log has one line for each
// change of state, or of the cause of a failure.
const (
	Starting State = "starting" // no poll has ended yet
	OK       State = "ok"       // the last poll gave everything
	Partial  State = "partial"  // the last poll gave some of it
	Outdated State = "lagging"  // the array answers, but its newest sample is old
	Failing  State = "failing"  // the last poll failed; the report before it stands
	Stale    State = "stale"    // it has failed for so long that the stale policy rules
)

// Health is how the polling of one target goes. It is a value.
type Health struct {
	Host    string
	Backend string

	State State
	Since time.Time // when the state began
	Err   string    // why the last poll failed, or what it lacked; "" if nothing

	LastPoll time.Time     // when the last poll that has ended was begun
	LastOK   time.Time     // when the last good one was begun; zero if there was none
	Duration time.Duration // of the last poll
	NextPoll time.Time     // when the next one is due

	Failures int    // in a row
	Polls    uint64 // ended, since the start
	Errors   uint64 // of those, failed
	Skipped  uint64 // polls that were due while one was still running
}

// Up reports whether the last poll brought a reading.
func (h Health) Up() bool { return h.State == OK || h.State == Partial || h.State == Outdated }
