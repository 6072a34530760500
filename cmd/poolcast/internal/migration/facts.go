package migration

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/plan"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
)

// Facts are what the APIs of the cloud have about its volumes.
type Facts struct {
	Catalogue    *openstack.Catalogue
	Volumes      []openstack.Volume
	HasSnapshots map[string]bool // by volume id
}

// Read reads the facts. Each is needed: a plan without one of them would be wrong.
func Read(ctx context.Context, cloud *openstack.Client) (*Facts, error) {
	f := &Facts{}
	var err error
	if f.Catalogue, err = cloud.Catalogue(ctx); err != nil {
		return nil, err
	}
	if f.Volumes, err = cloud.Volumes(ctx); err != nil {
		return nil, err
	}
	f.HasSnapshots, err = cloud.VolumesWithSnapshots(ctx)
	return f, err
}

// Space is what the volumes of each backend, host@stanza, use.
type Space map[string]ArraySpace

// ArraySpace is what the volumes of one array use.
type ArraySpace struct {
	Volumes int                // on the array, also those that are not Cinder's
	GiB     map[string]float64 // physical, by the id in the name of a volume of Cinder
}

// ReadSpace reads the space from the arrays of a configuration. An array that fails is
// left out, and the error says so.
func ReadSpace(ctx context.Context, targets []setup.Target) (Space, error) {
	space := Space{}
	var failed []error
	for _, t := range targets {
		bytes, err := t.Client.VolumeSpace(ctx)
		if err != nil {
			failed = append(failed, fmt.Errorf("read the space of the volumes of %s: %w", t.Backend, err))
			continue
		}
		space[t.Host] = ArraySpace{Volumes: len(bytes), GiB: byID(bytes)}
	}
	return space, errors.Join(failed...)
}

// uuid is the id in the name that the Pure driver gives a volume: volume-ID-cinder, also
// below a pod or a volume group (cinder/volume/drivers/pure.py, _get_vol_name).
var uuid = regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

func byID(bytes map[string]int64) map[string]float64 {
	out := make(map[string]float64, len(bytes))
	for name, n := range bytes {
		name = name[strings.LastIndexAny(name, ":/")+1:]
		if id := uuid.FindString(name); id != "" && strings.HasPrefix(name, "volume-") {
			out[id] += float64(n) / (1 << 30)
		}
	}
	return out
}

// pool is a logical pool with its volumes.
func (f *Facts) pool(p capability.LogicalPool, space Space) plan.Pool {
	out := plan.Pool{Name: p.Name, Zone: p.Zone, Arrays: p.Reports}
	for _, v := range f.Volumes {
		if on := f.arrayOf(&v, p.Reports); on != nil {
			out.Volumes = append(out.Volumes, f.volume(&v, on, space[on.Host].GiB))
		}
	}
	return out
}

// others is how many volumes on an array are not among those of a pool, and whether that is
// known.
func others(p plan.Pool, on *capability.Report, space Space) (number int, known bool) {
	array, known := space[on.Host]
	number = array.Volumes
	for i := range p.Volumes {
		if v := &p.Volumes[i]; v.Pool == cinder.PoolID(on) && v.Physical != nil {
			number--
		}
	}
	return number, known
}

// arrayOf is the array of a volume; nil if it is on none of these.
func (f *Facts) arrayOf(v *openstack.Volume, arrays []capability.Report) *capability.Report {
	identity := v.Backend()
	if service, ok := f.serviceOf(identity); ok {
		identity = service.Identity()
	}
	i := slices.IndexFunc(arrays, func(r capability.Report) bool { return r.Identity() == identity })
	if i < 0 {
		return nil
	}
	return &arrays[i]
}

// serviceOf is the service of the host of a volume, which has the cluster.
func (f *Facts) serviceOf(host string) (openstack.Service, bool) {
	i := slices.IndexFunc(f.Catalogue.Services, func(s openstack.Service) bool { return s.Host == host })
	if i < 0 {
		return openstack.Service{}, false
	}
	return f.Catalogue.Services[i], true
}

func (f *Facts) volume(v *openstack.Volume, on *capability.Report, space map[string]float64) plan.Volume {
	out := plan.Volume{ID: v.ID, Name: v.Name, Encrypted: v.Encrypted, Attachments: len(v.Servers)}
	for _, server := range v.Servers {
		if server == "" {
			out.Unserved++
		}
	}
	out.Volume = volumeapi.Volume{
		Pool: cinder.PoolID(on), Zone: v.Zone, Size: v.Size, Status: v.Status, InUse: v.Status == "in-use",
		Snapshots: f.HasSnapshots[v.ID], Grouped: v.Grouped, Migrating: migrating(v.Migration),
		Replicated: !slices.Contains([]string{"", "disabled", "not-capable"}, v.Replication), StatesKnown: true,
	}
	if t, err := f.Catalogue.Type(v.Type); err == nil {
		out.Type = &t.VolumeType
	}
	if gib, ok := space[v.NameID]; ok {
		out.Physical = &gib
	}
	return out
}

// migrating reports whether a migration runs (cinder/volume/api.py,
// AVAILABLE_MIGRATION_STATUS).
func migrating(status string) bool {
	return !slices.Contains([]string{"", "none", "deleting", "error", "success"}, status)
}
