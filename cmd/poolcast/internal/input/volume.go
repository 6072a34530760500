package input

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
)

// Volume describes a volume to place, as the flags do.
type Volume struct {
	Size       int64    // --size, in GiB
	Zone       string   // --availability-zone
	Type       string   // --type, a name in TypesFile
	TypesFile  string   // --types
	Properties []string // --property, each key=value
	QoS        []string // --qos, each key=value
	Hints      []string // --hint, each name=value
	Known      []string // --volume-property, each name=value
	// Cloud has the volume types of --os-cloud, in place of TypesFile; nil without it.
	Cloud *openstack.Catalogue
}

// Create returns the request without its hints, which [Volume.ReadHints] adds. The
// notes are warnings about extra specs that Cinder does not read as they look.
func (v *Volume) Create() (c *volumeapi.Create, notes []string, err error) {
	if v.Size == 0 {
		return nil, nil, errors.New("--size is missing or 0: give the size of the volume in GiB")
	}
	if v.Size < 0 {
		return nil, nil, fmt.Errorf("--size %d: want a whole number of GiB, 1 or more", v.Size)
	}
	c = &volumeapi.Create{Size: v.Size, Zone: v.Zone}
	if c.Type, notes, err = v.volumeType(); err != nil {
		return nil, nil, err
	}
	if c.QoS, err = v.qos(); err != nil {
		return nil, nil, err
	}
	if c.Properties, err = v.known(); err != nil {
		return nil, nil, err
	}
	return c, notes, v.checkHints()
}

// qos are the specs of the type in the cloud, with those of --qos in their place.
func (v *Volume) qos() (capability.Set, error) {
	set, err := textSet("--qos", v.QoS)
	if err != nil || v.Cloud == nil || v.Type == "" {
		return set, err
	}
	t, err := v.Cloud.Type(v.Type)
	if err != nil || t.QoS == nil {
		return set, err
	}
	return t.QoS.Overlay(set), nil
}

// volumeType is the type of --type with the extra specs of --property; nil if there is
// neither.
func (v *Volume) volumeType() (t *cinder.VolumeType, notes []string, err error) {
	if v.Type != "" {
		named, err := v.NamedType("--type", v.Type)
		if err != nil {
			return nil, nil, err
		}
		t, notes = &named, ReviewSpecs(named)
	}
	for _, p := range v.Properties {
		spec, note, err := parseProperty(p)
		if err != nil {
			return nil, nil, fmt.Errorf("--property %s: %w", p, err)
		}
		if note != "" {
			notes = append(notes, note)
		}
		if t == nil {
			t = &cinder.VolumeType{Name: "of --property"}
		}
		t.ExtraSpecs = t.ExtraSpecs.With(spec)
	}
	return t, notes, nil
}

// DefaultType finds the type of default_volume_type in the cloud or the file of --types;
// nil if there is neither, or it lacks the type.
func (v *Volume) DefaultType(name string) (*cinder.VolumeType, error) {
	if v.Cloud != nil {
		if t, err := v.Cloud.Type(name); err == nil {
			return &t.VolumeType, nil
		}
		return nil, nil
	}
	types, err := VolumeTypes(v.TypesFile)
	i := slices.IndexFunc(types, func(t cinder.VolumeType) bool { return t.Name == name })
	if err != nil || i < 0 {
		return nil, err
	}
	return &types[i], nil
}

// NamedType finds the type that a flag names in the cloud or the file of --types.
func (v *Volume) NamedType(flag, name string) (cinder.VolumeType, error) {
	if v.Cloud != nil {
		t, err := v.Cloud.Type(name)
		if err != nil {
			err = fmt.Errorf("%s: %w", flag, err)
		}
		return t.VolumeType, err
	}
	if v.TypesFile == "" {
		return cinder.VolumeType{}, fmt.Errorf("%s needs --types or --os-cloud: save the output of openstack volume type list --long -f json and name the file", flag)
	}
	return typeFromFile(v.TypesFile, flag, name)
}

// known are the properties of --volume-property.
func (v *Volume) known() (capability.Set, error) {
	set, err := textSet("--volume-property", v.Known)
	for name, value := range set {
		if text, _ := value.Str(); text == "true" || text == "false" {
			set[name] = capability.OfBool(text == "true")
		}
	}
	return set, err
}

// textSet reads pairs of a flag, key=value; it is nil if there are none.
func textSet(flag string, pairs []string) (capability.Set, error) {
	var set capability.Set
	for _, p := range pairs {
		key, value, ok := strings.Cut(p, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("%s %s: want key=value", flag, p)
		}
		if set == nil {
			set = capability.Set{}
		}
		set[key] = capability.OfString(value)
	}
	return set, nil
}

// checkHints refuses hints that no filter reads.
func (v *Volume) checkHints() error {
	for _, hint := range v.Hints {
		name, _, ok := strings.Cut(hint, "=")
		if !ok || !slices.Contains(volumeapi.HintNames(), name) {
			return fmt.Errorf("--hint %s: want name=value with one of the names %s", hint, strings.Join(volumeapi.HintNames(), ", "))
		}
	}
	return nil
}

// ReadHints adds the hints to a request. They name backends, or volumes that can be
// found.
func (v *Volume) ReadHints(ctx context.Context, c *volumeapi.Create, reader volumeapi.HintReader) error {
	if v.Cloud != nil {
		reader.Volumes = v.Cloud
	}
	for _, hint := range v.Hints {
		name, value, _ := strings.Cut(hint, "=")
		if err := reader.Read(ctx, &c.Hints, name, value); err != nil {
			return fmt.Errorf("--hint %s: %w", hint, err)
		}
	}
	return nil
}

func typeFromFile(path, flag, name string) (cinder.VolumeType, error) {
	types, err := VolumeTypes(path)
	if err != nil {
		return cinder.VolumeType{}, err
	}
	var names []string
	for _, t := range types {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	return cinder.VolumeType{}, fmt.Errorf("%s %s: %s has no such type; it has %s", flag, name, path, strings.Join(names, ", "))
}

// condensed is a condition without the blank that Cinder requires, such as
// capabilities:total_volumes<=800.
var condensed = regexp.MustCompile(`^([A-Za-z_][\w:.-]*?)\s*(<=|>=|==|!=|<|>)\s*([^=<>!\s].*)$`)

// parseProperty reads key=value. A condensed condition is read as it was meant, and
// the note has what the openstack client would store.
func parseProperty(p string) (spec cinder.ExtraSpec, note string, err error) {
	if m := condensed.FindStringSubmatch(p); m != nil {
		value := cinder.Respell(m[2] + m[3])
		return cinder.Spec(m[1], value), condensedNote(p, m[1], value), nil
	}
	key, value, ok := strings.Cut(p, "=")
	if !ok || key == "" {
		return cinder.ExtraSpec{}, "", errors.New("want key=value, such as volume_backend_name=pure_performance")
	}
	return cinder.Spec(key, value), "", nil
}

func condensedNote(written, key, value string) string {
	advice := fmt.Sprintf("taken to mean %s=%q; with the openstack client type --property %s='%s'", key, value, key, value)
	stored, rest, ok := strings.Cut(written, "=")
	if !ok {
		return fmt.Sprintf("--property %s has no = and the openstack client refuses it; %s", written, advice)
	}
	return fmt.Sprintf("--property %s: the openstack client would store the extra spec %q with the value %q, which no backend meets; %s", written, stored, rest, advice)
}

// ReviewSpecs finds extra specs that were stored from a condensed condition. They
// are not changed, because the scheduler reads them as they are.
func ReviewSpecs(t cinder.VolumeType) []string {
	var notes []string
	for _, f := range advice.OperatorsInKeys(t) {
		notes = append(notes, fmt.Sprintf("%s: %s; type: %s", f.Where, f.Problem, f.Fix))
	}
	return notes
}
