package simulator

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// totalCache keeps aggregates: one needs every object, and a client that pages
// requests the same one with each page.
type totalCache struct {
	mu     sync.Mutex
	totals map[string]object
}

const totalsKept = 64

func (c *totalCache) get(key string, compute func() object) object {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.totals[key]; ok {
		return t
	}
	if c.totals == nil || len(c.totals) >= totalsKept {
		c.totals = map[string]object{}
	}
	t := compute()
	c.totals[key] = t
	return t
}

// total is the aggregate of all matching objects, not of the page only. History
// has none, as recorded.
func (v *view) total(e *endpoint, c collection, matched selection, q query) []any {
	if !q.window.current() || matched.size() == 0 {
		return []any{}
	}
	compute := func() object {
		switch {
		case slices.Contains(networkPaths, e.path):
			return sumRates(c, matched)
		case isPerformance(e.path):
			return sumLoad(c, matched)
		}
		return sumObjects(c, matched)
	}
	var t object
	if v.state != nil { // its values change with time
		t = compute()
	} else {
		t = clone(v.array.totals.get(v.totalKey(e, q), compute))
	}
	if _, timed := t["time"]; timed {
		t["time"] = v.millis()
	}
	return []any{t}
}

// networkPaths are the endpoints of which only rates are added.
var networkPaths = []string{"network-interfaces/performance", replicationPath, "pod-replica-links/performance/replication"}

// totalKey omits what differs from page to page.
func (v *view) totalKey(e *endpoint, q query) string {
	kept := url.Values{}
	for name, values := range q.raw {
		switch name {
		case "limit", "offset", "continuation_token", "sort", "total_item_count", "total_only":
		default:
			kept[name] = values
		}
	}
	return fmt.Sprint(e.path, "?", kept.Encode(), "#", v.number)
}

// nulled is an object with the same members, all null.
func nulled(o object) object {
	n := make(object, len(o))
	for name, value := range o {
		inner, isObject := value.(object)
		if isObject {
			n[name] = nulled(inner)
		} else {
			n[name] = nil
		}
	}
	return n
}

// summed are the members of a space that are added; beside it, provisioned and
// footprint are.
var summed = []string{
	"total_provisioned", "used_provisioned", "virtual", "unique", "shared", "snapshots", "replication",
	"total_physical", "total_used",
}

func sumObjects(c collection, matched selection) object {
	sums := map[string]int64{}
	add := func(path string, value any) {
		if n, ok := integer(value); ok {
			sums[path] += n
		}
	}
	var reduced, weight float64
	for i := range matched.each {
		for _, path := range []string{"provisioned", "footprint"} {
			value, _ := c.field(i, path)
			add(path, value)
		}
		value, _ := c.field(i, "space")
		space, _ := value.(object)
		for _, name := range summed {
			add(name, space[name])
		}
		if ratio, ok := number(space["data_reduction"]); ok {
			physical := float64(intAt(space, "unique") + 1)
			reduced, weight = reduced+ratio*physical, weight+physical
		}
	}
	t := nulled(c.item(matched.at(0)))
	space := sub(t, "space")
	for name, sum := range sums {
		if name == "provisioned" || name == "footprint" {
			t[name] = sum
		} else {
			space[name] = sum
		}
	}
	putRatios(space, reduced, weight)
	return t
}

// putRatios keeps total_reduction = data_reduction / (1 - thin_provisioning).
func putRatios(space object, reduced, weight float64) {
	provisioned, virtual := intAt(space, "total_provisioned"), intAt(space, "virtual")
	if weight == 0 || provisioned == 0 || virtual == 0 {
		return
	}
	written := float64(virtual) / float64(provisioned)
	space["data_reduction"] = reduced / weight
	space["thin_provisioning"] = 1 - written
	space["total_reduction"] = reduced / weight / written
}

// sumLoad adds rates and averages latencies, each weighted by its operations.
func sumLoad(c collection, matched selection) object {
	sums, weighted := map[string]int64{}, map[string]int64{}
	for i := range matched.each {
		o := c.item(i)
		for name, value := range o {
			n, ok := integer(value)
			if rate := rateOf(name); ok && rate != "" {
				weighted[name] += n * intAt(o, rate)
			} else if ok && strings.HasSuffix(name, "_per_sec") {
				sums[name] += n
			}
		}
	}
	t := nulled(c.item(matched.at(0)))
	for name, sum := range sums {
		t[name] = sum
	}
	for name, sum := range weighted {
		t[name] = sum / max(sums[rateOf(name)], 1)
	}
	averageSizes(t)
	return t
}
