package cinder

import (
	"slices"

	"github.com/poolcast/poolcast/collector/placement"
)

// attemptedFilter is IgnoreAttemptedHostsFilter
// (cinder/scheduler/filters/ignore_attempted_hosts_filter.py).
type attemptedFilter struct{ tried []string }

// newAttemptedFilter has nothing to say to a first attempt.
func newAttemptedFilter(r placement.Request, _ *placement.Snapshot) (placement.Filter, error) {
	req, err := requestOf(r)
	if err != nil || len(req.Tried) == 0 {
		return nil, err
	}
	return attemptedFilter{tried: req.Tried}, nil
}

// Filter refuses backends that were tried.
func (f attemptedFilter) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	return !slices.Contains(f.tried, b.ID()), nil
}

// Explain says so.
func (attemptedFilter) Explain(_ placement.Request, b *placement.Backend) string {
	return b.ID() + " was tried before"
}
