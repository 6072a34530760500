package publisher

import (
	"time"

	"github.com/rs/zerolog"
)

// sessionLog is what was logged about the session.
type sessionLog struct {
	logged  Session
	reasons map[string]bool // those of the present state
}

// maxReasons bounds the lines about one state of the session.
const maxReasons = 10

// isNew reports whether a line about a session is due: its state is another, or
// the reason is one that was not logged since the state began.
func (l *sessionLog) isNew(s Session) bool {
	switch {
	case s.State != l.logged.State:
		return true
	case s.State == Ready:
		return s.Broker != l.logged.Broker || s.Schedulers != nil && (l.logged.Schedulers == nil || *s.Schedulers != *l.logged.Schedulers)
	}
	return s.Detail != "" && !l.reasons[s.Detail] && len(l.reasons) < maxReasons
}

func (l *sessionLog) add(s Session) {
	if s.State != l.logged.State {
		l.reasons = map[string]bool{}
	}
	l.reasons[s.Detail] = true
	if s.Schedulers == nil {
		s.Schedulers = l.logged.Schedulers // unknown is not a change
	}
	l.logged = s
}

// logSession logs a state of the session, if it or its reason is new.
func (p *Publisher) logSession(s Session) {
	if !p.sessionLog.isNew(s) {
		return
	}
	before := p.sessionLog.logged
	p.sessionLog.add(s)
	level := zerolog.InfoLevel
	if s.State == Connecting || s.State == Blocked {
		level = zerolog.WarnLevel
	}
	text := s.State.text()
	if s.State == Ready && before.State == Ready && s.Broker == before.Broker {
		text = "the number of schedulers has changed"
	}
	e := p.opt.Logger.WithLevel(level).Str("session", string(s.State))
	e = optional(e, "broker", s.Broker)
	if s.Schedulers != nil {
		e = e.Int("schedulers", *s.Schedulers)
	}
	e = optional(e, "listening", string(s.Listening))
	optional(e, "reason", s.Detail).Msg(text)
}

// text is what the log says when a session enters the state.
func (s SessionState) text() string {
	return map[SessionState]string{
		Connecting:  "not connected to RabbitMQ, reports are not published",
		NoExchange:  "the exchange cinder-scheduler_fanout does not exist, waiting for a scheduler",
		NoScheduler: "no scheduler is running, waiting for one",
		Ready:       "connected, publishing to the schedulers",
		Blocked:     "RabbitMQ has blocked publishers, reports are not published",
	}[s]
}

// setState records a decision, and logs it if the state or its cause is new. An
// overlay that waits for a new base is worth a line only when none comes: each
// start of a scheduler makes all backends wait for a moment.
func (p *Publisher) setState(name string, b *backend, d decision, now time.Time) {
	if d.state != b.now.state || d.cause != b.now.cause {
		b.stateSince = now
	}
	b.now = d
	before := b.logged
	if before.state == d.state && before.cause == d.cause || d.state == Listening && before.state == Overlaying {
		return
	}
	b.logged = d
	level := zerolog.InfoLevel
	if d.state == Suspended {
		level = zerolog.WarnLevel
	}
	e := p.opt.Logger.WithLevel(level).Str("backend", name).Str("state", string(d.state))
	e = optional(e, "cause", string(d.cause))
	optional(e, "reason", d.detail).Msg(d.state.text())
}

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
		return "on standby"
	case Suspended:
		return "suspended, the schedulers use the report of cinder-volume"
	case NoSample:
		return "not publishing, the schedulers use the report of cinder-volume"
	}
	return "not connected"
}

// logFailure logs the first of several failures to publish, and their end.
func (p *Publisher) logFailure(b *backend) {
	if (b.failure.reason != "") == b.failure.logged {
		return
	}
	b.failure.logged = b.failure.reason != ""
	if b.failure.logged {
		p.opt.Logger.Warn().Str("backend", b.report.Host).Str("reason", b.failure.reason).Msg("a report was not accepted, publishing it again")
		return
	}
	p.opt.Logger.Info().Str("backend", b.report.Host).Msg("publishing resumed")
}

// optional adds a field that has a value.
func optional(e *zerolog.Event, key, value string) *zerolog.Event {
	if value == "" {
		return e
	}
	return e.Str(key, value)
}
