package backends

import (
	"maps"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
)

// MarkLabels adds to reports of backends that are configured here which of their numbers
// are labels of cinder.conf, where the source did not say so: the scheduler's list does
// not. What is measured in their place is not known then.
func (s *Set) MarkLabels(cfg *config.Config) {
	if cfg == nil {
		return
	}
	for i := range s.Reports {
		at := slices.IndexFunc(cfg.Backends, func(b config.Backend) bool { return b.Identity() == s.Reports[i].Identity() })
		if at < 0 {
			continue
		}
		r, b := &s.Reports[i], &cfg.Backends[at]
		labels := maps.Clone(r.Labels)
		for key, v := range b.Extra {
			if _, known := labels[key]; known || slices.Contains(b.LiveCapabilities, key) || !measurable(key) {
				continue
			}
			if labels == nil {
				labels = map[string]capability.Label{}
			}
			labels[key] = capability.Label{Value: v}
		}
		r.Labels = labels
	}
}

// measurable is whether a key is a number that is measured, whatever the options are.
func measurable(key string) bool {
	k, known := capability.LookupKey(key)
	return known && k.Origin == capability.FromArray && key != capability.KeyMaxOverSubscription &&
		(k.Kind == capability.Int || k.Kind == capability.Float)
}
