package simulator

import "strings"

// volumeGenerator generates volumes from the array's own space: the sum of their
// space is what the array reports.
type volumeGenerator struct {
	common
	live        int   // generated live volumes
	provisioned int64 // GiB to distribute beyond the first of each volume
	unique      int64
	snapshots   int64
	space       object // the array's ratios
	connected   int    // volumes with a host
}

func (v *view) volumeGenerator() *volumeGenerator {
	space := v.space()
	g := &volumeGenerator{
		common: v.common("volume", "volume-", "-cinder"), live: v.count("volumes").Live, space: space,
		provisioned: provisionedBytes(space) / gib, unique: intAt(space, "unique"), snapshots: intAt(space, "snapshots"),
	}
	for _, o := range v.frame.responses["volumes"] {
		if isDestroyed(o) {
			continue
		}
		g.live--
		g.provisioned -= intAt(o, "provisioned") / gib
		g.unique -= intAt(o, "space.unique")
		g.snapshots -= intAt(o, "space.snapshots")
	}
	g.provisioned = max(g.provisioned-int64(g.live), 0)
	g.unique, g.snapshots = max(g.unique, 0), max(g.snapshots, 0)
	g.connected = g.live * 9 / 10
	return g
}

// provisionedBytes is the provisioned size of the array, also where, as on
// Evergreen//One, total_provisioned is null.
func provisionedBytes(space object) int64 {
	if n, ok := integer(space["total_provisioned"]); ok {
		return n
	}
	return intAt(space, "used_provisioned")
}

func (g *volumeGenerator) bytes(s serial) int64 {
	if s.destroyed {
		return 10 * gib
	}
	return (1 + share(g.provisioned, s.n, g.live)) * gib
}

func (g *volumeGenerator) serialNumber(s serial) string { return g.common.serialNumber(s, 0x11010) }

func (g *volumeGenerator) created(s serial) int64 { return created(s, 0, 60*day) }

func (g *volumeGenerator) field(s serial, path string) (any, bool) {
	switch path {
	case "name":
		return g.name(s), true
	case "id":
		return g.ids.uuid(s), true
	case "created":
		return g.created(s), true
	case "serial":
		return g.serialNumber(s), true
	case "provisioned":
		return g.bytes(s), true
	case "space":
		return g.volumeSpace(s), true
	case "footprint": // pods have one
		return nil, true
	case "pod.name", "volume_group.name", "source.name", "pod.id", "volume_group.id", "source.id":
		return nil, true
	}
	return nil, false
}

func (g *volumeGenerator) item(s serial) object {
	connections := int64(0)
	if !s.destroyed && s.n < g.connected {
		connections = 1
	}
	return object{
		"id": g.ids.uuid(s), "name": g.name(s), "created": g.created(s), "serial": g.serialNumber(s),
		"provisioned": g.bytes(s), "destroyed": s.destroyed, "time_remaining": g.remaining(s),
		"connection_count": connections, "subtype": "regular", "host_encryption_key_status": "none",
		"promotion_status": "promoted", "requested_promotion_state": "promoted",
		"priority": int64(0), "priority_adjustment": object{
			"priority_adjustment_operator": "+", "priority_adjustment_value": int64(0),
		},
		"qos": object{"bandwidth_limit": nil, "iops_limit": nil},
		"pod": nullReference(), "source": nullReference(), "volume_group": nullReference(), "workload": nil,
		"space": g.volumeSpace(s),
	}
}

// volumeSpace is empty for a destroyed volume.
func (g *volumeGenerator) volumeSpace(s serial) object {
	if !s.destroyed {
		return objectSpace(g.space, g.bytes(s), share(g.unique, s.n, g.live), share(g.snapshots, s.n, g.live))
	}
	o := objectSpace(object{"data_reduction": 1.0, "thin_provisioning": 1.0, "total_reduction": 1.0}, g.bytes(s), 0, 0)
	o["thin_provisioning"], o["used_provisioned"] = 0.0, int64(0)
	return o
}

// objectSpace keeps the identities of a Space: physical is the sum of its parts,
// virtual is what thin provisioning leaves of the provisioned size.
func objectSpace(array object, provisioned, unique, snapshots int64) object {
	o := object{
		"data_reduction": array["data_reduction"], "thin_provisioning": array["thin_provisioning"],
		"total_reduction": array["total_reduction"], "total_provisioned": provisioned,
		"unique": unique, "snapshots": snapshots, "shared": nil, "system": nil,
		"total_physical": unique + snapshots, "total_used": unique + snapshots,
		"unique_effective": nil, "snapshots_effective": nil, "total_effective": nil, "footprint": nil,
	}
	written := provisioned
	if thin, ok := number(array["thin_provisioning"]); ok {
		written = int64(float64(provisioned)*(1-thin) + 0.5)
	}
	o["virtual"], o["used_provisioned"] = written, written
	return o
}

// snapshotGenerator generates snapshots, of each live volume in turn.
type snapshotGenerator struct {
	common
	volumes *partlyGenerated
	live    int
	bytes   int64 // of all live ones together
}

func (v *view) snapshotGenerator() *snapshotGenerator {
	g := &snapshotGenerator{
		common: v.common("snapshot", "snapshot-", ""), volumes: v.volumes(), live: v.count("volume-snapshots").Live,
		bytes: intAt(v.space(), "snapshots"),
	}
	for _, o := range v.frame.responses["volume-snapshots"] {
		if !isDestroyed(o) {
			g.live--
			g.bytes -= intAt(o, "space.snapshots")
		}
	}
	g.bytes = max(g.bytes, 0)
	return g
}

// volume is a field of the volume that a snapshot is of.
func (g *snapshotGenerator) volume(s serial, key string) any {
	source := len(g.volumes.recorded) + s.n%max(g.volumes.live, 1)
	if source >= g.volumes.size() {
		return nil
	}
	value, _ := g.volumes.field(source, key)
	return value
}

func (g *snapshotGenerator) name(s serial) string {
	volume, _ := g.volume(s, "name").(string)
	return volume + "." + g.common.name(s)
}

func (g *snapshotGenerator) created(s serial) int64 { return created(s, 70*day, 150*day) }

func (g *snapshotGenerator) field(s serial, path string) (any, bool) {
	switch path {
	case "name":
		return g.name(s), true
	case "id":
		return g.ids.uuid(s), true
	case "suffix":
		return g.common.name(s), true
	case "created":
		return g.created(s), true
	case "provisioned", "source.name", "source.id":
		return g.volume(s, strings.TrimPrefix(path, "source.")), true
	case "space":
		return g.space(s), true
	case "footprint": // pods have one
		return nil, true
	case "pod.name", "volume_group.name", "pod.id", "volume_group.id":
		return nil, true
	}
	return nil, false
}

func (g *snapshotGenerator) find(key, value string) (serial, bool) {
	if key == "id" {
		return g.ids.serial(value)
	}
	_, uuid, ok := strings.Cut(strings.ToLower(value), "."+g.prefix)
	if !ok {
		return serial{}, false
	}
	s, ok := g.names.serial(uuid)
	return s, ok && strings.EqualFold(g.name(s), value)
}

func (g *snapshotGenerator) item(s serial) object {
	return object{
		"id": g.ids.uuid(s), "name": g.name(s), "suffix": g.common.name(s), "created": g.created(s),
		"destroyed": s.destroyed, "time_remaining": g.remaining(s), "provisioned": g.volume(s, "provisioned"),
		"serial": g.serialNumber(s, 0x20000000),
		"source": object{"id": g.volume(s, "id"), "name": g.volume(s, "name")},
		"pod":    nullReference(), "volume_group": nullReference(),
		"space": g.space(s),
	}
}

func (g *snapshotGenerator) space(s serial) object {
	bytes := int64(0)
	if !s.destroyed {
		bytes = share(g.bytes, s.n, g.live)
	}
	return object{
		"snapshots": bytes, "total_physical": bytes, "total_used": bytes, "total_provisioned": g.volume(s, "provisioned"),
		"data_reduction": 1.0, "thin_provisioning": 0.0, "total_reduction": 1.0,
		"used_provisioned": nil, "virtual": nil, "unique": int64(0), "shared": nil, "system": nil,
		"snapshots_effective": nil, "footprint": nil,
	}
}
