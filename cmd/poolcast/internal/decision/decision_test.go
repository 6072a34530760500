package decision

import (
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher/status"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// twoZones is a cloud with a backend in dc1 and one in dc2, and dc1 as the zone of
// requests without one.
func twoZones() *Cloud {
	set := &backends.Set{}
	for _, name := range []string{"1", "2"} {
		set.Reports = append(set.Reports, capability.Report{Host: "ctl1@fa" + name, Backend: "fa" + name, Pool: "gold", Zone: "dc" + name, Capabilities: capability.Set{
			"volume_backend_name": capability.OfString("gold"), "total_capacity_gb": capability.OfFloat(100), "free_capacity_gb": capability.OfFloat(50),
			"total_volumes": capability.OfInt(5),
		}})
	}
	cfg := &config.Config{
		API:       config.API{StorageZone: "dc1", CloneSameZone: true, SnapshotSameHost: true},
		Scheduler: config.Scheduler{MaxOverSubscription: config.OverSubscription{Ratio: 20}},
	}
	return NewCloud(cfg, set)
}

func TestForPage(t *testing.T) {
	for name, c := range map[string]struct {
		query   status.Query
		fits    bool
		summary string
		note    string
	}{
		"default zone": {status.Query{Size: 1}, true, "fa1 would take it", "dc1 by storage_availability_zone"},
		"zone":         {status.Query{Size: 1, Zone: "dc2"}, true, "fa2 would take it", ""},
		"unknown zone": {status.Query{Size: 1, Zone: "dc9"}, false, "cinder-api refuses it before the scheduler is asked (InvalidAvailabilityZone)", ""},
		"type's zones": {status.Query{Size: 1, ExtraSpecs: map[string]string{volumeapi.ZonesKey: "dc2"}}, true, "fa2 would take it", "of the type"},
		"hint without filter": {
			status.Query{Size: 1, Zone: "dc1", Hints: [][2]string{{"same_host", "fa2"}}},
			true, "fa1 would take it",
			"the hint same_host has no effect: SameBackendFilter",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.query.Policy = "strict"
			d, err := ForPage(twoZones(), c.query, nil)
			if err != nil {
				t.Fatal(err)
			}
			if d.Fits != c.fits || !strings.HasPrefix(d.Summary, c.summary) || !strings.Contains(strings.Join(d.Notes, "\n"), c.note) {
				t.Errorf("got %+v", d)
			}
			if json, ok := d.JSON.(client.Answer); !ok || (json.RefusedByAPI != nil) == c.fits {
				t.Errorf("JSON is %+v", d.JSON)
			}
		})
	}
	if _, err := ForPage(twoZones(), status.Query{Size: 1, Policy: "strict", Hints: [][2]string{{"same_host", "fa9"}}}, nil); err == nil {
		t.Error("a hint with an unknown backend is accepted")
	}
}

// TestMoveOfUnlistedBackend is about a volume on a backend that the scheduler has no
// use for.
func TestMoveOfUnlistedBackend(t *testing.T) {
	c := twoZones()
	c.Backends.Unlisted = []string{"ctl1@fa1"}
	on := volumeapi.Volume{Pool: "ctl1@fa1#gold", Zone: "dc1", Size: 1}
	a, err := c.Ask(Question{Extend: &volumeapi.Extend{Volume: on, NewSize: 2}, Policy: "strict"})
	if err != nil || a.Fits() || !strings.Contains(a.Summary(), "ServiceState: reports, and is not in the scheduler's list") {
		t.Errorf("got %+v, %v", a, err)
	}
	on.Pool = "ctl9@fa9#gold"
	a, err = c.Ask(Question{Extend: &volumeapi.Extend{Volume: on, NewSize: 2}, Policy: "strict"})
	if err != nil || a.Fits() || !strings.Contains(a.Summary(), "the scheduler has no report of it") {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestZonesOf(t *testing.T) {
	cfg := &config.Config{Backends: []config.Backend{{Zone: "dc2"}, {Zone: "dc3"}}}
	reports := twoZones().Backends.Reports
	set := &backends.Set{Reports: reports, GivenZones: []string{"dc1", "dc4"}}
	if zones := zonesOf(cfg, set); strings.Join(zones, " ") != "dc1 dc2 dc3 dc4" {
		t.Errorf("got %v", zones)
	}
	reports[1].Zone = ""
	if zones := zonesOf(cfg, set); zones != nil {
		t.Errorf("%v are known although that of a backend is not", zones)
	}
}
