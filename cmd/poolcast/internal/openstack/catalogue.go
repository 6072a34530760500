package openstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// VolumeType is a volume type of the cloud.
type VolumeType struct {
	cinder.VolumeType
	// QoS are the QoS specs that filter and goodness functions read as qos.name,
	// for every consumer. Nil if there are none.
	QoS capability.Set
}

// rawType is a volume type as the API sends it. Each key that the credential may not
// see is left out.
type rawType struct {
	ID         string             `json:"id"`
	Name       string             `json:"name"`
	ExtraSpecs *cinder.ExtraSpecs `json:"extra_specs"`
	QoS        json.RawMessage    `json:"qos_specs_id"` // null if there are none
}

// VolumeTypes reads every volume type, public or not. It is an error if the cloud does
// not show all extra specs: a decision without them would be wrong.
func (c *Client) VolumeTypes(ctx context.Context) ([]VolumeType, error) {
	raw, err := c.rawTypes(ctx)
	if err != nil {
		return nil, err
	}
	var specs map[string]capability.Set
	types := make([]VolumeType, len(raw))
	for i, t := range raw {
		types[i] = VolumeType{VolumeType: cinder.VolumeType{Name: t.Name, ExtraSpecs: *t.ExtraSpecs}}
		var id string
		if err := json.Unmarshal(t.QoS, &id); err != nil || id == "" {
			continue
		}
		if specs == nil {
			if specs, err = c.qos(ctx); err != nil {
				return nil, err
			}
		}
		types[i].QoS = specs[id]
	}
	return types, nil
}

// DefaultType reads the name of the type that cinder-api gives a volume without one:
// that of the credential's project, if it has one, else default_volume_type. It is ""
// if there is none.
func (c *Client) DefaultType(ctx context.Context) (string, error) {
	var one struct {
		Type struct {
			Name string `json:"name"`
		} `json:"volume_type"`
	}
	err := c.get(ctx, query{what: "the default volume type", path: "types/default", right: "volume_extension:type_get"}, &one)
	if errors.Is(err, errNotFound) {
		err = nil
	}
	return one.Type.Name, err
}

func (c *Client) rawTypes(ctx context.Context) (all []rawType, err error) {
	q := query{
		what: "the volume types", path: "types", right: "volume_extension:type_get_all",
		values: map[string][]string{"is_public": {"None"}},
	}
	err = c.getAll(ctx, q, func(ctx context.Context, q query) (string, bool, error) {
		var page struct {
			Types []rawType `json:"volume_types"`
			Links []any     `json:"volume_type_links"`
		}
		if err := c.get(ctx, q, &page); err != nil {
			return "", false, err
		}
		all = append(all, page.Types...)
		return lastOf(page.Types, func(t rawType) string { return t.ID }), len(page.Links) > 0, nil
	})
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if t.ExtraSpecs == nil || t.QoS == nil {
			return nil, fmt.Errorf("request the volume types from cloud %s: it shows only a part of their extra specs: the credential needs the role admin; Cinder checks the rules volume_extension:types_extra_specs:read_sensitive and volume_extension:access_types_qos_specs_id: %w", c.name, ErrDenied)
		}
	}
	return all, nil
}

// qos reads all QoS specs, by their id.
func (c *Client) qos(ctx context.Context) (map[string]capability.Set, error) {
	specs := map[string]capability.Set{}
	q := query{what: "the QoS specs", path: "qos-specs", right: "volume_extension:qos_specs_manage:get_all"}
	err := c.getAll(ctx, q, func(ctx context.Context, q query) (string, bool, error) {
		var page struct {
			Specs []struct {
				ID    string            `json:"id"`
				Specs map[string]string `json:"specs"`
			} `json:"qos_specs"`
			Links []any `json:"qos_specs_links"`
		}
		if err := c.get(ctx, q, &page); err != nil {
			return "", false, err
		}
		last := ""
		for _, s := range page.Specs {
			last, specs[s.ID] = s.ID, textSet(s.Specs)
		}
		return last, len(page.Links) > 0, nil
	})
	return specs, err
}

func textSet(texts map[string]string) capability.Set {
	set := make(capability.Set, len(texts))
	for key, text := range texts {
		set[key] = capability.OfString(text)
	}
	return set
}

// Zones reads the names of the availability zones, also of those whose services are
// disabled: these are the zones that cinder-api accepts.
func (c *Client) Zones(ctx context.Context) ([]string, error) {
	var list struct {
		Zones []struct {
			Name string `json:"zoneName"`
		} `json:"availabilityZoneInfo"`
	}
	if err := c.get(ctx, query{what: "the availability zones", path: "os-availability-zone", right: "volume:availability_zone_list"}, &list); err != nil {
		return nil, err
	}
	names := make([]string, len(list.Zones))
	for i, z := range list.Zones {
		names[i] = z.Name
	}
	return names, nil
}

func lastOf[T any](list []T, id func(T) string) string {
	if len(list) == 0 {
		return ""
	}
	return id(list[len(list)-1])
}
