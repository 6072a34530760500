package input

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Volume describes a volume to place, as the flags do.
type Volume struct {
	Size       int64    // --size, in GiB
	Zone       string   // --availability-zone
	Type       string   // --type, a name in TypesFile
	TypesFile  string   // --types
	Properties []string // --property, each key=value
	// Cloud has the volume types of --os-cloud, in place of TypesFile; nil without it.
	Cloud *openstack.Catalogue
}

// Request builds the scheduler's request. The notes are warnings about extra specs
// that Cinder does not read as they look.
func (v *Volume) Request() (r *cinder.Request, notes []string, err error) {
	if v.Size == 0 {
		return nil, nil, errors.New("--size is missing: give the size of the volume in GiB")
	}
	if v.Size < 0 {
		return nil, nil, fmt.Errorf("--size %d: want a whole number of GiB, 1 or more", v.Size)
	}
	r = &cinder.Request{Size: v.Size, Zone: v.Zone}
	switch {
	case v.Type != "" && v.Cloud != nil:
		t, err := v.Cloud.Type(v.Type)
		if err != nil {
			return nil, nil, fmt.Errorf("--type: %w", err)
		}
		r.Type, r.QoS = &t.VolumeType, t.QoS
		notes = reviewSpecs(t.VolumeType)
	case v.Type != "" && v.TypesFile == "":
		return nil, nil, errors.New("--type needs --types or --os-cloud: save the output of openstack volume type list --long -f json and name the file")
	case v.Type != "":
		t, err := typeFromFile(v.TypesFile, v.Type)
		if err != nil {
			return nil, nil, err
		}
		r.Type = &t
		notes = reviewSpecs(t)
	}
	for _, p := range v.Properties {
		spec, note, err := parseProperty(p)
		if err != nil {
			return nil, nil, fmt.Errorf("--property %s: %w", p, err)
		}
		if note != "" {
			notes = append(notes, note)
		}
		if r.Type == nil {
			r.Type = &cinder.VolumeType{Name: "of --property"}
		}
		r.Type.ExtraSpecs = slices.DeleteFunc(r.Type.ExtraSpecs, func(s cinder.ExtraSpec) bool { return s.Key == spec.Key })
		r.Type.ExtraSpecs = append(r.Type.ExtraSpecs, spec)
	}
	return r, notes, nil
}

func typeFromFile(path, name string) (cinder.VolumeType, error) {
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
	return cinder.VolumeType{}, fmt.Errorf("--type %s: %s has no such type; it has %s", name, path, strings.Join(names, ", "))
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

// reviewSpecs finds extra specs that were stored from a condensed condition. They
// are not changed, because the scheduler reads them as they are.
func reviewSpecs(t cinder.VolumeType) []string {
	var notes []string
	for _, f := range advice.OperatorsInKeys(t) {
		notes = append(notes, fmt.Sprintf("%s: %s; type: %s", f.Where, f.Problem, f.Fix))
	}
	return notes
}
