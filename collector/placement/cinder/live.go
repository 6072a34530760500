package cinder

import (
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
)

// LiveKeys are the capabilities that measure what an array is doing rather
// than say what it is. Conditions on them are what [placement.Prefer] may set
// aside. Capacity is not among them: room is never a matter of preference.
func LiveKeys() []string {
	keys := []string{capability.KeyMetricsAge}
	for _, k := range capability.Keys() {
		isNumber := k.Kind == capability.Int || k.Kind == capability.Float
		if isNumber && k.Origin == capability.FromArray && !isCapacity(k.Name) {
			keys = append(keys, k.Name)
		}
	}
	return keys
}

func isCapacity(key string) bool {
	switch key {
	case capability.KeyTotalCapacity, capability.KeyFreeCapacity,
		capability.KeyProvisionedCapacity, capability.KeyMaxOverSubscription:
		return true
	}
	return false
}

func (o Options) live() func(key string) bool {
	keys := o.Live
	if keys == nil {
		keys = LiveKeys()
	}
	return func(key string) bool { return slices.Contains(keys, key) }
}
