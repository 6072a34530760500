package publisher

// State says what the publisher does about a backend.
type State string

// The states of a backend.
const (
	// Idle: a report was offered, and nothing was decided yet because there is
	// no session.
	Idle State = "idle"
	// Listening: a report of cinder-volume is awaited.
	Listening State = "listening"
	// Standalone: complete reports are published, as overlay = off asks for.
	Standalone State = "standalone"
	// Overlaying: the base report is published with the measured keys replaced.
	Overlaying State = "overlaying"
	// Standby: a peer publishes for this backend.
	Standby State = "standby"
	// Suspended: an overlay would be wrong; see [Cause].
	Suspended State = "suspended"
	// NoSample: there is no current sample, and cinder-volume's own report
	// stands.
	NoSample State = "no_sample"
)

// publishes reports whether reports go out in this state.
func (s State) publishes() bool { return s == Overlaying || s == Standalone }

// text is what the log says when a backend enters the state.
func (s State) text() string {
	switch s {
	case Listening:
		return "waiting for a report of cinder-volume"
	case Standalone:
		return "publishing complete reports"
	case Overlaying:
		return "overlaying reports of cinder-volume"
	case Standby:
		return "standby"
	case Suspended:
		return "suspended, the report of cinder-volume stands"
	case NoSample:
		return "not publishing, the report of cinder-volume stands"
	}
	return "not connected"
}

// Cause says in one word why a backend is suspended.
type Cause string

// The causes.
const (
	NoCause             Cause = ""
	DifferentCapacity   Cause = "different_capacity"    // received and measured total differ by more than 1 %
	DifferentArray      Cause = "different_array"       // the array's id changed
	UnreadableBase      Cause = "unreadable_base"       // cinder-volume's report is not JSON, or has no timestamp
	BaseHasPools        Cause = "base_has_pools"        // the scheduler would not read our keys
	NoRecentBase        Cause = "no_recent_base"        // cinder-volume has not reported for two intervals
	CinderVolumeReports Cause = "cinder_volume_reports" // overlay = off beside a cinder-volume
)

// decision is what to do about a backend now.
type decision struct {
	state  State
	cause  Cause
	detail string // for people: what was seen, and what to do
	base   *base  // to be overlaid, when overlaying
	rebind bool   // bind the listening queue again, as nothing is received
}
