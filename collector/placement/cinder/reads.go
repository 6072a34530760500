package cinder

import (
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/function"
)

// capacityKeys are what CapacityFilter and CapacityWeigher read.
func capacityKeys() []string {
	return []string{
		capability.KeyTotalCapacity, capability.KeyFreeCapacity, capability.KeyProvisionedCapacity,
		capability.KeyAllocatedCapacity, capability.KeyMaxOverSubscription, capability.KeyReservedPercentage,
	}
}

// Reads returns the capabilities of a backend that the filters and weighers of the
// options read to decide on a request, sorted. What plug-ins that are not Cinder's
// read is not known.
func Reads(o Options, r *Request, b *capability.Report) []string {
	p := Profile(o)
	var keys []string
	for _, name := range p.Filters {
		switch placement.ClassName(name) {
		case CapacityFilter:
			keys = append(keys, capacityKeys()...)
		case CapabilitiesFilter:
			keys = append(keys, r.ConditionKeys()...)
		case DriverFilter:
			keys = append(keys, functionKeys(b, capability.KeyFilterFunction)...)
		case JSONFilter:
			keys = append(keys, queryKeys(r.Query)...)
		}
	}
	for _, w := range p.Weighers {
		switch name := placement.ClassName(w.Weigher); {
		case w.Multiplier == 0:
		case name == CapacityWeigher:
			keys = append(keys, capacityKeys()...)
		case name == AllocatedCapacityWeigher:
			keys = append(keys, capability.KeyAllocatedCapacity)
		case name == VolumeNumberWeigher:
			keys = append(keys, capability.KeyTotalVolumes)
		case name == GoodnessWeigher:
			keys = append(keys, functionKeys(b, capability.KeyGoodnessFunction)...)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// ConditionKeys are the capabilities that the extra specs of the request limit.
func (r *Request) ConditionKeys() []string {
	var keys []string
	for _, spec := range r.specs() {
		if path, filtered := CapabilityPath(spec.Key); filtered {
			keys = append(keys, path[0])
		}
	}
	return keys
}

// functionKeys are the capabilities that a function of the backend reads.
func functionKeys(b *capability.Report, option string) []string {
	text, _ := b.Capabilities[option].Str()
	if text == "" {
		return nil
	}
	f, err := function.Compile(text)
	if err != nil {
		return nil
	}
	var keys []string
	for _, name := range f.Names() {
		if name.Scope == function.ScopeCapabilities || name.Scope == function.ScopeStats {
			keys = append(keys, name.Key)
		}
	}
	return keys
}

// queryKeys are the capabilities that the hint query reads.
func queryKeys(text string) []string {
	if text == "" {
		return nil
	}
	q, err := compileQuery(text)
	if err != nil || q == nil {
		return nil
	}
	var keys []string
	q.walk(func(path string) {
		key, _, _ := strings.Cut(strings.TrimPrefix(path, "capabilities."), ".")
		keys = append(keys, key)
	})
	return keys
}
