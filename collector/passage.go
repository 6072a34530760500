package collector

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/rs/zerolog"
)

// reminder is how often a failure that lasts is logged again.
const reminder = 15 * time.Minute

var errStuck = errors.New("read array: the poll has not ended at its deadline")

func stateOf(s capability.Status) State {
	switch s {
	case capability.Partial:
		return InPart
	case capability.Stale:
		return Lagging
	}
	return Answers
}

// pass notes the state in which a poll left the array. Only a change of state
// is worth a line in the log, and a failure that goes on and on.
func (p *poller) pass(now time.Time, to State, o outcome) {
	p.mu.Lock()
	from := p.health.State
	if from != to {
		p.health.State, p.health.Since = to, now
	}
	p.health.Err = complaint(to, o)
	p.mu.Unlock()

	switch {
	case from != to:
		p.logPassage(now, from, to, o)
	case o.err != nil && now.Sub(p.told) >= reminder:
		p.logFailure(now, "array still does not answer", o.err)
	}
}

func (p *poller) logPassage(now time.Time, from, to State, o outcome) {
	switch to {
	case Failing:
		p.logFailure(now, "array does not answer", o.err)
	case IsStale:
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
	if to != Answers {
		level = zerolog.WarnLevel
		msg += ", but " + complaint(to, o)
	} else if from == InPart || from == Lagging {
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
	case to == Lagging:
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
