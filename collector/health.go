package collector

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/rs/zerolog"
)

// State is the state of a target after its last poll.
type State string

// The states. The log has one line for each change of state, or of the cause of
// a failure.
const (
	Starting State = "starting" // no poll has ended yet
	OK       State = "ok"       // the last sample was complete
	Partial  State = "partial"  // parts of the last sample are missing
	Outdated State = "outdated" // the last poll succeeded, but the array's newest performance sample is old
	Failing  State = "failing"  // the last poll failed; the report before it is still published
	Stale    State = "stale"    // polls have failed for so long that the stale policy applies
)

func stateOf(s capability.Status) State {
	switch s {
	case capability.Partial:
		return Partial
	case capability.Stale:
		return Outdated
	}
	return OK
}

// Health is the state of one target. It is a value.
type Health struct {
	Host  string
	State State
	Err   string // why the last poll failed, or what its sample lacked; "" if nothing

	LastOK   time.Time     // when the last successful poll was started; zero if there was none
	Duration time.Duration // of the last poll

	Failures int    // in a row
	Polls    uint64 // ended, since the start
	Errors   uint64 // of those, failed
	Skipped  uint64 // polls that were due while one was still running
}

// Up reports whether the last poll succeeded.
func (h Health) Up() bool { return h.State == OK || h.State == Partial || h.State == Outdated }

// Point is the part of a sample that the status page draws. It is small: the
// history of a thousand arrays should fit in a few megabytes. NaN means that
// the array did not report the value.
type Point struct {
	At time.Time // when the sample was started

	ReadsPerSec      float64
	WritesPerSec     float64
	ReadBytesPerSec  float64
	WriteBytesPerSec float64
	UsecPerRead      float64
	UsecPerWrite     float64
	LoadPercent      float64
}

func pointOf(s capability.Sample) Point {
	f := s.Performance
	if f == nil {
		f = &capability.Performance{}
	}
	load := math.NaN()
	if percent, ok := loadPercent(f); ok {
		load = float64(percent)
	}
	return Point{
		At: s.CollectedAt, LoadPercent: load,
		ReadsPerSec: floatOf(f.ReadsPerSec), WritesPerSec: floatOf(f.WritesPerSec),
		ReadBytesPerSec: floatOf(f.ReadBytesPerSec), WriteBytesPerSec: floatOf(f.WriteBytesPerSec),
		UsecPerRead: floatOf(f.UsecPerRead), UsecPerWrite: floatOf(f.UsecPerWrite),
	}
}

func floatOf(i *int64) float64 {
	if i == nil {
		return math.NaN()
	}
	return float64(*i)
}

// ring keeps the newest points.
type ring struct {
	points []Point
	next   int
	size   int
}

func (r *ring) add(p Point) {
	if len(r.points) < r.size {
		r.points = append(r.points, p)
		return
	}
	r.points[r.next] = p
	r.next = (r.next + 1) % r.size
}

// all returns a copy, oldest first.
func (r *ring) all() []Point {
	out := make([]Point, 0, len(r.points))
	out = append(out, r.points[r.next:]...)
	return append(out, r.points[:r.next]...)
}

const (
	// repeatLog is how often a lasting failure is logged again.
	repeatLog = 15 * time.Minute
	// causePause is how long after a line a cause that was logged before, during
	// the same failure, is not logged again: two causes may alternate with every
	// poll.
	causePause = time.Minute
)

// transitions is what the log has about the current failure or partial sample.
type transitions struct {
	failingSince time.Time // when the first failed poll in a row was started; zero if the last one succeeded
	lastFailure  time.Time // when the last line about a failure was logged
	causes       map[string]bool
	lastCause    string
	lastLogged   time.Time // when the last line was logged
}

// isNew reports whether a cause is logged: it differs from that of the last
// line, and was not logged before or the last line is some time ago.
func (t *transitions) isNew(now time.Time, cause string) bool {
	return cause != t.lastCause && (!t.causes[cause] || now.Sub(t.lastLogged) >= causePause)
}

func (t *transitions) record(now time.Time, cause string) {
	if t.causes == nil {
		t.causes = map[string]bool{}
	}
	t.causes[cause], t.lastCause, t.lastLogged = true, cause, now
}

// setState sets the state after a poll and logs a change of state or of its
// cause, and a lasting failure.
func (p *poller) setState(now time.Time, to State, o outcome) {
	p.mu.Lock()
	from := p.health.State
	p.health.State, p.health.Err = to, description(to, o)
	p.mu.Unlock()

	cause := p.causeOf(o)
	switch {
	case from != to:
		if o.err == nil || from != Failing && from != Stale {
			p.transitions.causes, p.transitions.lastCause = nil, ""
		}
		p.logTransition(now, from, to, o)
	case o.err != nil && p.transitions.isNew(now, cause):
		p.logFailure(now, "polling array fails for another reason", o.err)
	case p.transitions.isNew(now, cause):
		p.logSuccess(now, from, to, o)
	case o.err != nil && now.Sub(p.transitions.lastFailure) >= repeatLog:
		p.logFailure(now, "polling array still fails", o.err)
	default:
		return
	}
	p.transitions.record(now, cause)
}

// causeOf describes a failure, or what is missing, without what differs from
// poll to poll; "" if there is none.
func (p *poller) causeOf(o outcome) string {
	if o.err != nil {
		return p.options.Cause(o.err)
	}
	parts := make([]string, 0, len(o.stats.Faults)+2)
	for _, f := range o.stats.Faults {
		parts = append(parts, f.Part+" "+p.options.Cause(f.Err))
	}
	if o.stats.Performance == nil {
		parts = append(parts, "no performance")
	}
	if o.stats.Space == nil {
		parts = append(parts, "no space")
	}
	return strings.Join(parts, ", ")
}

func (p *poller) logTransition(now time.Time, from, to State, o outcome) {
	switch to {
	case Failing:
		p.logFailure(now, "polling array failed", o.err)
	case Stale:
		p.logFailure(now, "report is stale, policy "+string(p.current().onStale())+" applies", o.err)
	default:
		p.logSuccess(now, from, to, o)
	}
}

func (p *poller) logFailure(now time.Time, msg string, err error) {
	p.transitions.lastFailure = now
	e := p.logEvent(zerolog.WarnLevel).Err(err)
	if since := p.transitions.failingSince; !since.IsZero() && now.After(since) {
		e = e.Stringer("for", now.Sub(since).Round(time.Second))
	}
	if crash, ok := errors.AsType[*panicError](err); ok {
		e = e.Bytes("stack", crash.stack)
	}
	e.Int("failures", p.currentHealth().Failures).Msg(msg)
}

// logSuccess logs a successful poll: the first one, the first one after
// failures, a sample with missing or old parts, or a complete one again.
func (p *poller) logSuccess(now time.Time, from, to State, o outcome) {
	level, msg, since := zerolog.InfoLevel, "array polled", p.transitions.failingSince
	if !since.IsZero() {
		msg = "polling array recovered"
	}
	if to != OK {
		level = zerolog.WarnLevel
		msg += ", sample is " + string(to) + ": " + description(to, o)
	} else if from == Partial || from == Outdated {
		msg += ", sample is complete again"
	}
	e := p.logEvent(level)
	if !since.IsZero() {
		e = e.Stringer("after", now.Sub(since).Round(time.Second))
	}
	if id := o.stats.Identity; from == Starting {
		e = e.Str("array", id.Name).Str("model", id.Model).Str("purity", id.Purity).Str("rest", id.REST)
	}
	e.Msg(msg)
}

func (p *poller) logEvent(level zerolog.Level) *zerolog.Event {
	return p.options.Log.WithLevel(level).Str("host", p.host)
}

// description says in one line what was wrong with a poll, and "" if nothing was.
func description(to State, o outcome) string {
	switch s := o.stats; {
	case o.err != nil:
		return o.err.Error()
	case len(s.Faults) > 0:
		parts := make([]string, len(s.Faults))
		for i, f := range s.Faults {
			parts[i] = fmt.Sprintf("%s (%v)", f.Part, f.Err)
		}
		return "missing " + strings.Join(parts, ", ")
	case s.Performance == nil:
		return "no performance sample"
	case s.Space == nil:
		return "no capacity"
	case to == Partial:
		return "no used space" // what remains of the conditions in statusOf
	case to == Outdated:
		return fmt.Sprintf("newest performance sample is %s old", s.Performance.Age.Round(time.Second))
	}
	return ""
}
