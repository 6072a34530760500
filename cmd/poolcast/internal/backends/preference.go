package backends

import (
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
)

// WithoutReport says which backends of the configuration have no report, such as a
// disabled one that the scheduler does not list: poolcast prefer prints no function for
// them.
func (s *Set) WithoutReport(cfg *config.Config) []string {
	var limits []string
	for _, b := range cfg.Backends {
		if slices.ContainsFunc(s.Reports, func(r capability.Report) bool { return r.Identity() == b.Identity() }) {
			continue
		}
		limits = append(limits, b.Stanza+" is configured here and has no report, so it has no goodness_function above, and is not preferred when it is used again; --source arrays includes it")
	}
	return limits
}

// WithPresentFunctions are reports with the goodness functions of cinder.conf, which the
// ones that poolcast prefer prints replace: reports may be older than the file.
func WithPresentFunctions(cfg *config.Config, reports []capability.Report) []capability.Report {
	out := slices.Clone(reports)
	for i := range out {
		for _, b := range cfg.Backends {
			if b.Host != out[i].Host {
				continue
			}
			function := capability.Value{}
			if b.GoodnessFunction != nil {
				function = capability.OfString(*b.GoodnessFunction)
			}
			out[i].Capabilities = out[i].Capabilities.Overlay(capability.Set{capability.KeyGoodnessFunction: function})
		}
	}
	return out
}
