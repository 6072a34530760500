//go:build integration || bench

package integration

import "github.com/poolcast/poolcast/collector/capability"

// driverReports are what cinder-volume reports of arrays, by host: all that
// poolcast reports but the keys that it adds.
func driverReports(reports []capability.Report) map[string]capability.Set {
	sets := map[string]capability.Set{}
	for _, r := range reports {
		set := capability.Set{capability.KeyAllocatedCapacity: capability.OfInt(0)}
		for name, v := range r.Capabilities {
			if k, known := capability.LookupKey(name); !known || k.Driver || name == capability.KeyCacheable {
				set[name] = v
			}
		}
		sets[r.Host] = set
	}
	return sets
}
