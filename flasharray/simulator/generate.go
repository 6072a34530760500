package simulator

import (
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"strings"
)

const (
	gib  = 1 << 30
	hour = 3_600_000 // milliseconds
	day  = 24 * hour

	// firstCreated is when the first generated object was created: 2023-11-14T22:13:20Z.
	firstCreated = 1_700_000_000_000
)

// serial is the number of a generated object: a count of its kind, with live and
// destroyed ones counted separately, so that neither is renamed when the number
// of the others grows.
type serial struct {
	n         int
	destroyed bool
}

// generator generates the objects of one kind, each from its serial alone.
type generator interface {
	item(s serial) object
	field(s serial, path string) (any, bool)
	find(key, value string) (serial, bool)
}

// common is what all generators have.
type common struct {
	fixture        *Fixture
	names, ids     uuids
	prefix, suffix string // of a name, around a UUID
	now            int64
}

func (v *view) common(kind, prefix, suffix string) common {
	f := &v.array.fixture
	return common{
		fixture: f, names: newUUIDs(f.id, kind), ids: newUUIDs(f.id, kind+" id"),
		prefix: prefix, suffix: suffix, now: v.millis(),
	}
}

func (c *common) name(s serial) string { return c.prefix + c.names.uuid(s) + c.suffix }

func (c *common) find(key, value string) (serial, bool) {
	if key == "id" {
		return c.ids.serial(value)
	}
	uuid, prefixed := strings.CutPrefix(strings.ToLower(value), c.prefix)
	uuid, suffixed := strings.CutSuffix(uuid, c.suffix)
	if !prefixed || !suffixed {
		return serial{}, false
	}
	return c.names.serial(uuid)
}

// created is a minute after the object before; after and afterDestroyed are
// counted from the first object of all.
func created(s serial, after, afterDestroyed int64) int64 {
	if s.destroyed {
		after = afterDestroyed
	}
	return firstCreated + after + int64(s.n)*60_000
}

// remaining counts down to eradication and starts again.
func (c *common) remaining(s serial) any {
	if !s.destroyed {
		return nil
	}
	return day - (c.now+int64(s.n)*7_919_000)%day
}

// serialNumber is the array's first 16 hexadecimal digits and a counter.
func (c *common) serialNumber(s serial, first int) string {
	counter := first + s.n
	if s.destroyed {
		counter |= 1 << 28
	}
	digits := strings.ToUpper(strings.ReplaceAll(c.fixture.id, "-", "")) + strings.Repeat("0", 16)
	return digits[:16] + fmt.Sprintf("%08X", counter)
}

// nullReference is a reference to no object.
func nullReference() object { return object{"id": nil, "name": nil} }

// uuids converts serials to UUIDs and back. The last twelve digits are the
// serial, multiplied by a number that has an inverse; so an object is found by
// its name without a list of names.
type uuids struct{ seed uint64 }

const (
	multiplier = 0x5DEECE66D // odd, therefore invertible modulo 2^48
	inverse48  = 0xDFE05BCB1365
	mask48     = 1<<48 - 1
)

func newUUIDs(words ...string) uuids {
	h := fnv.New64a()
	for _, w := range words {
		_, _ = h.Write([]byte(w + "\x00"))
	}
	return uuids{seed: h.Sum64()}
}

func (u uuids) uuid(s serial) string {
	code := uint64(s.n) << 1
	if s.destroyed {
		code |= 1
	}
	tail := (code*multiplier + u.seed) & mask48
	h := mix(u.seed ^ code)
	return fmt.Sprintf("%08x-%04x-4%03x-%x%03x-%012x", h>>32, h>>16&0xffff, h>>4&0xfff, 8+h&3, h>>20&0xfff, tail)
}

// serial is the inverse of uuid.
func (u uuids) serial(uuid string) (serial, bool) {
	if len(uuid) != 36 {
		return serial{}, false
	}
	tail, err := strconv.ParseUint(uuid[24:], 16, 48)
	if err != nil {
		return serial{}, false
	}
	code := (tail - u.seed) * inverse48 & mask48
	s := serial{n: int(code >> 1), destroyed: code&1 == 1}
	return s, strings.EqualFold(u.uuid(s), uuid)
}

// mix spreads the bits of a number (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// share is object i's part of a total split over n of them. The first get more
// than the last, and the sum of all parts is exactly the total.
func share(total int64, i, n int) int64 {
	if n <= 0 || i < 0 || i >= n {
		return 0
	}
	return portion(total, i+1, n) - portion(total, i, n)
}

func portion(total int64, i, n int) int64 {
	if i >= n {
		return total
	}
	return int64(float64(total) * math.Sqrt(float64(i)/float64(n)))
}

// groupGenerator generates local protection groups.
type groupGenerator struct{ common }

func (v *view) groupGenerator() *groupGenerator {
	return &groupGenerator{v.common("group", "consisgroup-", "-cinder")}
}

func (g *groupGenerator) field(s serial, path string) (any, bool) {
	switch path {
	case "name":
		return g.name(s), true
	case "id":
		return g.ids.uuid(s), true
	case "pod.name", "pod.id":
		return nil, true
	}
	return nil, false
}

func (g *groupGenerator) item(s serial) object {
	retention := func() object {
		return object{
			"all_for_sec": int64(86400), "days": int64(7), "per_day": int64(4),
			"per_period": nil, "period_length_ms": nil,
		}
	}
	return object{
		"name": g.name(s), "id": g.ids.uuid(s), "is_local": true, "destroyed": s.destroyed,
		"time_remaining": g.remaining(s), "volume_count": int64(2 + s.n%3), "host_count": int64(0),
		"host_group_count": int64(0), "target_count": int64(0), "pod": nullReference(), "workload": nil,
		"source":            object{"id": g.fixture.id, "name": g.fixture.Name},
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

// hostGenerator generates local compute hosts, which share the array's volumes.
type hostGenerator struct {
	names   uuids
	live    int
	volumes int64
	space   object
}

func (v *view) hostGenerator() *hostGenerator {
	return &hostGenerator{
		names: newUUIDs(v.array.fixture.id, "host"), live: max(v.count("hosts").Live-len(v.frame.responses["hosts"]), 0),
		volumes: int64(v.count("volumes").Live) * 9 / 10, space: v.space(),
	}
}

func (g *hostGenerator) name(s serial) string { return fmt.Sprintf("compute-%04d", s.n+1) }

func (g *hostGenerator) field(s serial, path string) (any, bool) {
	switch path {
	case "name":
		return g.name(s), true
	case "is_local":
		return true, true
	case "iqns":
		return []any{g.iqn(s)}, true
	case "nqns", "wwns":
		return []any{}, true
	}
	return nil, false
}

func (g *hostGenerator) iqn(s serial) string {
	return "iqn.1994-05.com.redhat:" + g.names.uuid(s)[24:]
}

// find searches names only: hosts have no id.
func (g *hostGenerator) find(key, value string) (serial, bool) {
	digits, ok := strings.CutPrefix(strings.ToLower(value), "compute-")
	n, err := strconv.Atoi(digits)
	s := serial{n: n - 1}
	return s, ok && err == nil && key == "name" && n > 0 && g.name(s) == strings.ToLower(value)
}

func (g *hostGenerator) item(s serial) object {
	provisioned := share(provisionedBytes(g.space)/gib, s.n, g.live) * gib
	space := objectSpace(g.space, provisioned,
		share(intAt(g.space, "unique"), s.n, g.live), share(intAt(g.space, "snapshots"), s.n, g.live))
	for _, name := range []string{"unique_effective", "snapshots_effective", "total_effective"} {
		delete(space, name) // only volumes and arrays have these
	}
	return object{
		"name": g.name(s), "is_local": true, "connection_count": share(g.volumes, s.n, g.live),
		"host_group": object{"name": nil}, "iqns": []any{g.iqn(s)}, "nqns": []any{}, "wwns": []any{},
		"personality": nil, "vlan": "any", "preferred_arrays": []any{},
		"destroyed": s.destroyed, "time_remaining": nil,
		"chap":              object{"host_user": nil, "host_password": nil, "target_user": nil, "target_password": nil},
		"port_connectivity": object{"status": "healthy", "details": "Redundant"},
		"qos":               object{"bandwidth_limit": nil, "iops_limit": nil},
		"space":             space,
	}
}
