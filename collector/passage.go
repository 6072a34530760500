package collector

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/rs/zerolog"
)

const (
	// reminder is how often a failure that lasts is logged again.
	reminder = 15 * time.Minute
	// causePause is how long after a line a cause that was logged before, during
	// the same failure, is not logged again: two causes may alternate with every
	// poll.
	causePause = time.Minute
)

var errStuck = errors.New("read array: the poll has not ended at its deadline")

func stateOf(s capability.Status) State {
	switch s {
	case capability.Partial:
		return Partial
	case capability.Stale:
		return Outdated
	}
	return OK
}

// pass notes the state in which a poll left the array. What is logged is a
// change of state or of its cause, and a failure that lasts.
func (p *poller) pass(now time.Time, to State, o outcome) {
	p.mu.Lock()
	from := p.health.State
	if from != to {
		p.health.State, p.health.Since = to, now
	}
	p.health.Err = complaint(to, o)
	p.mu.Unlock()

	cause := p.causeOf(o)
	switch {
	case from != to:
		if o.err == nil || !isDown(from) {
			p.causes = causes{}
		}
		p.logPassage(now, from, to, o)
	case p.causes.changed(now, cause):
		p.logCause(now, from, to, o)
	case o.err != nil && now.Sub(p.told) >= reminder:
		p.logFailure(now, "array still does not answer", o.err)
	default:
		return
	}
	p.causes.note(now, cause)
}

func isDown(s State) bool { return s == Failing || s == Stale }

// causes are those that were logged since the array began to fail, or to answer
// in part.
type causes struct {
	logged map[string]bool
	last   string
	at     time.Time // of the last line
}

// changed reports whether a cause is worth a line: it differs from that of the
// last line, and is new or the last line is some time ago.
func (c *causes) changed(now time.Time, cause string) bool {
	return cause != c.last && (!c.logged[cause] || now.Sub(c.at) >= causePause)
}

func (c *causes) note(now time.Time, cause string) {
	if c.logged == nil {
		c.logged = map[string]bool{}
	}
	c.logged[cause], c.last, c.at = true, cause, now
}

// causeOf names the cause of a failure, or of what is missing, without what
// differs from poll to poll; "" if nothing is wrong.
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

// logCause is the line for another cause in the same state.
func (p *poller) logCause(now time.Time, from, to State, o outcome) {
	if o.err != nil {
		p.logFailure(now, "array does not answer: the reason has changed", o.err)
		return
	}
	p.logAnswer(now, from, to, o)
}

func (p *poller) logPassage(now time.Time, from, to State, o outcome) {
	switch to {
	case Failing:
		p.logFailure(now, "array does not answer", o.err)
	case Stale:
		p.logFailure(now, "array's report is stale: policy "+string(p.current().onStale())+" applies", o.err)
	default:
		p.logAnswer(now, from, to, o)
	}
}

func (p *poller) logFailure(now time.Time, msg string, err error) {
	p.told = now
	e := p.line(zerolog.WarnLevel).Err(err)
	if !p.down.IsZero() && now.After(p.down) {
		e = e.Stringer("for", now.Sub(p.down).Round(time.Second))
	}
	if crash := (*panicError)(nil); errors.As(err, &crash) {
		e = e.Bytes("stack", crash.stack)
	}
	e.Int("failures", p.healthNow().Failures).Msg(msg)
}

// logAnswer is the line for an array that answers: at all, again, in part, or
// in full again.
func (p *poller) logAnswer(now time.Time, from, to State, o outcome) {
	level, msg := zerolog.InfoLevel, "array answers"
	if !p.down.IsZero() {
		msg = "array answers again"
	}
	if to != OK {
		level = zerolog.WarnLevel
		msg += ", but " + complaint(to, o)
	} else if from == Partial || from == Outdated {
		msg += " in full again"
	}
	e := p.line(level)
	if !p.down.IsZero() {
		e = e.Stringer("after", now.Sub(p.down).Round(time.Second))
	}
	if id := o.stats.Identity; from == Starting {
		e = e.Str("array", id.Name).Str("model", id.Model).Str("purity", id.Purity).Str("rest", id.REST)
	}
	e.Msg(msg)
}

func (p *poller) line(level zerolog.Level) *zerolog.Event {
	return p.options.Log.WithLevel(level).Str("host", p.host)
}

// complaint says in one line what was wrong with a poll, and "" if nothing was.
func complaint(to State, o outcome) string {
	switch s := o.stats; {
	case o.err != nil:
		return o.err.Error()
	case len(s.Faults) > 0:
		return "lacks " + lacking(s.Faults)
	case s.Performance == nil:
		return "has no performance sample"
	case s.Space == nil:
		return "does not tell its capacity"
	case to == Outdated:
		return fmt.Sprintf("its newest performance sample is %s old", s.Performance.Age.Round(time.Second))
	}
	return ""
}

func lacking(faults []capability.Fault) string {
	parts := make([]string, len(faults))
	for i, f := range faults {
		parts[i] = fmt.Sprintf("%s (%v)", f.Part, f.Err)
	}
	return strings.Join(parts, ", ")
}
