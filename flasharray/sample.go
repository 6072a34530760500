package flasharray

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

const (
	// requestBudget is how many requests one sample may send once the session
	// is open and the identity of the array is known.
	requestBudget = 8
	// linksKept is how old the connections to other arrays may get when a
	// sample has used its budget before it reads them.
	linksKept = 5 * time.Minute
	// identityKept is how long a part of the identity is kept before it is read
	// again: an upgrade may leave the session open.
	identityKept = 15 * time.Minute
)

// cache is what is kept from earlier samples of the same session.
type cache struct {
	session       *session
	identity      capability.Identity
	unread        []string          // parts of the identity that are not known yet
	limits        map[string]string // the page size with which an object can be counted
	idleArray     bool              // the last minute and a half had no sample
	futureSamples bool              // there are samples later than the array's clock
	clock         clock
	links         []capability.Link
	linksErr      error     // why they could not be read last
	linksAt       time.Time // when they were requested last
}

func newCache(s *session) *cache {
	c := &cache{session: s, limits: map[string]string{}, unread: identityParts(s)}
	if s != nil {
		c.identity.REST = s.version.String()
	}
	return c
}

// Sample takes one sample. It costs eight small requests, and up to five more
// after a login: the array's versions, the login itself and its identity.
//
// Sample fails when the array does not return its space. Any other part that
// fails is listed in the Faults of the sample, which is then partial.
func (c *Client) Sample(ctx context.Context) (capability.Sample, error) {
	select {
	case c.sampling <- struct{}{}:
	case <-ctx.Done():
		return capability.Sample{}, fmt.Errorf("wait for the previous sample: %w", context.Cause(ctx))
	}
	defer func() { <-c.sampling }()
	if c.closeAfterSample {
		defer c.disconnect()
	}
	s := &sampler{Client: c, batch: newBatch(), stats: capability.Sample{CollectedAt: time.Now()}}
	if err := s.run(ctx); err != nil {
		return capability.Sample{}, err
	}
	return s.stats, nil
}

// sampler takes one sample, part by part.
type sampler struct {
	*Client
	*batch
	stats capability.Sample
	array string // id of the array whose space was read
}

func (s *sampler) run(ctx context.Context) error {
	open, err := s.openSession(ctx, s.batch, nil)
	if err != nil {
		return err
	}
	if open != s.cache.session {
		s.cache = newCache(open)
	}
	if err := s.space(ctx); err != nil {
		return err
	}
	if s.rotation == nil || s.array != "" && s.array != s.rotation.array {
		s.rotation = newRotation(s.array)
	}
	if known := s.cache.identity.ID; known != "" && s.array != "" && known != s.array {
		s.cache = newCache(s.cache.session) // another array has this address now
	}
	s.identify(ctx)
	s.performance(ctx)
	s.counts(ctx)
	s.takeTurn(ctx)
	return s.checkSameArray(ctx)
}

// checkSameArray makes sure that all parts came from one array: when an address
// moves to another one, the session ends in the middle of a sample.
func (s *sampler) checkSameArray(ctx context.Context) error {
	if open := s.sessions.current.Load(); s.renewed && open != nil && open != s.cache.session {
		s.cache = newCache(open)
		s.identify(ctx)
	}
	id := s.cache.identity
	if id.ID != "" && s.array != "" && id.ID != s.array {
		s.cache.session = nil
		return fmt.Errorf("array %s has the id %s and the id %s in one sample", s.host, s.array, id.ID)
	}
	s.stats.Identity = id
	s.stats.Condition = s.conditionNow()
	s.stats.ClockSkew = s.cache.clock.skew
	return nil
}

// fault adds a part that failed, if it did.
func (s *sampler) fault(part string, errs ...error) {
	if err := errors.Join(errs...); err != nil {
		s.stats.Faults = append(s.stats.Faults, capability.Fault{Part: part, Err: err})
	}
}

// getPage reads a list. Members of the wrong type are added to the warnings.
func (s *sampler) getPage(ctx context.Context, path string, query url.Values, warnings *[]error) (*page, error) {
	r, err := s.get(ctx, s.batch, path, query)
	if err != nil {
		return nil, err
	}
	s.cache.clock.observe(r)
	p, err := parsePage(r.body, path, warnings)
	if err != nil {
		return nil, r.wrap(err)
	}
	p.response = r
	return p, nil
}

var errNoCapacity = errors.New("the array did not return its capacity; does the token's role have the right to see it?")

// space reads arrays/space, without which there is no sample.
func (s *sampler) space(ctx context.Context) error {
	var warnings []error
	p, err := s.getPage(ctx, "arrays/space", nil, &warnings)
	if err != nil {
		return err
	}
	if len(p.items) == 0 {
		return errors.New("GET arrays/space: the response is empty")
	}
	s.array = p.items[0].text("id")
	s.stats.Space = decodeSpace(p.items[0])
	if s.stats.Space == nil {
		warnings = append(warnings, errNoCapacity)
	}
	s.fault("space", warnings...)
	return nil
}

// decodeSpace returns nil without a capacity: the used part of an unknown total
// means nothing.
func decodeSpace(o object) *capability.Space {
	inner := o.object("space")
	space := &capability.Space{
		Capacity:         o.int("capacity"),
		TotalPhysical:    inner.int("total_physical"),
		TotalUsed:        inner.int("total_used"),
		TotalProvisioned: inner.int("total_provisioned"),
		UsedProvisioned:  inner.int("used_provisioned"),
		DataReduction:    inner.float("data_reduction"),
		TotalReduction:   inner.float("total_reduction"),
	}
	if space.Capacity == nil {
		return nil
	}
	return space
}

var errNotCounted = errors.New("the array returned no count")

// counts requests numbers of objects without a list of them.
func (s *sampler) counts(ctx context.Context) {
	c := &s.stats.Counts
	for _, k := range []struct {
		part, path string
		destroyed  string
		into       **int64
	}{
		{"volumes", "volumes", "", &c.Volumes},
		{"live volumes", "volumes", "false", &c.LiveVolumes},
		{"snapshots", "volume-snapshots", "", &c.Snapshots},
		{"hosts", "hosts", "", &c.Hosts},
		{"protection groups", "protection-groups", "", &c.ProtectionGroups},
	} {
		query := url.Values{"total_item_count": {"true"}}
		if k.destroyed != "" {
			query.Set("destroyed", k.destroyed)
		}
		n, err := s.count(ctx, k.part, k.path, query)
		*k.into = n
		s.fault(k.part, err)
	}
}

// count uses limit=0, which the specification recommends, and limit=1 where that
// gives no number. The one that works is kept.
func (s *sampler) count(ctx context.Context, part, path string, query url.Values) (*int64, error) {
	limit := s.cache.limits[part]
	if limit == "" {
		query.Set("limit", "0")
		n, err := s.countOnce(ctx, path, query)
		if !errors.Is(err, errNotCounted) && !hasStatus(err, http.StatusBadRequest) {
			return n, err
		}
		s.cache.limits[part] = "1"
	}
	query.Set("limit", "1")
	return s.countOnce(ctx, path, query)
}

func (s *sampler) countOnce(ctx context.Context, path string, query url.Values) (*int64, error) {
	var warnings []error
	p, err := s.getPage(ctx, path, query, &warnings)
	if err != nil {
		return nil, err
	}
	n := p.int("total_item_count")
	if n == nil {
		warnings = append(warnings, errNotCounted)
	}
	return n, errors.Join(warnings...)
}

// links reads the connections to other arrays. They change rarely, so a sample
// that has used its budget keeps the ones of the previous sample.
func (s *sampler) links(ctx context.Context) {
	c := s.cache
	if s.requests >= requestBudget && c.links != nil && time.Since(c.linksAt) < linksKept {
		s.keepLinks()
		return
	}
	var warnings []error
	p, err := s.getPage(ctx, "array-connections", nil, &warnings)
	c.links, c.linksErr, c.linksAt = nil, err, time.Now()
	if err != nil {
		s.fault("connections", err)
		return
	}
	links := make([]capability.Link, len(p.items)) // an empty list, not nil, when there are none
	for i, o := range p.items {
		links[i] = capability.Link{Peer: o.text("name"), Status: o.text("status"), Type: o.text("type")}
	}
	c.links, c.linksErr = links, errors.Join(warnings...)
	s.keepLinks()
}

// keepLinks makes the connections that were read last those of the sample.
func (s *sampler) keepLinks() {
	s.stats.Links, s.stats.LinksAt = s.cache.links, s.cache.linksAt
	s.fault("connections", s.cache.linksErr)
}
