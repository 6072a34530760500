package publisher

// State says what the publisher does about a backend.
type State string

// The states of a backend.
const (
	// Idle: a report was offered, and the way to the schedulers is not open.
	Idle State = "idle"
	// Listening: cinder-volume runs and is waited for.
	Listening State = "listening"
	// Standalone: complete reports are sent, for want of a base.
	Standalone State = "standalone"
	// Overlaying: the base is sent with the measured keys replaced.
	Overlaying State = "overlaying"
	// Waiting: the timestamp would be in the future for a moment yet.
	Waiting State = "waiting"
	// Standby: another agent sees to this backend.
	Standby State = "standby"
	// Suspended: an overlay would be wrong; see [Cause].
	Suspended State = "suspended"
	// Withdrawn: there is nothing fresh to say, and cinder-volume's own report
	// stands.
	Withdrawn State = "withdrawn"
)

// Cause says in one word why a backend is suspended.
type Cause string

// The causes.
const (
	NoCause           Cause = ""
	DifferentCapacity Cause = "different_capacity" // heard and measured total differ by more than 1 %
	DifferentArray    Cause = "different_array"    // the array's id changed
	UnreadableBase    Cause = "unreadable_base"    // cinder-volume's report is not JSON
	BaseHasPools      Cause = "base_has_pools"     // the scheduler would not look at our keys
)

// decision is what to do about a backend now.
type decision struct {
	state  State
	cause  Cause
	detail string // for people: what was seen, and what to do
	probe  bool   // ask the broker whether cinder-volume is there, then decide again
}
