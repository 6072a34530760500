package flasharray

import (
	"context"
	"errors"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

const (
	// often is how often the parts are read that may change at any time.
	often = time.Minute
	// seldom is how often the others are, of the condition.
	seldom = 5 * time.Minute
	// refusedFor is how long a part that the array refuses is not requested.
	refusedFor = time.Hour
	// failuresHidden is how many failures in a row of a part are not reported: one
	// timeout means nothing.
	failuresHidden = 1
)

// part is one of those that share the last request of a sample.
type part struct {
	name  string
	every time.Duration
	// read sends one request. It returns false if more of the part is to be read, in
	// another sample.
	read func(s *sampler, ctx context.Context) (complete bool, err error)
}

// parts are read in turn: the one that is due first. Connections are not among them;
// they have the requests that are left. An array without connections has neither
// stretched pods nor links of pods.
func (s *sampler) parts() []part {
	parts := []part{
		{"critical alerts", often, alerts("critical", func(c *capability.Condition) *capability.Reading[int64] { return &c.CriticalAlerts })},
		{partController, seldom, identity(partController)},
		{"warning alerts", seldom, alerts("warning", func(c *capability.Condition) *capability.Reading[int64] { return &c.WarningAlerts })},
		{"info alerts", seldom, alerts("info", func(c *capability.Condition) *capability.Reading[int64] { return &c.InfoAlerts })},
	}
	if len(s.cache.links) > 0 {
		parts = append(parts,
			part{"pods", seldom, (*sampler).mediators},
			part{"pod replica links", seldom, (*sampler).replicaLinks})
	}
	for _, name := range identityParts(s.cache.session) {
		if name != partController {
			parts = append(parts, part{name, identityKept, identity(name)})
		}
	}
	return parts
}

// rotation is what the parts have returned of one array, and whose turn is next. It
// is kept when the session is renewed.
type rotation struct {
	array        string // id of the array
	turns        map[string]turn
	condition    capability.Condition
	mediators    pass[map[string]int64]
	replicaLinks pass[capability.ReplicaLinks]
}

func newRotation(array string) *rotation {
	return &rotation{array: array, turns: map[string]turn{}}
}

// turn is when a part is due, and why it could not be read last.
type turn struct {
	due      time.Time
	failures int // in a row
	fault    error
}

// takeTurn sends the last request of a sample: that of the part which is due first,
// or that of the connections. What shares it costs no additional request.
func (s *sampler) takeTurn(ctx context.Context) {
	p, due := s.nextPart()
	if !due {
		s.links(ctx)
		return
	}
	s.keepLinks()
	complete, err := p.read(s, ctx)
	s.rotation.turns[p.name] = s.rotation.turns[p.name].after(p, complete, err)
}

// nextPart returns the part that is due first, and false if that is the connections.
func (s *sampler) nextPart() (next part, due bool) {
	if s.cache.linksAt.IsZero() || s.requests >= requestBudget || s.stopErr != nil {
		return part{}, false
	}
	earliest := time.Now()
	if links := s.cache.linksAt.Add(often - often/10); links.Before(earliest) {
		earliest = links
	}
	for _, p := range s.parts() {
		if at := s.rotation.turns[p.name].due; at.Before(earliest) {
			next, earliest, due = p, at, true
		}
	}
	return next, due
}

// after returns the turn after a part was read.
func (t turn) after(p part, complete bool, err error) turn {
	switch {
	case err == nil && complete:
		return turn{due: dueIn(p.every)}
	case err == nil:
		return turn{due: time.Now(), failures: t.failures, fault: t.fault} // after those that are overdue
	}
	t.failures++
	t.due = dueIn(p.every)
	refused := isRefusal(err) || errors.Is(err, errTooMany)
	if refused {
		t.due = dueIn(refusedFor)
	}
	if refused || t.failures > failuresHidden {
		t.fault = err
	}
	return t
}

// dueIn is a tenth early, so that a poll at just that interval is not too early.
func dueIn(d time.Duration) time.Time { return time.Now().Add(d - d/10) }

// conditionNow is the condition for a sample, complete with its faults.
func (s *sampler) conditionNow() capability.Condition {
	if s.cache.links != nil && len(s.cache.links) == 0 {
		s.rotation.condition.Mediators = capability.Reading[map[string]int64]{}
		s.rotation.condition.ReplicaLinks = capability.Reading[capability.ReplicaLinks]{}
	}
	c := s.rotation.condition
	for _, p := range s.parts() {
		if fault := s.rotation.turns[p.name].fault; fault != nil {
			c.Faults = append(c.Faults, capability.Fault{Part: p.name, Err: fault})
		}
	}
	return c
}

// identity reads a part of the identity again: an upgrade may leave the session open.
// What cannot be read, or is missing now, stays as it was.
func identity(name string) func(*sampler, context.Context) (bool, error) {
	return func(s *sampler, ctx context.Context) (bool, error) {
		var warnings []error
		before := s.cache.identity
		err := s.identifyBy(ctx, name, &warnings)
		if err != nil {
			s.cache.identity = before
		}
		s.cache.identity = withMissing(s.cache.identity, before)
		if name != partController {
			err = nil // not of the condition; a login reads it again
		}
		return true, err
	}
}
