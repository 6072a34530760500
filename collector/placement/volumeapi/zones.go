package volumeapi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// ZoneSource is where the zones of a request come from.
type ZoneSource string

// The sources of zones.
const (
	Requested   ZoneSource = "requested"
	OfType      ZoneSource = ZonesKey
	OfSource    ZoneSource = "source" // of the source volume or snapshot
	DefaultZone ZoneSource = "default_availability_zone"
	StorageZone ZoneSource = "storage_availability_zone"
	AnyZone     ZoneSource = "any" // storage_availability_zone is empty
)

// ZonesKey is the extra spec that limits the zones of a type.
const ZonesKey = "RESKEY:availability_zones"

// ZoneChoice are the zones in which a new volume may be.
type ZoneChoice struct {
	Names  []string // nil for every zone
	Source ZoneSource
	// Unknown is the zone in whose place Names count, by
	// allow_availability_zone_fallback; "" if there is none.
	Unknown string
}

// ChooseZones returns the zones of a request, as _extract_availability_zones in
// cinder/volume/flows/api/create_volume.py does. The error is a [*RefusalError].
func (c Cloud) ChooseZones(q Create) (ZoneChoice, error) {
	if c.UsesDefaultType(q) {
		q.Type = c.DefaultType
	}
	known := c.knownZones()
	ofType, limited := typeZones(q.Type)
	if limited {
		ofType = slices.DeleteFunc(ofType, func(z string) bool { return z == "" || known != nil && !slices.Contains(known, z) })
		if len(ofType) == 0 {
			return ZoneChoice{}, c.noTypeZone(q.Type)
		}
		known = ofType
	}
	z, source := q.Zone, Requested
	if z == "" {
		z, source = q.SourceZone, OfSource
	}
	if z == "" && !limited {
		z, source = c.defaultZone()
	}
	choice := ZoneChoice{Names: []string{z}, Source: source}
	switch {
	case z == "" && limited:
		return ZoneChoice{Names: ofType, Source: OfType}, nil
	case z == "":
		return ZoneChoice{Names: known, Source: AnyZone}, nil
	case known != nil && !slices.Contains(known, z) && !c.ZoneFallback:
		return choice, c.unknownZone(q.Type, choice, known, limited)
	case known != nil && !slices.Contains(known, z):
		choice.Unknown = z
		choice.Names[0], choice.Source = c.defaultZone()
	}
	if choice.Names[0] == "" {
		return ZoneChoice{Names: known, Source: AnyZone}, nil
	}
	if !c.CloneOtherAZ && q.SourceZone != "" && q.SourceZone != choice.Names[0] {
		return choice, refuse("InvalidInput", "the source is in the zone %s and the volume would be in %s: cloned_volume_same_az requires one zone", q.SourceZone, choice.Names[0])
	}
	return choice, nil
}

// knownZones are the zones that cinder-api accepts: those of the services and
// storage_availability_zone (cinder/volume/api.py, create); nil if they are not known.
func (c Cloud) knownZones() []string {
	if c.Zones == nil {
		return nil
	}
	known := slices.Clone(c.Zones)
	if c.StorageZone != "" && !slices.Contains(known, c.StorageZone) {
		known = append(known, c.StorageZone)
	}
	return known
}

func (c Cloud) defaultZone() (string, ZoneSource) {
	if c.DefaultZone != "" {
		return c.DefaultZone, DefaultZone
	}
	return c.StorageZone, StorageZone
}

// typeZones are the zones that a type names, and whether it names zones. A blank
// between commas is a zone without a name, which no service has
// (cinder/volume/volume_utils.py, extract_availability_zones_from_volume_type).
func typeZones(t *cinder.VolumeType) (zones []string, limited bool) {
	text, limited := spec(t, ZonesKey)
	for _, z := range strings.Split(text, ",") {
		name := strings.TrimSpace(z)
		if z != "" && !slices.Contains(zones, name) {
			zones = append(zones, name)
		}
	}
	return zones, limited
}

// LimitsZones reports whether a type names the zones of its volumes.
func LimitsZones(t *cinder.VolumeType) bool {
	_, limited := typeZones(t)
	return limited
}

func (c Cloud) noTypeZone(t *cinder.VolumeType) *RefusalError {
	text, _ := spec(t, ZonesKey)
	return refuse("InvalidTypeAvailabilityZones", "type %s has %s = %q, and none of these zones has a volume service: %s",
		t.Name, ZonesKey, text, c.zonesText(c.knownZones()))
}

func (c Cloud) unknownZone(t *cinder.VolumeType, choice ZoneChoice, known []string, limited bool) *RefusalError {
	zone := choice.Names[0]
	switch {
	case limited:
		return refuse("InvalidAvailabilityZone", "the %s %s is not among those of %s of the type %s: %s", choice.zoneText(), zone, ZonesKey, t.Name, format.List(known))
	case choice.Source == DefaultZone:
		return refuse("InvalidAvailabilityZone", "no zone was requested, and default_availability_zone = %s has no volume service: %s", zone, c.zonesText(known))
	}
	return refuse("InvalidAvailabilityZone", "the %s %s has no volume service: %s", choice.zoneText(), zone, c.zonesText(known))
}

func (z ZoneChoice) zoneText() string {
	if z.Source == OfSource {
		return "zone of the source,"
	}
	return "requested zone"
}

// zonesText lists the zones that exist, and says how they are known.
func (c Cloud) zonesText(known []string) string {
	text := "the zones are " + format.List(known)
	if !c.AllZones {
		text += ", those of the backends at hand and storage_availability_zone; openstack availability zone list --volume shows all"
	}
	return text
}

// ZoneNote says where the zones of a request come from, unless the request named one;
// "" if there is nothing to say.
func (c Cloud) ZoneNote(z ZoneChoice) string {
	names := format.List(z.Names)
	switch {
	case z.Unknown != "":
		return fmt.Sprintf("the zone %s has no volume service: %s in its place, by allow_availability_zone_fallback and %s of this host's cinder.conf; the file of the API host counts",
			z.Unknown, names, z.Source)
	case z.Source == OfType:
		return "no zone was requested: " + names + " by " + ZonesKey + " of the type"
	case z.Source == OfSource:
		return "no zone was requested: " + names + ", the zone of the source"
	case z.Source == AnyZone:
		return "no zone was requested, and storage_availability_zone is empty: every zone counts"
	case z.Source == Requested:
		return ""
	}
	text := fmt.Sprintf("no zone was requested: %s by %s of this host's cinder.conf; the file of the API host counts", names, z.Source)
	if c.Zones != nil && !slices.Contains(c.Zones, z.Names[0]) {
		text += ". No backend is in it: --availability-zone asks for another"
	}
	return text
}
