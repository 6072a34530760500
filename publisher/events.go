package publisher

import (
	"errors"
	"time"

	"github.com/rs/zerolog"
)

// onMessage takes a message from the exchange. The session calls it.
func (p *Publisher) onMessage(body []byte) {
	now := time.Now()
	in, err := decode(body)
	p.mu.Lock()
	defer p.mu.Unlock()
	own, isOwn := p.id.counter(in.id)
	if p.echo.onMessage(own, now) {
		p.opt.Logger.Info().Msg("messages are received from the exchange again")
	}
	switch {
	case errors.Is(err, errNotReport):
	case err != nil:
		p.counters.Unreadable++
		if p.counters.Unreadable == 1 {
			p.opt.Logger.Warn().Err(err).Msg("skipped a message on the schedulers' exchange; further ones are counted only")
		}
	case isOwn:
		p.counters.ReceivedOwn++
	case in.fromAgent():
		p.counters.ReceivedPeers++
		if b := p.backends[in.identity()]; b != nil {
			b.onPeer(in, now, p.opt)
			p.notify()
		}
	default:
		p.counters.ReceivedReports++
		p.onReport(in, now)
	}
}

func (p *Publisher) onReport(in incoming, now time.Time) {
	b := p.backends[in.identity()]
	if b == nil {
		p.retained.add(in.identity(), newBase(in, now), p.opt.StatsInterval)
		return
	}
	b.onReport(in, now, p.opt)
	p.notify()
}

// onSession takes a new state of the session. The session calls it.
func (p *Publisher) onSession(s Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, now := p.session, time.Now()
	s.Since = before.Since
	if s.State != before.State {
		s.Since = now
	}
	p.session = s
	if p.sessionLog.isNew(s) {
		p.logSession(p.sessionLog.logged, s)
		p.sessionLog.add(s)
	}
	interrupted := !s.BasesFrom.Equal(before.BasesFrom)
	if interrupted {
		p.echo.restart(now)
	}
	if s.State != Ready || before.State == Ready && !interrupted {
		return
	}
	for _, b := range p.backends {
		b.due = true
	}
	p.notify()
}

// sessionLog is what the log has said about the session.
type sessionLog struct {
	logged  Session
	reasons map[string]bool // those of the present state
}

// maxReasons bounds the lines about one outage.
const maxReasons = 10

// isNew reports whether a line about a session is due: its state is another, or
// the reason is one that was not given since the state began.
func (o *sessionLog) isNew(s Session) bool {
	switch {
	case s.State != o.logged.State:
		return true
	case s.State == Ready:
		return s.Broker != o.logged.Broker || s.Schedulers != nil && (o.logged.Schedulers == nil || *s.Schedulers != *o.logged.Schedulers)
	}
	return s.Detail != "" && !o.reasons[s.Detail] && len(o.reasons) < maxReasons
}

func (o *sessionLog) add(s Session) {
	if s.State != o.logged.State {
		o.reasons = map[string]bool{}
	}
	o.reasons[s.Detail] = true
	if s.Schedulers == nil {
		s.Schedulers = o.logged.Schedulers // not known is not changed
	}
	o.logged = s
}

func (p *Publisher) logSession(before, s Session) {
	level := zerolog.InfoLevel
	text := map[SessionState]string{
		Connecting:  "not connected to RabbitMQ, reports are not published",
		NoExchange:  "the exchange cinder-scheduler_fanout does not exist, waiting for a scheduler",
		NoScheduler: "no scheduler is running, waiting for one",
		Ready:       "connected, publishing to the schedulers",
		Blocked:     "RabbitMQ has blocked publishers, reports are not published",
	}[s.State]
	if s.State == Connecting || s.State == Blocked {
		level = zerolog.WarnLevel
	}
	if s.State == Ready && before.State == Ready && s.Broker == before.Broker {
		text = "the number of schedulers has changed"
	}
	e := p.opt.Logger.WithLevel(level).Str("session", string(s.State))
	if s.Broker != "" {
		e = e.Str("broker", s.Broker)
	}
	if s.Schedulers != nil {
		e = e.Int("schedulers", *s.Schedulers)
	}
	if s.Listening != "" {
		e = e.Str("listening", string(s.Listening))
	}
	if s.Detail != "" {
		e = e.Str("reason", s.Detail)
	}
	e.Msg(text)
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
	if d.cause != NoCause {
		e = e.Str("cause", string(d.cause))
	}
	if d.detail != "" {
		e = e.Str("reason", d.detail)
	}
	e.Msg(d.state.text())
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
	p.opt.Logger.Info().Str("backend", b.report.Host).Msg("reports are accepted again")
}
