//go:build conformance

package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/internal/cloud"
)

// The backends of the cloud for volumes. The last one is in dc1 and in the same logical
// pool, and has no room: more is provisioned on it than its over-subscription ratio
// permits.
const (
	firstBackend  = "ctl1@flasharray_x_01"
	secondBackend = "ctl1@flasharray_x_02"
	thirdBackend  = "ctl2@flasharray_x_03"
	fullBackend   = "ctl2@flasharray_c_01"
)

// cloudForVolumes has four arrays, two hosts, two zones and a Keystone. Each backend has
// the capability rack, with which a volume type can name it.
func cloudForVolumes(t *testing.T) cloud.Options {
	t.Helper()
	o, err := cloud.Default()
	if err != nil {
		t.Fatal(err)
	}
	full, err := simulator.BuiltinNamed("flasharray-c-01")
	if err != nil {
		t.Fatal(err)
	}
	o.Keystone = true
	o.Arrays = append(o.Arrays, cloud.Array{Fixture: full, Simulator: simulator.Options{Writable: true}, Zone: "dc1", Settings: []string{
		"pure_automatic_max_oversubscription_ratio = false", "max_over_subscription_ratio = 1.0",
	}})
	for i := range o.Arrays {
		o.Arrays[i].Settings = append(o.Arrays[i].Settings, fmt.Sprintf(`extra_capabilities = {"rack": "r%d"}`, i+1))
	}
	o.Hosts[1].Backends = append(o.Hosts[1].Backends, "flasharray_c_01")
	o.Agent = []string{"explain_failures = true"}
	o.Settings = []string{"[oslo_messaging_notifications]", "driver = messagingv2", "[DEFAULT]"}
	return o
}

// volumeTypes are those of the cloud for volumes, with their extra specs.
func volumeTypes() map[string]map[string]string {
	return map[string]map[string]string{
		"gold":    {"volume_backend_name": cloud.Pool},
		"silver":  {"volume_backend_name": cloud.Pool}, // has QoS specs besides
		"on-x-01": {"volume_backend_name": cloud.Pool, "rack": "r1"},
		"quiet":   {"volume_backend_name": cloud.Pool, "total_volumes": "<= 700"},
		"unknown": {"volume_backend_name": "unknown"},
		"idle":    {"volume_backend_name": cloud.Pool, "capabilities:total_volumes": "<= 1"},
	}
}

func (c *wholeCloud) createTypes() {
	c.t.Helper()
	ids := map[string]string{}
	for name, specs := range volumeTypes() {
		id, err := c.API.CreateType(c.t.Context(), name, specs)
		c.must(err)
		ids[name] = id
	}
	var qos struct {
		QoS struct{ ID string } `json:"qos_specs"`
	}
	c.must(c.API.Call(c.t.Context(), http.MethodPost, "qos-specs", map[string]any{"qos_specs": map[string]any{
		"name": "of silver", "consumer": "back-end", "maxIOPS": "5000", "maxBWS": "100",
	}}, &qos))
	c.must(c.API.Call(c.t.Context(), http.MethodGet, "qos-specs/"+qos.QoS.ID+"/associate?vol_type_id="+ids["silver"], nil, nil))
}

// TestCloudVolumes follows volumes through a whole cloud, and compares what poolcast says
// before each request with what cinder-api, the scheduler and the arrays do.
func TestCloudVolumes(t *testing.T) {
	t.Parallel()
	inCloud(t, cloudForVolumes(t), func(c *wholeCloud) {
		c.WriteClouds()
		c.createTypes()
		c.step("failed create", c.failedCreate)
		c.step("array out and back", c.maintenance)
		c.step("preferred arrays", c.preferred)
		c.step("life of a volume", c.lifeOfVolume)
		c.step("moves", c.moves)
		c.step("disabled and frozen backend", c.disabledBackend)
		c.step("killed cinder-volume", c.killedVolume)
		c.step("stopped agents", c.stoppedAgents)
	})
}

// counted are the objects of an array.
type counted struct{ volumes, live, snapshots float64 }

// count reads the counts from the metrics of the agent.
func (c *wholeCloud) count(backend string) (n counted) {
	c.t.Helper()
	for name, into := range map[string]*float64{
		"poolcast_array_volumes": &n.volumes, "poolcast_array_live_volumes": &n.live, "poolcast_array_snapshots": &n.snapshots,
	} {
		value, err := c.metric(name, backend)
		c.must(err)
		*into = value
	}
	return n
}

// newestCount waits until the metrics of the agent have every volume of an array, with
// those of the steps before, and reads the counts.
func (c *wholeCloud) newestCount(backend string) counted {
	c.t.Helper()
	c.await("the agent to have every volume of "+backend, func() error {
		if ever, got := c.volumesEver(backend), c.count(backend); got.volumes != ever {
			return fmt.Errorf("it has %v of %v", got.volumes, ever)
		}
		return nil
	})
	return c.count(backend)
}

// awaitCounts waits until the metrics of the agent, and the scheduler's total_volumes,
// have followed changes.
func (c *wholeCloud) awaitCounts(backend string, want counted) {
	c.t.Helper()
	c.await(fmt.Sprintf("the counts of %s to be %+v", backend, want), func() error {
		if got := c.count(backend); got != want {
			return fmt.Errorf("they are %+v", got)
		}
		return nil
	})
	c.awaitReported(backend, capability.KeyTotalVolumes, capability.OfInt(int64(want.volumes)))
}

// onArray is the volume or the snapshot on an array whose name contains an id.
func (c *wholeCloud) onArray(backend, kind, id string) map[string]any {
	c.t.Helper()
	_, stanza, _ := strings.Cut(backend, "@")
	items, err := c.Items(c.t.Context(), stanza, kind+"?destroyed=false&filter=name%3D%27*"+id+"*%27")
	c.must(err)
	if len(items) != 1 {
		c.t.Fatalf("%s has %d %s of %s", backend, len(items), kind, id)
	}
	return items[0]
}

// sized checks the size of a volume at cinder-api and on its array.
func (c *wholeCloud) sized(v cloud.VolumeStatus, gib int) {
	c.t.Helper()
	if got := c.onArray(v.Backend(), "volumes", v.ID)["provisioned"]; v.Size != gib || got != float64(gib<<30) {
		c.t.Errorf("the volume %s has %d GiB, and %v bytes on %s; want %d GiB", v.Name, v.Size, got, v.Backend(), gib)
	}
}

// lifeOfVolume creates a volume, extends it, makes a snapshot, a clone and a volume of the
// snapshot, retypes it on its array, and deletes everything.
func (c *wholeCloud) lifeOfVolume() {
	ctx := c.t.Context()
	start := c.newestCount(secondBackend)
	first := c.agreesOnCreate("ctl1", "--os-cloud poolcast --type gold", cloud.Volume{Name: "first", Size: 20, Type: "gold"})
	c.sized(first, 20)
	backend := first.Backend()
	if backend != secondBackend {
		c.t.Fatalf("the first volume is on %s", backend)
	}
	c.shows("ctl1", "rehearse --size 20 --count 1 --settings current --source scheduler --os-cloud poolcast --type gold",
		"1 of 1 volumes go to flasharray_x_02")
	c.awaitCounts(backend, counted{start.volumes + 1, start.live + 1, start.snapshots})

	c.agreesOnMove("ctl1", "--extend flasharray_x_02 --from-size 20 --size 30", secondBackend)
	c.must(c.API.Extend(ctx, first.ID, 30))
	c.sized(c.awaitVolume(first.ID), 30)

	snapshot, err := c.API.CreateSnapshot(ctx, first.ID, "snapshot")
	c.must(err)
	_, err = c.API.AwaitSnapshot(ctx, snapshot, "available")
	c.must(err)
	c.onArray(backend, "volume-snapshots", snapshot)
	clone := c.agreesOnCreate("ctl1", "--os-cloud poolcast --type gold --clone-of flasharray_x_02", cloud.Volume{Name: "clone", Size: 30, Type: "gold", Source: first.ID})
	c.sized(clone, 30)
	restored := c.agreesOnCreate("ctl1", "--os-cloud poolcast --type gold --snapshot-of flasharray_x_02", cloud.Volume{Name: "restored", Size: 40, Type: "gold", Snapshot: snapshot})
	c.sized(restored, 40)
	c.awaitCounts(backend, counted{start.volumes + 3, start.live + 3, start.snapshots + 1})

	c.retypeOnArray(restored)

	c.delete(clone.ID, restored.ID)
	c.must(c.API.DeleteSnapshot(ctx, snapshot))
	c.must(c.API.AwaitSnapshotDeleted(ctx, snapshot))
	c.delete(first.ID)
	c.awaitCounts(backend, counted{start.volumes + 3, start.live, start.snapshots + 1}) // the array keeps what is destroyed
}

// retypeOnArray gives a volume a type with QoS specs. It stays on its array.
func (c *wholeCloud) retypeOnArray(v cloud.VolumeStatus) {
	c.t.Helper()
	c.agreesOnMove("ctl1", "--retype-of "+stanzaOfHost(v.Host)+" --size 40 --os-cloud poolcast --from-type gold --type silver", v.Backend())
	c.must(c.API.Retype(c.t.Context(), v.ID, "silver", "never"))
	got := c.awaitVolume(v.ID)
	if got.Type != "silver" || got.Host != v.Host {
		c.t.Errorf("the volume has the type %s on %s", got.Type, got.Host)
	}
	qos, _ := c.onArray(v.Backend(), "volumes", v.ID)["qos"].(map[string]any)
	if qos["iops_limit"] != 5000.0 || qos["bandwidth_limit"] != float64(100<<20) {
		c.t.Errorf("the volume has the limits %v", qos)
	}
}

// agreesOnMove checks which backend poolcast place names for a request about a volume
// that exists; "" is none. It returns the answer.
func (c *wholeCloud) agreesOnMove(host, flags, backend string) string {
	c.t.Helper()
	a := c.answer(host, flags)
	got, _, _ := strings.Cut(chosen(a), "#")
	if got != backend {
		c.t.Errorf("poolcast place %s names %q, want %q: %s", flags, got, backend, a.Reason)
	}
	texts := []string{a.Reason}
	for _, v := range a.Backends {
		if v.Refused != nil {
			texts = append(texts, v.ID+" "+v.Refused.Filter+" "+v.Refused.Reason)
		}
	}
	slices.Sort(texts[1:])
	return strings.Join(texts, "; ")
}
