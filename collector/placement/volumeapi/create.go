package volumeapi

import (
	"fmt"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Settings are the options of the API host's cinder.conf that decide on the zones of
// a request.
type Settings struct {
	DefaultZone  string // default_availability_zone; "" if it is not set
	StorageZone  string // storage_availability_zone
	ZoneFallback bool   // allow_availability_zone_fallback
	CloneOtherAZ bool   // cloned_volume_same_az = false
}

// Cloud is what cinder-api knows when a request arrives.
type Cloud struct {
	Settings
	// Zones are the availability zones that have a volume service; nil if they are
	// not known, and then every zone exists.
	Zones []string
}

// Create is a request for a new volume.
type Create struct {
	Size int64 // GiB
	Type *cinder.VolumeType
	QoS  capability.Set // specs of the type's QoS, consumer back-end or both; nil if there are none
	Zone string         // as requested; "" for none
	// SourceZone is the zone of the source volume or snapshot; "" if there is none.
	SourceZone string
}

// Create returns the request that the scheduler gets. The error is a [*Refusal] if
// cinder-api refuses the request.
func (c Cloud) Create(q Create) (*cinder.Request, error) {
	return &cinder.Request{Size: q.Size, Type: q.Type, QoS: q.QoS, Zone: q.Zone}, nil
}

// Refusal says that cinder-api refuses a request, and the scheduler is not asked.
type Refusal struct {
	Exception string // the class of the exception in cinder/exception.py
	Reason    string
}

// Error names the exception of Cinder.
func (r *Refusal) Error() string {
	return fmt.Sprintf("cinder-api refuses the request (%s): %s", r.Exception, r.Reason)
}
