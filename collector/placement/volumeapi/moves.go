package volumeapi

import (
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Volume is a volume that exists. The zero values of its states are those that
// cinder-api accepts.
type Volume struct {
	Pool string // host@backend#pool, with the cluster in place of the host if there is one
	Zone string
	Size int64 // GiB
	Type *cinder.VolumeType

	Status     string // as the API shows it; "" is available, or in-use if it is attached
	InUse      bool   // attached
	Snapshots  bool   // it has snapshots
	Grouped    bool   // it is in a group or consistency group
	Replicated bool
	Migrating  bool
	// StatesKnown is whether the states above are known, and not only assumed.
	StatesKnown bool
	// Properties are further ones that functions read as volume.name.
	Properties capability.Set
}

// properties are those of the volume in a state. Unlike those of a new volume they have
// no QoS specs, so that functions find none (cinder/objects/volume.py).
func (v *Volume) properties(status string) capability.Set {
	attach := "detached"
	if v.InUse {
		attach = "attached"
	}
	p := capability.Set{
		"size": capability.OfInt(v.Size), "status": capability.OfString(status), "attach_status": capability.OfString(attach),
		"host": capability.OfString(v.Pool), "multiattach": capability.OfBool(multiattach(v.Type)),
	}
	if v.Zone != "" {
		p["availability_zone"] = capability.OfString(v.Zone)
	}
	return p.Overlay(v.Properties)
}

func (v *Volume) status() string {
	if v.InUse {
		return "in-use"
	}
	return "available"
}

// ready reports whether the volume is in a status in which it may be migrated.
func (v *Volume) ready() bool {
	return v.Status == "" || v.Status == "available" || v.Status == "in-use"
}

// Extend is a request to extend a volume.
type Extend struct {
	Volume

	NewSize int64 // GiB
}

// Extend returns the request that the scheduler gets; it decides whether the volume's
// own backend passes the filters (cinder/volume/api.py, _extend). No zone is in it.
func (c Cloud) Extend(q Extend) (*cinder.Request, error) {
	if q.NewSize <= q.Size {
		return nil, refuse("InvalidInput", "the new size must be greater than the size, and %d GiB is not greater than %d GiB", q.NewSize, q.Size)
	}
	if err := checkSize(q.Type, q.NewSize); err != nil {
		return nil, err
	}
	return &cinder.Request{Size: q.Size, NewSize: q.NewSize, Type: q.Type, Properties: q.properties("extending")}, nil
}

// Migrate is a request to migrate a volume to another pool.
type Migrate struct {
	Volume

	To string // host@backend#pool, with the cluster in place of the host if there is one
	// ToCluster is whether the destination is in a cluster. cinder-api then compares
	// the cluster's name without the pool, so that the volume's own pool is not refused.
	ToCluster bool
}

// Migrate returns the request that the scheduler gets; it decides whether the
// destination passes the filters (cinder/volume/api.py, migrate_volume). No zone is in
// it: a volume may be migrated to another zone.
func (c Cloud) Migrate(q Migrate) (*cinder.Request, error) {
	var faults []string
	for _, f := range []struct {
		found bool
		text  string
	}{
		{!q.ready(), "has the status " + q.Status},
		{q.Migrating, "is being migrated"},
		{q.Snapshots, "has snapshots"},
		{q.Replicated, "is replicated"},
		{q.Grouped, "is in a group"},
		{q.To == q.Pool && !q.ToCluster, "is on " + q.To + " already"},
	} {
		if f.found {
			faults = append(faults, f.text)
		}
	}
	if len(faults) > 0 {
		return nil, refuse("InvalidVolume", "the volume %s", strings.Join(faults, " and "))
	}
	return &cinder.Request{Size: q.Size, Type: q.Type, Properties: q.properties(q.status())}, nil
}

// Note says which states cinder-api refuses, unless they are known; "" if there is
// nothing to say.
func (q Migrate) Note() string {
	if q.StatesKnown {
		return ""
	}
	return "cinder-api also refuses a volume with snapshots, in a group, replicated or in a migration, which is not known here"
}

// The migration policies of a retype.
const (
	Never    = "never"
	OnDemand = "on-demand"
)

// Retype is a request to change the type of a volume.
type Retype struct {
	Volume

	NewType *cinder.VolumeType
	// QoSChanges is whether specs for the front-end differ between the types.
	QoSChanges bool
	Policy     string // Never or OnDemand; "" is Never
}

// Retype returns the request that the scheduler gets; it prefers the volume's own
// backend (cinder/volume/api.py, retype). The zones are those of the new type, else
// that of the volume; zones that do not exist are among them.
func (c Cloud) Retype(q Retype) (*cinder.Request, error) {
	if err := checkSize(q.NewType, q.Size); err != nil {
		return nil, err
	}
	if q.InUse && multiattach(q.Type) != multiattach(q.NewType) {
		return nil, refuse("InvalidInput", "multiattach differs between the types, and the volume is in use")
	}
	switch {
	case q.Migrating:
		return nil, refuse("InvalidVolume", "the volume is being migrated")
	case q.Grouped:
		return nil, refuse("InvalidVolume", "the volume is in a group")
	case q.Type != nil && q.NewType != nil && q.Type.Name == q.NewType.Name:
		return nil, refuse("InvalidVolume", "the volume has the type %s already", q.NewType.Name)
	case q.InUse && q.QoSChanges:
		return nil, refuse("InvalidVolume", "QoS specs of the front-end differ between the types, and the volume is in use")
	}
	r := &cinder.Request{Size: q.Size, Type: q.NewType, ExistsOn: q.Pool, Properties: q.properties("retyping")}
	if zones, limited := typeZones(q.NewType); limited {
		r.Zones = zones
	} else if q.Zone != "" {
		r.Zones, r.Zone = []string{q.Zone}, q.Zone
	}
	return r, nil
}

// Note says which states cinder-api refuses, unless they are known; "" if there is
// nothing to say.
func (q Retype) Note() string {
	switch {
	case q.StatesKnown:
		return ""
	case q.InUse:
		return "cinder-api also refuses a volume in a group or in a migration, and one in use if QoS specs of the front-end differ, which is not known here"
	}
	return "cinder-api also refuses a volume in a group or in a migration, which is not known here"
}
