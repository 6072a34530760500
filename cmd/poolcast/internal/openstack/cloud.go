package openstack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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
		return VolumeType{}, fmt.Errorf("the cloud has no volume type %q; it has %s", name, strings.Join(names, ", "))
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
