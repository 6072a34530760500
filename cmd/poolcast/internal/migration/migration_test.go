package migration_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/migration"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/plan"
	"github.com/poolcast/poolcast/config"
)

// array is a backend of 1,000 GiB with a ratio of 2.
func array(name, cluster string, used, provisioned float64) capability.Report {
	r := capability.Report{Host: "ctl1@" + name, Backend: name, Pool: "gold", Zone: "dc1", Capabilities: capability.Set{
		capability.KeyVolumeBackendName:   capability.OfString("gold"),
		capability.KeyTotalCapacity:       capability.OfFloat(1000),
		capability.KeyFreeCapacity:        capability.OfFloat(1000 - used),
		capability.KeyProvisionedCapacity: capability.OfFloat(provisioned),
		capability.KeyMaxOverSubscription: capability.OfFloat(2),
		capability.KeyThinProvisioning:    capability.OfBool(true),
		"pool_name":                       capability.OfString("gold"),
		"tier":                            capability.OfString(name),
	}}
	if cluster != "" {
		r.Cluster = cluster + "@" + name
	}
	return r
}

func cloudOf(reports ...capability.Report) *decision.Cloud {
	cfg := &config.Config{Scheduler: config.Scheduler{
		Filters:  []string{cinder.AvailabilityZoneFilter, cinder.CapacityFilter, cinder.CapabilitiesFilter},
		Weighers: []string{cinder.CapacityWeigher}, CapacityMultiplier: 1,
	}}
	return decision.NewCloud(cfg, &backends.Set{Source: backends.Scheduler, Reports: reports})
}

// facts are ten volumes on fa1: six that can be moved, and four that cannot.
func facts() *migration.Facts {
	f := &migration.Facts{HasSnapshots: map[string]bool{id(6): true}, Catalogue: &openstack.Catalogue{
		Types: []openstack.VolumeType{
			{VolumeType: cinder.VolumeType{Name: "gold"}},
			{VolumeType: cinder.VolumeType{Name: "pinned", ExtraSpecs: cinder.ExtraSpecs{cinder.Spec("tier", "fa1")}}},
		},
		Services: []openstack.Service{{Host: "ctl1@fa1"}, {Host: "ctl1@fa2"}},
	}}
	for i := range 10 {
		f.Volumes = append(f.Volumes, openstack.Volume{ID: id(i), NameID: id(i), Name: fmt.Sprint("v", i), Status: "available", Size: 100, Type: "gold", Host: "ctl1@fa1#gold"})
	}
	f.Volumes[7].Type = "pinned"
	f.Volumes[8].Status, f.Volumes[8].Servers = "in-use", []string{"server", "server"}
	f.Volumes[9].Grouped = true
	return f
}

func id(i int) string { return fmt.Sprintf("c7cb1d7e-4f6f-4a2b-9a0c-00000000000%d", i) }

// space is that of ten volumes which use 50 GiB each.
func space() migration.Space {
	all := map[string]float64{}
	for i := range 10 {
		all[id(i)] = 50
	}
	return migration.Space{"ctl1@fa1": {Volumes: 13, GiB: all}, "ctl1@fa2": {}}
}

func request() migration.Request { return migration.Request{Options: plan.Defaults(), Cloud: "prod"} }

func TestMakeEvens(t *testing.T) {
	f := facts()
	f.Catalogue.Notes = []string{"the zones could not be read"}
	r, err := migration.Make(request(), f, space(), cloudOf(array("fa1", "", 500, 1000), array("fa2", "", 0, 0)))
	if err != nil {
		t.Fatal(err)
	}
	p := r.Pools[0]
	if len(r.Notes) != 1 {
		t.Errorf("the notes of the cloud are %v", r.Notes)
	}
	if len(p.Moves) != 5 || len(p.Stay) != 0 || p.Idle != "" {
		t.Errorf("%d moves, %d stay, %q", len(p.Moves), len(p.Stay), p.Idle)
	}
	if got := r.Command(&p.Moves[0]); got != "openstack --os-cloud prod volume migrate --host 'ctl1@fa2#gold' "+id(0) {
		t.Error(got)
	}
}

func TestMakeEmpties(t *testing.T) {
	q := request()
	q.Empty = []string{"fa1"}
	r, err := migration.Make(q, facts(), space(), cloudOf(array("fa1", "", 500, 1000), array("fa2", "", 0, 0)))
	if err != nil {
		t.Fatal(err)
	}
	p := r.Pools[0]
	reasons := map[string]string{}
	for _, s := range p.Stay {
		reasons[s.Volume.Name] = strings.Join(s.Reasons, "; ")
	}
	for name, want := range map[string]string{
		"v6": "has snapshots", "v7": "fa2: CapabilitiesFilter: tier fa2 is not fa1", "v8": "several attachments", "v9": "is in a group",
	} {
		if !strings.Contains(reasons[name], want) {
			t.Errorf("%s stays because %q, want %q", name, reasons[name], want)
		}
	}
	if len(p.Moves) != 6 || len(p.Stay) != 4 || r.Incomplete() != 4 || len(p.Others) != 1 || p.Others["fa1"] != 3 {
		t.Errorf("%d moves, %d stay, %v volumes of others", len(p.Moves), len(p.Stay), p.Others)
	}
}

func TestMakeRefusesUnknownNames(t *testing.T) {
	for want, change := range map[string]func(*migration.Request){
		"--evacuate: there is no backend": func(q *migration.Request) { q.Empty = []string{"fa9"} },
		"there are gold in dc1":           func(q *migration.Request) { q.Pool = "golf" },
		"in the availability zone d9":     func(q *migration.Request) { q.Zone = "d9" },
	} {
		q := request()
		change(&q)
		if _, err := migration.Make(q, facts(), space(), cloudOf(array("fa1", "", 500, 1000), array("fa2", "", 0, 0))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestMakeWithUnknownSpace has the arrays of another host: nothing is evened, and to empty
// one each volume counts with its size.
func TestMakeWithUnknownSpace(t *testing.T) {
	cloud := cloudOf(array("fa1", "", 500, 1000), array("fa2", "", 0, 0))
	r, err := migration.Make(request(), facts(), nil, cloud)
	if err != nil {
		t.Fatal(err)
	}
	if p := r.Pools[0]; len(p.Moves) != 0 || len(p.Unknown) != 2 {
		t.Errorf("%d moves, space unknown on %v", len(p.Moves), p.Unknown)
	}
	q := request()
	q.Empty = []string{"ctl1@fa1"}
	if r, err = migration.Make(q, facts(), nil, cloud); err != nil || len(r.Pools[0].Moves) != 6 {
		t.Errorf("%v: %+v", err, r)
	}
}

// TestMakeInCluster names a destination in a cluster by its host, which the API of a
// migration takes, and finds the array of a volume by the service of its host.
func TestMakeInCluster(t *testing.T) {
	f := facts()
	f.Catalogue.Services = []openstack.Service{{Host: "ctl1@fa1", Cluster: "c1@fa1"}, {Host: "ctl1@fa2", Cluster: "c1@fa2"}}
	r, err := migration.Make(request(), f, space(), cloudOf(array("fa1", "c1", 500, 1000), array("fa2", "c1", 0, 0)))
	if err != nil {
		t.Fatal(err)
	}
	if p := r.Pools[0]; len(p.Moves) != 5 || p.Moves[0].To != "c1@fa2#gold" || p.Moves[0].ToHost != "ctl1@fa2#gold" {
		t.Errorf("%+v", p.Moves)
	}
}
