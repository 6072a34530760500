package simulator

import "strings"

// groupMaker makes local protection groups up.
type groupMaker struct {
	names, ids namer
	fixture    *Fixture
	now        int64
}

func (v *view) groupMaker() *groupMaker {
	id := v.array.fixture.id
	return &groupMaker{
		names: newNamer(id, "group"), ids: newNamer(id, "group id"), fixture: &v.array.fixture, now: v.millis(),
	}
}

func (m *groupMaker) name(s serial) string { return "consisgroup-" + m.names.uuid(s) + "-cinder" }

func (m *groupMaker) field(s serial, path string) (any, bool) {
	switch path {
	case "name":
		return m.name(s), true
	case "id":
		return m.ids.uuid(s), true
	case "pod.name", "pod.id":
		return nil, true
	}
	return nil, false
}

func (m *groupMaker) find(key, value string) (serial, bool) {
	if key == "id" {
		return m.ids.serial(value)
	}
	uuid, prefixed := strings.CutPrefix(strings.ToLower(value), "consisgroup-")
	uuid, suffixed := strings.CutSuffix(uuid, "-cinder")
	if !prefixed || !suffixed {
		return serial{}, false
	}
	return m.names.serial(uuid)
}

func (m *groupMaker) item(s serial) object {
	const hour = 3_600_000
	retention := func() object {
		return object{
			"all_for_sec": int64(86400), "days": int64(7), "per_day": int64(4),
			"per_period": nil, "period_length_ms": nil,
		}
	}
	return object{
		"name": m.name(s), "id": m.ids.uuid(s), "is_local": true, "destroyed": s.destroyed,
		"time_remaining": remaining(s, m.now), "volume_count": int64(2 + s.n%3), "host_count": int64(0),
		"host_group_count": int64(0), "target_count": int64(0), "pod": nowhere(), "workload": nil,
		"source":            object{"id": m.fixture.id, "name": m.fixture.Name},
		"snapshot_schedule": object{"at": nil, "enabled": false, "frequency": int64(hour)},
		"replication_schedule": object{
			"at": nil, "enabled": false, "frequency": int64(4 * hour), "blackout": object{"start": nil, "end": nil},
		},
		"source_retention": retention(), "target_retention": retention(),
		"retention_lock": "unlocked", "eradication_config": object{"manual_eradication": "enabled"},
		"space": object{
			"snapshots": int64(0), "total_physical": int64(0), "total_used": int64(0), "data_reduction": nil,
			"thin_provisioning": nil, "total_reduction": nil, "total_provisioned": nil, "used_provisioned": nil,
			"virtual": nil, "unique": nil, "shared": nil, "system": nil, "footprint": nil,
		},
	}
}
