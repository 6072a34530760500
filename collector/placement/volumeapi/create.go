package volumeapi

import (
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Settings are the options of the API host's cinder.conf that decide on requests.
type Settings struct {
	DefaultZone       string // default_availability_zone; "" if it is not set
	StorageZone       string // storage_availability_zone
	ZoneFallback      bool   // allow_availability_zone_fallback
	CloneOtherAZ      bool   // cloned_volume_same_az = false
	SnapshotOtherHost bool   // snapshot_same_host = false
}

// Cloud is what cinder-api knows when a request arrives.
type Cloud struct {
	Settings
	// Zones are the availability zones that have a volume service, disabled ones
	// included; nil if they are not known, and then every zone exists.
	Zones []string
	// AllZones is whether Zones are those of the list of services, and not only those
	// of the backends at hand.
	AllZones bool
	// DefaultType is the type of a request without one (default_volume_type); nil if it
	// is not known, and then such a volume has no extra specs.
	DefaultType *cinder.VolumeType
}

// Create is a request for a new volume.
type Create struct {
	Size int64 // GiB
	Type *cinder.VolumeType
	QoS  capability.Set // specs of the type's QoS, with any consumer; nil if there are none
	Zone string         // as requested; "" for none
	// SourceZone is the zone of the source volume or snapshot; "" if there is none.
	SourceZone string
	// SourceBackend is the pool of the source volume or snapshot; "" if there is none.
	SourceBackend string
	FromSnapshot  bool // the source is a snapshot
	Hints         Hints
	// Properties are those of the volume that are known beside what cinder-api fills
	// in itself, such as display_name and project_id.
	Properties capability.Set
}

// UsesDefaultType reports whether the type of a request is that of default_volume_type:
// a volume from another one has the type of its source.
func (c Cloud) UsesDefaultType(q Create) bool {
	return q.Type == nil && c.DefaultType != nil && q.SourceBackend == ""
}

// Create returns the request that the scheduler gets. The error is a [*RefusalError] if
// cinder-api refuses the request.
func (c Cloud) Create(q Create) (*cinder.Request, error) {
	if c.UsesDefaultType(q) {
		q.Type = c.DefaultType
	}
	if err := checkSize(q.Type, q.Size); err != nil {
		return nil, err
	}
	zones, err := c.ChooseZones(q)
	if err != nil {
		return nil, err
	}
	r := &cinder.Request{Size: q.Size, Type: q.Type, QoS: q.QoS, Zones: zones.Names, Properties: q.properties(zones.Names)}
	if len(zones.Names) == 1 {
		r.Zone = zones.Names[0]
	}
	if !q.FromSnapshot || !c.SnapshotOtherHost {
		r.ResourceBackend = q.SourceBackend
	}
	q.Hints.apply(r)
	return r, nil
}

// Draft is the request as far as it is known before cinder-api has judged it, to show
// beside a refusal.
func (q Create) Draft() *cinder.Request {
	return &cinder.Request{Size: q.Size, Type: q.Type, QoS: q.QoS, Zone: q.Zone}
}

// properties are the properties of the new volume, which filter and goodness functions
// read as volume.name: those of VolumeProperties in cinder/objects/request_spec.py, as
// EntryCreateTask in cinder/volume/flows/api/create_volume.py sets them. Ids of user,
// project and type are absent unless they are given.
func (q Create) properties(zones []string) capability.Set {
	null := capability.Value{}
	p := capability.Set{
		"size": capability.OfInt(q.Size), "status": capability.OfString("creating"), "attach_status": capability.OfString("detached"),
		"display_name": null, "display_description": null, "encryption_key_id": null,
		"multiattach": capability.OfBool(multiattach(q.Type)), "metadata": capability.OfSet(nil), "reservations": capability.OfList(),
		"snapshot_id": null, "source_volid": null, "group_id": null, "consistencygroup_id": null, "cgsnapshot_id": null, "qos_specs": null,
	}
	if q.QoS != nil {
		p["qos_specs"] = capability.OfSet(q.QoS)
	}
	if len(zones) == 1 {
		p["availability_zone"] = capability.OfString(zones[0])
	}
	return p.Overlay(q.Properties)
}

// GivenProperties are the properties of a new volume that cinder-api fills and that are
// not known unless they are given.
func GivenProperties() []string { return []string{"project_id", "user_id", "volume_type_id"} }

// multiattach is whether volumes of a type can be attached several times: only this
// spelling counts (create_volume.py, ExtractVolumeRequestTask.execute).
func multiattach(t *cinder.VolumeType) bool {
	value, _ := spec(t, "multiattach")
	return value == "<is> True"
}

// spec returns an extra spec of a type, and whether the type has it.
func spec(t *cinder.VolumeType, key string) (value string, ok bool) {
	if t == nil {
		return "", false
	}
	i := slices.IndexFunc(t.ExtraSpecs, func(s cinder.ExtraSpec) bool { return s.Key == key })
	if i < 0 {
		return "", false
	}
	if v := t.ExtraSpecs[i].Value; v != nil {
		value = *v
	}
	return value, true
}
