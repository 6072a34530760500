package cinder

import (
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/placement"
)

// affinityFilter is DifferentBackendFilter or SameBackendFilter for one
// request (cinder/scheduler/filters/affinity_filter.py). Where Cinder asks its
// database on which backends the hinted volumes are, the request says it.
type affinityFilter struct {
	backends []string
	same     bool
}

func newDifferentBackendFilter(r placement.Request, _ *placement.Snapshot) (placement.Filter, error) {
	req, err := requestOf(r)
	if err != nil || len(req.DifferentFrom) == 0 {
		return nil, err
	}
	return affinityFilter{backends: req.DifferentFrom}, nil
}

func newSameBackendFilter(r placement.Request, _ *placement.Snapshot) (placement.Filter, error) {
	req, err := requestOf(r)
	if err != nil || len(req.SameAs) == 0 {
		return nil, err
	}
	return affinityFilter{backends: req.SameAs, same: true}, nil
}

// Filter compares the backend's name.
func (f affinityFilter) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	return slices.Contains(f.backends, b.ID()) == f.same, nil
}

// Explain says which backends the hint is about.
func (f affinityFilter) Explain(_ placement.Request, b *placement.Backend) string {
	if f.same {
		return b.ID() + " does not hold the volumes to be near to, which are on " + strings.Join(f.backends, ", ")
	}
	return b.ID() + " holds a volume to be apart from"
}
