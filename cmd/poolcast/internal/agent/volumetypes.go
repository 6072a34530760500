package agent

import (
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/input"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/publisher/status"
)

// typesCommand writes the file of volume_types.
const typesCommand = "openstack volume type list --long -f json"

// volumeTypes are the types of the file volume_types, as they were read last without a
// fault. It is not changed once it is made.
type volumeTypes struct {
	path  string // "" if the option is not set
	types []cinder.VolumeType
	names []string
	fault error     // why the file could not be read; nil if it was
	since time.Time // when that began
}

// readVolumeTypes reads the file. With a fault, the types that were read before stay: the
// agent runs on, and the status page shows the fault.
func readVolumeTypes(path string, before *volumeTypes) *volumeTypes {
	if path == "" {
		return &volumeTypes{}
	}
	types, err := input.VolumeTypes(path)
	now := &volumeTypes{path: path, types: types}
	if err != nil {
		now.types, now.fault, now.since = before.types, err, time.Now()
		if before.fault != nil {
			now.since = before.since
		}
	}
	for _, t := range now.types {
		if !slices.Contains(now.names, t.Name) {
			now.names = append(now.names, t.Name)
		}
	}
	slices.Sort(now.names)
	return now
}

// find returns the type with a name; nil for no name.
func (v *volumeTypes) find(name string) (*cinder.VolumeType, error) {
	if name == "" {
		return nil, nil
	}
	if i := v.index(name); i >= 0 {
		return &v.types[i], nil
	}
	switch near := format.Nearest(name, v.names); {
	case v.path == "":
		return nil, fmt.Errorf("volume_type %q: no volume types are known here; set volume_types in [poolcast] to a file with the output of %s", name, typesCommand)
	case v.fault != nil && len(v.types) == 0:
		return nil, fmt.Errorf("volume_type %q: no volume types are known here: %w", name, v.fault)
	case near != "":
		return nil, fmt.Errorf("volume_type %q: %s has no such type; did you mean %s?", name, v.path, near)
	}
	return nil, fmt.Errorf("volume_type %q: %s has no such type; it has %s", name, v.path, format.List(v.names))
}

func (v *volumeTypes) index(name string) int {
	return slices.IndexFunc(v.types, func(t cinder.VolumeType) bool { return t.Name == name })
}

// defaultType is the type of default_volume_type; nil if the file does not have it.
func (v *volumeTypes) defaultType(name string) *cinder.VolumeType {
	if i := v.index(name); i >= 0 {
		return &v.types[i]
	}
	return nil
}

// view is what the status page shows.
func (v *volumeTypes) view() status.VolumeTypes {
	out := status.VolumeTypes{File: v.path, Names: v.names}
	if v.fault != nil {
		out.Fault, out.Since = v.fault.Error(), v.since
	}
	return out
}

// logChange logs a fault once, and that it has ended.
func (v *volumeTypes) logChange(log zerolog.Logger, before *volumeTypes) {
	switch {
	case v.fault != nil && (before.fault == nil || before.fault.Error() != v.fault.Error()):
		log.Warn().Err(v.fault).Int("types", len(v.types)).Msg("volume_types cannot be used, the types that were read before stay; write the file with " + typesCommand)
	case v.fault == nil && before.fault != nil:
		log.Info().Int("types", len(v.types)).Msg("volume_types was read again")
	}
}
