package publisher

import (
	"errors"
	"time"

	"github.com/rs/zerolog"
)

const (
	// aheadTolerance is by how much cinder-volume's clock may be ahead of ours
	// before it is worth a line. Our reports wait for as long in any case.
	aheadTolerance = time.Second
	// behindTolerance is larger, because messages may be late for other
	// reasons.
	behindTolerance = 5 * time.Second
)

// hear takes a message from the exchange. The session calls it.
func (p *Publisher) hear(body []byte) {
	now := time.Now()
	h, err := decode(body)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case errors.Is(err, errNotReport):
	case err != nil:
		p.counters.Unreadable++
		if p.counters.Unreadable == 1 {
			p.opt.Logger.Warn().Err(err).Msg("a message on the schedulers' exchange was skipped, as others like it will be")
		}
	case p.id.owns(h.id):
		p.counters.HeardOwn++
	default:
		p.learn(h, now)
	}
}

func (p *Publisher) learn(h heard, now time.Time) {
	b := p.backends[h.identity()]
	if h.marked() {
		p.counters.HeardAgents++
	} else {
		p.counters.HeardReports++
	}
	if b == nil {
		if !h.marked() {
			p.others.keep(h, now)
		}
		return
	}
	b.hear(h, now, p.opt)
	p.watchClock(h.identity(), b)
	p.nudge()
}

// watchClock logs when cinder-volume's clock leaves ours, and when it is back.
func (p *Publisher) watchClock(name string, b *backend) {
	if b.base == nil {
		return
	}
	skew := b.base.skew()
	if offClock(skew) == b.clock {
		return
	}
	b.clock = offClock(skew)
	e, text := p.opt.Logger.Warn(), "the clock of cinder-volume is ahead of ours: each overlay waits until ours has caught up; check NTP on both hosts"
	switch b.clock {
	case -1:
		text = "the clock of cinder-volume is behind ours: reports are stamped by its clock; check NTP on both hosts"
	case 0:
		e, text = p.opt.Logger.Info(), "the clocks of cinder-volume and this host agree again"
	}
	e.Str("backend", name).Stringer("skew", skew.Round(time.Millisecond)).Msg(text)
}

func offClock(skew time.Duration) int {
	switch {
	case skew > aheadTolerance:
		return 1
	case skew < -behindTolerance:
		return -1
	}
	return 0
}

// change takes a new state of the session. The session calls it.
func (p *Publisher) change(s Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, now := p.session, time.Now()
	s.Since = before.Since
	if s.State != before.State {
		s.Since = now
	}
	p.session = s
	if s.newsAfter(p.logged, now.Sub(p.loggedAt)) {
		p.logSession(p.logged, s)
		p.logged, p.loggedAt = s, now
	}
	if s.State != Ready || before.State == Ready {
		return
	}
	for _, b := range p.backends {
		b.due = true
		if before.State == NoExchange || before.State == NoScheduler {
			b.floor = time.Time{} // new schedulers have seen no stamp
		}
	}
	p.nudge()
}

func (p *Publisher) logSession(before, s Session) {
	level := zerolog.InfoLevel
	text := map[SessionState]string{
		Connecting:  "there is no way to the schedulers: reports are held back",
		NoExchange:  "the exchange cinder-scheduler_fanout does not exist: waiting for a scheduler",
		NoScheduler: "no scheduler is running: waiting for one",
		Ready:       "reports go to the schedulers",
		Blocked:     "the broker has blocked publishers: reports are held back",
	}[s.State]
	if s.State == Connecting || s.State == Blocked {
		level = zerolog.WarnLevel
	}
	if s.State == Ready && before.State == Ready {
		text = "the number of schedulers has changed"
	}
	e := p.opt.Logger.WithLevel(level).Str("session", string(s.State))
	if s.Broker != "" {
		e = e.Str("broker", s.Broker)
	}
	if s.Schedulers != nil {
		e = e.Int("schedulers", *s.Schedulers)
	}
	if s.Detail != "" {
		e = e.Str("reason", s.Detail)
	}
	e.Msg(text)
}

// enter records a decision, and logs it if the state or its cause is new.
func (p *Publisher) enter(name string, b *backend, d decision) {
	before := b.told
	b.now, b.told = d, d
	if before.state == d.state && before.cause == d.cause {
		return
	}
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
	e.Msg(d.state.tidings())
}

// tidings is what an operator reads when a backend enters a state.
func (s State) tidings() string {
	switch s {
	case Listening:
		return "waiting to hear what cinder-volume says"
	case Standalone:
		return "complete reports are sent"
	case Overlaying:
		return "fresh numbers are laid over the reports of cinder-volume"
	case Standby:
		return "standing by"
	case Suspended:
		return "the overlay is suspended: the report of cinder-volume stands"
	case Withdrawn:
		return "nothing is sent: the report of cinder-volume stands"
	}
	return "waiting for the broker"
}

// complain logs the first of several failures to send, and their end.
func (p *Publisher) complain(b *backend) {
	if (b.failure != "") == b.complained {
		return
	}
	b.complained = b.failure != ""
	if b.complained {
		p.opt.Logger.Warn().Str("backend", b.report.Host).Str("reason", b.failure).Msg("the broker did not take a report: the next one is tried as usual")
		return
	}
	p.opt.Logger.Info().Str("backend", b.report.Host).Msg("the broker takes reports again")
}
