package collector

import (
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// memory is what a poller knows, for the loop and for those who ask.
type memory struct {
	target Target
	health Health
	stats  capability.Sample
	read   bool              // whether stats are there
	report capability.Report // what was published last
	stands bool              // whether it still is
	ring   ring
}

func (p *poller) current() Target {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target
}

// serves reports whether the poller may go on as t.
func (p *poller) serves(t Target) bool { return p.current().sameConnection(t) }

// change makes the poller go on as t, with the Source that it has, and returns
// the Source of t if it is not needed.
func (p *poller) change(t Target) (unused Source) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.Source != p.target.Source {
		unused, t.Source = t.Source, p.target.Source
	}
	if p.target.sameFacts(t) {
		return unused
	}
	p.target = t
	p.health.Backend = t.Backend
	select {
	case p.changed <- struct{}{}:
	default: // the loop has yet to look at an earlier change, and will see this one
	}
	return unused
}

func (p *poller) published() (capability.Report, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.report, p.stands
}

func (p *poller) latest() (capability.Report, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.report
	if r.Host == "" || p.stands {
		return r, p.stands
	}
	r = r.Aged(time.Now())
	r.Status = capability.Stale
	r.Capabilities = r.Capabilities.Overlay(capability.Set{
		capability.KeyMetricsStatus: capability.OfString(string(capability.Stale)),
	})
	return r, true
}

func (p *poller) healthNow() Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.health
}

func (p *poller) reading() (capability.Sample, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats, p.read
}

func (p *poller) history() []Point {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ring.all()
}
