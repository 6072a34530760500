package publisher

import "github.com/poolcast/poolcast/collector/capability"

// Overlay returns what is sent of a backend when the live part of a report is
// laid over base, which is what cinder-volume said: the base with poolcast's
// keys replaced, and those added that the scheduler does not compute with. It
// changes neither and may be called from any goroutine.
func Overlay(base capability.Set, r capability.Report, fixProvisioned bool) capability.Set {
	return marked(lay(base, r.Live(), fixProvisioned))
}

// Told returns what the schedulers were last told of the backends that were
// offered, by this publisher or by cinder-volume, whoever spoke last. A backend
// of which nothing was heard or sent is left out. Everything but the
// capabilities is as it was offered. The sets must not be changed.
func (p *Publisher) Told() []capability.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	var told []capability.Report
	for _, b := range p.backends {
		if set := b.toldLast(); set != nil && b.report.Host != "" {
			r := b.report
			r.Capabilities = set
			told = append(told, r)
		}
	}
	return told
}

// toldLast is the set of whoever spoke last.
func (b *backend) toldLast() capability.Set {
	if b.base != nil && b.base.fault == nil && b.base.at.After(b.last.at) {
		return b.base.set
	}
	return b.last.set
}
