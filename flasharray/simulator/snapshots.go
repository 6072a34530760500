package simulator

import "strings"

// snapshotMaker makes snapshots up, dealt to the live volumes in turn.
type snapshotMaker struct {
	names, ids namer
	volumes    *grown
	array      string
	live       int
	bytes      int64 // of all live ones together
	now        int64
}

func (v *view) snapshotMaker() *snapshotMaker {
	m := &snapshotMaker{
		names: newNamer(v.array.fixture.id, "snapshot"), ids: newNamer(v.array.fixture.id, "snapshot id"),
		volumes: v.volumes(), array: v.array.fixture.id, live: v.count("volume-snapshots").Live,
		bytes: intAt(v.space(), "snapshots"), now: v.millis(),
	}
	for _, o := range v.frame.responses["volume-snapshots"] {
		if dead, _ := o["destroyed"].(bool); !dead {
			m.live--
			m.bytes -= intAt(o, "space.snapshots")
		}
	}
	m.bytes = max(m.bytes, 0)
	return m
}

// source is the position of the volume that a snapshot is of.
func (m *snapshotMaker) source(s serial) int {
	return len(m.volumes.recorded) + s.n%max(m.volumes.live, 1)
}

func (m *snapshotMaker) volume(s serial, key string) any {
	if m.source(s) >= m.volumes.size() {
		return nil
	}
	value, _ := m.volumes.field(m.source(s), key)
	return value
}

func (m *snapshotMaker) suffix(s serial) string { return "snapshot-" + m.names.uuid(s) }

func (m *snapshotMaker) name(s serial) string {
	volume, _ := m.volume(s, "name").(string)
	return volume + "." + m.suffix(s)
}

func (m *snapshotMaker) born(s serial) int64 {
	if s.destroyed {
		return firstBorn + 150*day + int64(s.n)*60_000
	}
	return firstBorn + 70*day + int64(s.n)*60_000
}

func (m *snapshotMaker) field(s serial, path string) (any, bool) {
	switch path {
	case "name":
		return m.name(s), true
	case "id":
		return m.ids.uuid(s), true
	case "suffix":
		return m.suffix(s), true
	case "created":
		return m.born(s), true
	case "provisioned":
		return m.volume(s, "provisioned"), true
	case "source.name":
		return m.volume(s, "name"), true
	case "source.id":
		return m.volume(s, "id"), true
	case "space":
		return m.space(s), true
	case "footprint": // pods have one
		return nil, true
	case "pod.name", "volume_group.name", "pod.id", "volume_group.id":
		return nil, true
	}
	return nil, false
}

func (m *snapshotMaker) find(key, value string) (serial, bool) {
	if key == "id" {
		return m.ids.serial(value)
	}
	_, uuid, ok := strings.Cut(strings.ToLower(value), ".snapshot-")
	if !ok {
		return serial{}, false
	}
	s, ok := m.names.serial(uuid)
	return s, ok && strings.EqualFold(m.name(s), value)
}

func (m *snapshotMaker) item(s serial) object {
	counter := 0x20000000 + s.n
	if s.destroyed {
		counter |= 1 << 28
	}
	return object{
		"id": m.ids.uuid(s), "name": m.name(s), "suffix": m.suffix(s), "created": m.born(s),
		"destroyed": s.destroyed, "time_remaining": remaining(s, m.now), "provisioned": m.volume(s, "provisioned"),
		"serial": volumeSerial(m.array, counter),
		"source": object{"id": m.volume(s, "id"), "name": m.volume(s, "name")},
		"pod":    nowhere(), "volume_group": nowhere(),
		"space": m.space(s),
	}
}

func (m *snapshotMaker) space(s serial) object {
	bytes := int64(0)
	if !s.destroyed {
		bytes = share(m.bytes, s.n, m.live)
	}
	return object{
		"snapshots": bytes, "total_physical": bytes, "total_used": bytes, "total_provisioned": m.volume(s, "provisioned"),
		"data_reduction": 1.0, "thin_provisioning": 0.0, "total_reduction": 1.0,
		"used_provisioned": nil, "virtual": nil, "unique": nil, "shared": nil, "system": nil,
		"snapshots_effective": nil, "footprint": nil,
	}
}
