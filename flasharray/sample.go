package flasharray

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

const (
	// requestBudget is what one reading may ask of the array once the session
	// is open and the array known.
	requestBudget = 8
	// linksKept is how old the connections to other arrays may get when a
	// reading has spent its budget before it came to them.
	linksKept = 5 * time.Minute
	// identityKept is how long a part of the identity counts before the next
	// part is read again: an upgrade may leave the session open.
	identityKept = 5 * time.Minute
)

// memory is what a client knows from earlier readings of the same session.
type memory struct {
	ticket   *ticket
	identity capability.Identity
	unread   []string          // parts of the identity that are not known yet
	checked  int               // parts of the identity that were read again
	checkAt  time.Time         // when the next part is read again
	limits   map[string]string // the page size with which an object can be counted
	sparse   bool              // the last minute and a half held no sample
	ahead    bool              // there are samples later than the array's clock
	clock    clock
	links    []capability.Link
	linksAt  time.Time
}

func newMemory(t *ticket) *memory {
	m := &memory{ticket: t, limits: map[string]string{}, unread: identityParts(t), checkAt: time.Now().Add(identityKept)}
	if t != nil {
		m.identity.REST = t.version.String()
	}
	return m
}

// Sample takes one reading. It costs eight small requests, and up to five more
// after a login: the array's versions, the login itself and its identity.
//
// Sample fails when the array does not tell its space. Any other part that
// fails is listed in the Faults of the reading, which is then partial.
func (c *Client) Sample(ctx context.Context) (capability.Sample, error) {
	select {
	case c.sampling <- struct{}{}:
	case <-ctx.Done():
		return capability.Sample{}, fmt.Errorf("wait for the reading before: %w", context.Cause(ctx))
	}
	defer func() { <-c.sampling }()
	if c.hangUp {
		defer c.disconnect()
	}
	s := &sampler{Client: c, reading: newReading(), stats: capability.Sample{CollectedAt: time.Now()}}
	if err := s.run(ctx); err != nil {
		return capability.Sample{}, err
	}
	return s.stats, nil
}

// sampler takes one reading, part by part.
type sampler struct {
	*Client
	*reading
	stats capability.Sample
	array string // id of the array whose space was read
}

func (s *sampler) run(ctx context.Context) error {
	if err := s.remember(ctx); err != nil {
		return err
	}
	if err := s.space(ctx); err != nil {
		return err
	}
	if known := s.memory.identity.ID; known != "" && s.array != "" && known != s.array {
		s.memory = newMemory(s.memory.ticket) // another array has moved in here
	}
	s.identify(ctx)
	s.performance(ctx)
	s.counts(ctx)
	if !s.recheck(ctx) {
		s.links(ctx)
	}
	return s.settle(ctx)
}

// remember forgets what is known when the session is another one.
func (s *sampler) remember(ctx context.Context) error {
	t, err := s.enter(ctx, s.reading, nil)
	if err != nil {
		return err
	}
	if t != s.memory.ticket {
		s.memory = newMemory(t)
	}
	return nil
}

// settle makes sure that everything came from one array: behind an address
// that moved, the session breaks in the middle of a reading.
func (s *sampler) settle(ctx context.Context) error {
	if t := s.session.current.Load(); s.renewed && t != nil && t != s.memory.ticket {
		s.memory = newMemory(t)
		s.identify(ctx)
	}
	id := s.memory.identity
	if id.ID != "" && s.array != "" && id.ID != s.array {
		s.memory.ticket = nil
		return fmt.Errorf("array %s answered as %s and as %s in one reading", s.host, s.array, id.ID)
	}
	s.stats.Identity = id
	s.stats.ClockSkew = s.memory.clock.skew
	return nil
}

// fault notes a part that failed, if it did.
func (s *sampler) fault(part string, faults ...error) {
	if err := errors.Join(faults...); err != nil {
		s.stats.Faults = append(s.stats.Faults, capability.Fault{Part: part, Err: err})
	}
}

// ask reads a list. Members of the wrong type are noted in odd.
func (s *sampler) ask(ctx context.Context, path string, query url.Values, odd *[]error) (*page, error) {
	a, err := s.get(ctx, s.reading, path, query)
	if err != nil {
		return nil, err
	}
	s.memory.clock.observe(a)
	p, err := parsePage(a.body, path, odd)
	if err != nil {
		return nil, a.wrap(err)
	}
	p.answer = a
	return p, nil
}

// page is an answer of the shape that every list has.
type page struct {
	*answer
	object

	items []object
}

func parsePage(body []byte, name string, odd *[]error) (*page, error) {
	o, err := parseAnswer(body, name, odd)
	if err != nil {
		return nil, err
	}
	for _, raw := range o.list("errors") { // beside a partial success, 207
		_, message := oneMessage(raw)
		o.note("errors", "say: "+message)
	}
	items, err := o.items()
	return &page{object: o, items: items}, err
}
