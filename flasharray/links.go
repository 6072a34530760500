package flasharray

import (
	"context"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// links reads the connections to other arrays. They change once in a while, so
// a reading that has spent its requests keeps the ones of the reading before.
func (s *sampler) links(ctx context.Context) {
	m := s.memory
	if s.requests >= requestBudget && m.links != nil && time.Since(m.linksAt) < linksKept {
		s.stats.Links = m.links
		return
	}
	var odd []error
	p, err := s.ask(ctx, "array-connections", nil, &odd)
	if err != nil {
		s.fault("connections", err)
		return
	}
	m.links, m.linksAt = decodeLinks(p.items), time.Now()
	s.stats.Links = m.links
	s.fault("connections", odd...)
}

// decodeLinks returns an empty list, not nil, when there are none.
func decodeLinks(items []object) []capability.Link {
	links := make([]capability.Link, len(items))
	for i, o := range items {
		links[i] = capability.Link{Peer: o.text("name"), Status: o.text("status"), Type: o.text("type")}
	}
	return links
}
