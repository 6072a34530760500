package openstack

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Catalogue is what a question about volumes needs of a cloud. The zero value is that
// of no cloud: nothing is known.
type Catalogue struct {
	Types    []VolumeType
	Default  string    // name of the type of a volume without one; "" if it is not known
	Zones    []string  // nil if they are not known
	Services []Service // nil if they are not known
	Notes    []string  // what could not be read

	client *Client
}

// Catalogue reads types, zones and services. Without the right to read the default type,
// the zones or the services these are not known, and a note says so.
func (c *Client) Catalogue(ctx context.Context) (*Catalogue, error) {
	out := &Catalogue{client: c}
	var err error
	if out.Types, err = c.VolumeTypes(ctx); err != nil {
		return nil, err
	}
	if out.Default, err = c.DefaultType(ctx); out.cannot(err) {
		return nil, err
	}
	if out.Zones, err = c.Zones(ctx); out.cannot(err) {
		return nil, err
	}
	if out.Services, err = c.Services(ctx); out.cannot(err) {
		return nil, err
	}
	return out, nil
}

// cannot makes a note of an error that is about a right, and reports any other.
func (c *Catalogue) cannot(err error) bool {
	if errors.Is(err, ErrDenied) {
		c.Notes = append(c.Notes, err.Error())
		return false
	}
	return err != nil
}

// Host returns the pool of a volume by its id, for scheduler hints that name volumes.
func (c *Catalogue) Host(ctx context.Context, id string) (string, error) {
	if c.client == nil {
		return "", errors.New("no cloud is given that has the volume")
	}
	return c.client.Host(ctx, id)
}

// Type returns the volume type of a name. The error lists those that there are.
func (c *Catalogue) Type(name string) (VolumeType, error) {
	i := slices.IndexFunc(c.Types, func(t VolumeType) bool { return t.Name == name })
	if i < 0 {
		names := make([]string, len(c.Types))
		for i, t := range c.Types {
			names[i] = t.Name
		}
		return VolumeType{}, fmt.Errorf("the cloud has no volume type %q; it has %q", name, names)
	}
	return c.Types[i], nil
}

// PlacementTypes are the types for the placement core.
func (c *Catalogue) PlacementTypes() []cinder.VolumeType {
	types := make([]cinder.VolumeType, len(c.Types))
	for i, t := range c.Types {
		types[i] = t.VolumeType
	}
	return types
}

// Describe completes backends with what the services have: the zone of each, which the
// scheduler reads from there too, and why the scheduler does not list a backend. If the
// scheduler was not asked for its list, backends whose services are disabled, frozen or
// down, or that have no service, are unlisted from now on.
func (c *Catalogue) Describe(set *backends.Set) {
	if c.Services == nil {
		return
	}
	asked := !set.AskedAt.IsZero()
	set.Excluded = map[string]string{}
	set.Reports = slices.Clone(set.Reports)
	for i := range set.Reports {
		r := &set.Reports[i]
		identity := r.Identity()
		reason := NoService
		if service, ok := ServiceOf(c.Services, identity); ok {
			r.Zone, reason = service.Zone, service.Excluded()
		}
		listed := !slices.Contains(set.Unlisted, identity)
		if reason == "" || listed && asked {
			continue
		}
		set.Excluded[identity] = reason
		if listed {
			set.Unlisted = append(set.Unlisted, identity)
		}
	}
	slices.SortStableFunc(set.Reports, func(a, b capability.Report) int {
		return position(set.Unlisted, a) - position(set.Unlisted, b)
	})
}

// position is 1 for backends that are unlisted, which are the last, else 0.
func position(unlisted []string, r capability.Report) int {
	if slices.Contains(unlisted, r.Identity()) {
		return 1
	}
	return 0
}
