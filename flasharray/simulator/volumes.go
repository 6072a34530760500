package simulator

import (
	"fmt"
	"strings"
)

const (
	gib = 1 << 30
	day = 86_400_000 // milliseconds

	// firstBorn is when the first made-up object was created: 2023-11-14T22:13:20Z.
	firstBorn = 1_700_000_000_000
)

// volumeMaker makes volumes up from the array's own space: what they occupy
// adds up to what the array says that it holds.
type volumeMaker struct {
	names, ids  namer
	array       string // id
	live        int    // made-up live volumes
	provisioned int64  // GiB to hand out beyond the first of each volume
	unique      int64
	snapshots   int64
	space       object // the array's ratios
	now         int64
	connected   int // volumes with a host
}

func (v *view) volumeMaker() *volumeMaker {
	items, space := v.frame.responses["volumes"], v.space()
	m := &volumeMaker{
		names: newNamer(v.array.fixture.id, "volume"), ids: newNamer(v.array.fixture.id, "volume id"),
		array: v.array.fixture.id, live: v.count("volumes").Live, space: space, now: v.millis(),
		provisioned: provisionedBytes(space) / gib, unique: intAt(space, "unique"), snapshots: intAt(space, "snapshots"),
	}
	for _, o := range items {
		if dead, _ := o["destroyed"].(bool); dead {
			continue
		}
		m.live--
		m.provisioned -= intAt(o, "provisioned") / gib
		m.unique -= intAt(o, "space.unique")
		m.snapshots -= intAt(o, "space.snapshots")
	}
	m.provisioned = max(m.provisioned-int64(m.live), 0)
	m.unique, m.snapshots = max(m.unique, 0), max(m.snapshots, 0)
	m.connected = m.live * 9 / 10
	return m
}

// provisionedBytes is what the array has handed out, also where, as on
// Evergreen//One, it does not say so itself.
func provisionedBytes(space object) int64 {
	if n, ok := integer(space["total_provisioned"]); ok {
		return n
	}
	return intAt(space, "used_provisioned")
}

func (m *volumeMaker) name(s serial) string { return "volume-" + m.names.uuid(s) + "-cinder" }

func (m *volumeMaker) bytes(s serial) int64 {
	if s.destroyed {
		return 10 * gib
	}
	return (1 + share(m.provisioned, s.n, m.live)) * gib
}

// serialNumber is the array's first 16 hexadecimal digits and a counter.
func (m *volumeMaker) serialNumber(s serial) string {
	counter := 0x11010 + s.n
	if s.destroyed {
		counter |= 1 << 28
	}
	return volumeSerial(m.array, counter)
}

func volumeSerial(array string, counter int) string {
	digits := strings.ToUpper(strings.ReplaceAll(array, "-", "")) + strings.Repeat("0", 16)
	return digits[:16] + fmt.Sprintf("%08X", counter)
}

func (m *volumeMaker) born(s serial) int64 {
	if s.destroyed {
		return firstBorn + 60*day + int64(s.n)*60_000
	}
	return firstBorn + int64(s.n)*60_000
}

// remaining counts down to eradication and starts again.
func remaining(s serial, now int64) any {
	if !s.destroyed {
		return nil
	}
	return day - (now+int64(s.n)*7_919_000)%day
}

func (m *volumeMaker) field(s serial, path string) (any, bool) {
	switch path {
	case "name":
		return m.name(s), true
	case "id":
		return m.ids.uuid(s), true
	case "created":
		return m.born(s), true
	case "serial":
		return m.serialNumber(s), true
	case "provisioned":
		return m.bytes(s), true
	case "space":
		return m.volumeSpace(s), true
	case "footprint": // pods have one
		return nil, true
	case "pod.name", "volume_group.name", "source.name", "pod.id", "volume_group.id", "source.id":
		return nil, true
	}
	return nil, false
}

func (m *volumeMaker) find(key, value string) (serial, bool) {
	if key == "id" {
		return m.ids.serial(value)
	}
	value = strings.ToLower(value)
	uuid, prefixed := strings.CutPrefix(value, "volume-")
	uuid, suffixed := strings.CutSuffix(uuid, "-cinder")
	if !prefixed || !suffixed {
		return serial{}, false
	}
	return m.names.serial(uuid)
}

func (m *volumeMaker) item(s serial) object {
	connections := int64(0)
	if !s.destroyed && s.n < m.connected {
		connections = 1
	}
	return object{
		"id": m.ids.uuid(s), "name": m.name(s), "created": m.born(s), "serial": m.serialNumber(s),
		"provisioned": m.bytes(s), "destroyed": s.destroyed, "time_remaining": remaining(s, m.now),
		"connection_count": connections, "subtype": "regular", "host_encryption_key_status": "none",
		"promotion_status": "promoted", "requested_promotion_state": "promoted",
		"priority": int64(0), "priority_adjustment": object{
			"priority_adjustment_operator": "+", "priority_adjustment_value": int64(0),
		},
		"qos": object{"bandwidth_limit": nil, "iops_limit": nil},
		"pod": nowhere(), "source": nowhere(), "volume_group": nowhere(), "workload": nil,
		"space": m.volumeSpace(s),
	}
}

// nowhere is a reference without a target.
func nowhere() object { return object{"id": nil, "name": nil} }

func (m *volumeMaker) volumeSpace(s serial) object {
	if s.destroyed {
		return emptySpace(m.bytes(s))
	}
	return objectSpace(m.space, m.bytes(s), share(m.unique, s.n, m.live), share(m.snapshots, s.n, m.live))
}

// objectSpace keeps the identities of a Space: physical is the sum of its
// parts, virtual is what thin provisioning leaves of the provisioned size.
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

// emptySpace is that of an object that holds nothing.
func emptySpace(provisioned int64) object {
	o := objectSpace(object{"data_reduction": 1.0, "thin_provisioning": 1.0, "total_reduction": 1.0}, provisioned, 0, 0)
	o["thin_provisioning"], o["used_provisioned"] = 0.0, int64(0)
	return o
}
