package simulator

import (
	"fmt"
	"strconv"
	"strings"
)

// hostMaker makes local compute hosts up, which share the array's volumes.
type hostMaker struct {
	names   namer
	live    int
	volumes int64
	space   object
}

func (v *view) hostMaker() *hostMaker {
	m := &hostMaker{
		names: newNamer(v.array.fixture.id, "host"), live: v.count("hosts").Live,
		volumes: int64(v.count("volumes").Live) * 9 / 10, space: v.space(),
	}
	m.live = max(m.live-len(v.frame.responses["hosts"]), 0)
	return m
}

func (m *hostMaker) name(s serial) string { return fmt.Sprintf("compute-%04d", s.n+1) }

func (m *hostMaker) field(s serial, path string) (any, bool) {
	switch path {
	case "name":
		return m.name(s), true
	case "is_local":
		return true, true
	case "iqns":
		return []any{m.iqn(s)}, true
	case "nqns", "wwns":
		return []any{}, true
	}
	return nil, false
}

func (m *hostMaker) iqn(s serial) string {
	return "iqn.1994-05.com.redhat:" + m.names.uuid(s)[24:]
}

// find knows names only: hosts have no id.
func (m *hostMaker) find(key, value string) (serial, bool) {
	digits, ok := strings.CutPrefix(strings.ToLower(value), "compute-")
	n, err := strconv.Atoi(digits)
	s := serial{n: n - 1}
	return s, ok && err == nil && key == "name" && n > 0 && m.name(s) == strings.ToLower(value)
}

func (m *hostMaker) item(s serial) object {
	provisioned := share(provisionedBytes(m.space)/gib, s.n, m.live) * gib
	return object{
		"name": m.name(s), "is_local": true, "connection_count": share(m.volumes, s.n, m.live),
		"host_group": object{"name": nil}, "iqns": []any{m.iqn(s)}, "nqns": []any{}, "wwns": []any{},
		"personality": nil, "vlan": "any", "preferred_arrays": []any{},
		"destroyed": s.destroyed, "time_remaining": nil,
		"chap":              object{"host_user": nil, "host_password": nil, "target_user": nil, "target_password": nil},
		"port_connectivity": object{"status": "healthy", "details": "Redundant"},
		"qos":               object{"bandwidth_limit": nil, "iops_limit": nil},
		"space": withoutEffective(objectSpace(m.space, provisioned,
			share(intAt(m.space, "unique"), s.n, m.live), share(intAt(m.space, "snapshots"), s.n, m.live))),
	}
}

// withoutEffective drops what only volumes and arrays have.
func withoutEffective(space object) object {
	delete(space, "unique_effective")
	delete(space, "snapshots_effective")
	delete(space, "total_effective")
	return space
}
