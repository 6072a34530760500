package flasharray

import (
	"context"
	"errors"
	"net/http"
	"net/url"
)

var errNotCounted = errors.New("the array did not count")

// counts asks for numbers of objects without listing any.
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

// count asks with limit=0, which the specification recommends, and with
// limit=1 where that gives no number. What works is remembered.
func (s *sampler) count(ctx context.Context, part, path string, query url.Values) (*int64, error) {
	limit := s.memory.limits[part]
	if limit == "" {
		query.Set("limit", "0")
		n, err := s.countOnce(ctx, path, query)
		if !errors.Is(err, errNotCounted) && !hasStatus(err, http.StatusBadRequest) {
			return n, err
		}
		s.memory.limits[part] = "1"
	}
	query.Set("limit", "1")
	return s.countOnce(ctx, path, query)
}

func (s *sampler) countOnce(ctx context.Context, path string, query url.Values) (*int64, error) {
	var odd []error
	p, err := s.ask(ctx, path, query, &odd)
	if err != nil {
		return nil, err
	}
	n := p.int("total_item_count")
	if n == nil {
		odd = append(odd, errNotCounted)
	}
	return n, errors.Join(odd...)
}
