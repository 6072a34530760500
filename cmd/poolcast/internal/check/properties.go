package check

import (
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/function"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
)

// volumeProperties are findings on functions that read a property of the volume which
// cinder-api does not set on a new volume, or not to a number or text.
func volumeProperties(functions []advice.Function) []advice.Finding {
	request, err := volumeapi.Cloud{}.Create(volumeapi.Create{Size: 1, Zone: "any"})
	if err != nil {
		return nil // there is no type that could limit the size
	}
	var found []advice.Finding
	for _, f := range functions {
		compiled, err := function.Compile(f.Text)
		if err != nil {
			continue // another finding says so
		}
		for _, name := range compiled.Names() {
			if problem := unreadable(request, name); problem != "" {
				found = append(found, advice.Finding{
					Severity: advice.Warning, Topic: advice.FunctionTopic, Code: "function-volume-property", Where: f.Where,
					Problem: name.String() + problem,
					Reason:  "the function fails where it reads that: DriverFilter then refuses the backend, and GoodnessWeigher scores it 0",
					Fix:     "Read a property that each new volume has: volume.size, volume.multiattach, volume.status, volume.attach_status",
				})
			}
		}
	}
	return found
}

// unreadable is why a function cannot read a property of a new volume; "" if it can.
func unreadable(r *cinder.Request, name function.Name) string {
	if name.Scope != function.ScopeVolume || slices.Contains(volumeapi.GivenProperties(), name.Key) {
		return ""
	}
	v, ok := r.Properties[name.Key]
	switch {
	case !ok:
		return " is not a property of a new volume"
	case v.IsNull():
		return " is null for a new volume, unless its request sets it"
	case v.Kind() == capability.List || v.Kind() == capability.Map:
		return " is a " + v.Kind().String() + ", which no function can read"
	}
	return ""
}
