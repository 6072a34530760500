package check

import (
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/config"
)

// stanzas are the sections of the backends, for the findings on keys of the last hour.
func stanzas(cfg *config.Config) []advice.Stanza {
	all := make([]advice.Stanza, len(cfg.Backends))
	for i := range cfg.Backends {
		b := &cfg.Backends[i]
		all[i] = advice.Stanza{
			Name: b.Stanza, Pool: b.VolumeBackendName, Extra: b.Extra, Live: b.LiveCapabilities,
			Functions: []string{orEmpty(b.FilterFunction), orEmpty(b.GoodnessFunction)},
		}
	}
	return all
}
