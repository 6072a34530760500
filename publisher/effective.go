package publisher

import "github.com/poolcast/poolcast/collector/capability"

// Effective returns the effective reports: what the schedulers hold of the backends
// that were offered, published by this agent or by cinder-volume, whichever was
// last. A backend of which nothing was received or published is left out.
// Everything but the capabilities is as it was offered. The sets must not be
// changed.
func (p *Publisher) Effective() []capability.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	var effective []capability.Report
	for _, b := range p.backends {
		if set := b.effective(); set != nil && b.report.Host != "" {
			r := b.report
			r.Capabilities = set
			effective = append(effective, r)
		}
	}
	return effective
}

// effective is the set that was published last.
func (b *backend) effective() capability.Set {
	set, at := b.last.set, b.last.at
	for _, from := range b.sources {
		if from.base.set != nil && from.base.at.After(at) {
			set, at = from.base.set, from.base.at
		}
	}
	return set
}
