//go:build integration

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
)

const (
	// worldCreates is how many volumes are created in random worlds.
	worldCreates = 200
	// worldChange is after how many of them the services change.
	worldChange = 4
)

// TestPlaceBySchedulerMatchesScheduler asks poolcast place over the message bus where a
// volume would go, then creates it with a real scheduler, in random worlds: services in
// other zones, disabled, frozen and down, other hosts and vendors with several pools,
// fresh reports before each create, equal reports; requests with and without a zone,
// types that are limited to zones, and settings of cinder-api that decide on them. The
// results must be equal: the backend, or the exception with which cinder-api refuses.
func TestPlaceBySchedulerMatchesScheduler(t *testing.T) {
	t.Parallel()
	w := newWorlds(t)
	for w.count < worldCreates && !t.Failed() {
		if w.count%worldChange == 0 {
			w.change()
		}
		w.report()
		v := w.draw()
		ours, why := w.place(v)
		theirs := w.create(v)
		if ours != theirs {
			t.Errorf("create %d: %+v with %+v and %+v\nCinder:         %q\npoolcast place: %q\n%s", w.count, v, w.zones, w.states, theirs, ours, why)
		}
		w.chosen[theirs]++
		w.count++
	}
	t.Logf("of %d volumes %v; %d ties, %d backends not listed, %d requests without a zone, %d types with zones, %d assumed zones",
		w.count, w.chosen, w.ties, w.unlisted, w.unzoned, w.limited, w.assumed)
	if w.uniform() {
		t.Error("these worlds are too much alike")
	}
}

// uniform is whether something that matters was not drawn, or rarely.
func (w *worlds) uniform() bool {
	return len(w.chosen) < 10 || w.chosen[""] > worldCreates/2 ||
		w.chosen["InvalidAvailabilityZone"] == 0 || w.chosen["InvalidTypeAvailabilityZones"] == 0 ||
		min(w.ties, w.unlisted, w.unzoned, w.limited, w.assumed) == 0
}

// worlds is a scheduler and its services, which change.
type worlds struct {
	t      *testing.T
	cinder *scheduler.Scheduler
	random *rand.Rand
	config string
	states map[string]scheduler.State // of each backend, by host
	zones  scheduler.ZoneSettings
	count  int
	chosen map[string]int // by result: a backend, "" for none, or an exception

	ties, unlisted, unzoned, limited, assumed int
}

// worldBackends are two of the configuration, which poolcast serves, four of other
// hosts, one of them with three pools.
func worldBackends() []string {
	return []string{"ctl1@fa1", "ctl1@fa2", "ctl2@fa1", "ctl2@fa2", "ctl2@lvm", "ctl3@netapp"}
}

func newWorlds(t *testing.T) *worlds {
	t.Helper()
	broker, transport := joinBroker(t)
	w := &worlds{
		t: t, random: rand.New(rand.NewPCG(decisionSeed(t), 7)), config: filepath.Join(t.TempDir(), "cinder.conf"),
		states: map[string]scheduler.State{}, chosen: map[string]int{},
	}
	var backends []scheduler.Backend
	for _, host := range worldBackends() {
		backends = append(backends, scheduler.Backend{Host: host, Zone: zone})
		w.states[host] = scheduler.State{Host: host, Zone: zone}
	}
	w.cinder = scheduler.Start(t, scheduler.Options{Broker: broker, Backends: backends, Settings: []string{
		"quota_volumes = -1", "quota_gigabytes = -1", "per_volume_size_limit = -1",
	}})
	(&environment{t: t}).write(w.config, `[DEFAULT]
host = ctl1
enabled_backends = fa1,fa2
transport_url = `+transport+`
[backend_defaults]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
volume_backend_name = gold
san_ip = 127.0.0.1:1
pure_api_token = 00000000-0000-0000-0000-000000000000
[fa1]
[fa2]
`)
	return w
}

// change draws the settings of cinder-api, and zone and state of each service. Those of
// the configuration are listed most of the time: poolcast requests the list again where
// one is missing.
func (w *worlds) change() {
	w.t.Helper()
	w.zones = scheduler.ZoneSettings{
		Storage: w.pick(zone, "dc2", "nova"), Default: w.pick("", "", zone, "dc2", "dc9"), Fallback: w.random.IntN(2) == 0,
	}
	w.cinder.SetZones(w.zones)
	for _, host := range worldBackends() {
		s := scheduler.State{Host: host, Zone: w.pick(zone, "dc2")}
		one := 4
		if isConfigured(host) {
			one = 40
		} else if w.random.IntN(4) == 0 {
			s.Zone = w.zones.Storage
		}
		if host != "ctl1@fa1" && w.random.IntN(one) == 0 {
			kind := w.random.IntN(3)
			s.Disabled, s.Frozen, s.Down = kind == 0, kind == 1, kind == 2
			w.unlisted++
		}
		if s != w.states[host] {
			w.cinder.SetState(s)
		}
		w.states[host] = s
	}
}

// isConfigured is whether a backend is one of the configuration.
func isConfigured(host string) bool { return strings.HasPrefix(host, "ctl1@") }

func (w *worlds) pick(texts ...string) string { return texts[w.random.IntN(len(texts))] }

// report sends a report of each backend and waits until the scheduler has those of the
// listed ones.
func (w *worlds) report() {
	w.t.Helper()
	for _, host := range worldBackends() {
		set := w.capabilities("gold")
		if host == "ctl3@netapp" {
			set = w.severalPools()
		}
		w.cinder.Report(scheduler.Report{Host: host, Capabilities: set})
	}
	process.Await(w.t, pollBound, "the scheduler to have every report", func() error {
		pools, err := w.cinder.Pools()
		if err != nil {
			return err
		}
		fresh := map[string]bool{}
		for _, p := range pools {
			host, _, _ := strings.Cut(p.Name, "#")
			if n, _ := p.Capabilities["create"].Int(); n == int64(w.count) {
				fresh[host] = true
			}
		}
		for host, s := range w.states {
			if listed := !s.Disabled && !s.Frozen && !s.Down; listed != fresh[host] {
				return fmt.Errorf("%s is listed with the last report: %t, want %t", host, fresh[host], listed)
			}
		}
		return nil
	})
}

// capabilities draws a report. It has few values, so that equal ones are frequent.
func (w *worlds) capabilities(name string) capability.Set {
	pick := func(values ...int64) capability.Value { return capability.OfInt(values[w.random.IntN(len(values))]) }
	set := capability.Set{
		capability.KeyVolumeBackendName: capability.OfString(name), capability.KeyVendorName: capability.OfString("vendor"),
		capability.KeyDriverVersion: capability.OfString("1"), capability.KeyStorageProtocol: capability.OfString("iSCSI"),
		capability.KeyTotalCapacity: pick(1000, 2000), capability.KeyFreeCapacity: pick(0, 300, 500, 900),
		capability.KeyAllocatedCapacity: pick(0, 100, 700), capability.KeyThinProvisioning: capability.OfBool(w.random.IntN(2) == 0),
		"thick_provisioning_support":      capability.OfBool(w.random.IntN(2) == 0),
		capability.KeyMaxOverSubscription: capability.OfFloat(float64(1 + w.random.IntN(3))), capability.KeyReservedPercentage: pick(0, 10),
		capability.KeyTotalVolumes: pick(5, 500, 900), "multiattach": capability.OfBool(w.random.IntN(4) != 0),
		"create": capability.OfInt(int64(w.count)),
	}
	if w.random.IntN(3) != 0 { // or as drivers before Cinder 29
		set[capability.KeyProvisionedCapacity] = pick(0, 400, 1800)
	}
	return set
}

// severalPools is a report with three pools, one of them of the name gold.
func (w *worlds) severalPools() capability.Set {
	var pools []capability.Value
	for _, name := range []string{"aggr1", "aggr2", "gold"} {
		pool := w.capabilities("gold")
		pool["pool_name"] = capability.OfString(name)
		// Cinder 21 raises KeyError where a pool reports a key that it did not report
		// before.
		if delete(pool, capability.KeyProvisionedCapacity); name != "aggr1" {
			pool[capability.KeyProvisionedCapacity] = capability.OfInt(int64(w.random.IntN(3) * 400))
		}
		for _, key := range []string{capability.KeyVolumeBackendName, capability.KeyVendorName, capability.KeyDriverVersion, capability.KeyStorageProtocol} {
			delete(pool, key)
		}
		pools = append(pools, capability.OfSet(pool))
	}
	return capability.Set{
		capability.KeyVolumeBackendName: capability.OfString("gold"), capability.KeyVendorName: capability.OfString("vendor"),
		capability.KeyDriverVersion: capability.OfString("2"), capability.KeyStorageProtocol: capability.OfString("nfs"),
		"pools": capability.OfList(pools...),
	}
}

// draw makes up a volume.
func (w *worlds) draw() scheduler.Volume {
	v := scheduler.Volume{
		Size: []int64{1, 50, 250, 800}[w.random.IntN(4)], Zone: w.states[worldBackends()[w.random.IntN(6)]].Zone,
		ExtraSpecs: map[string]string{},
	}
	switch w.random.IntN(10) {
	case 0:
		v.Zone = "dc9" // no service is in it
	case 1, 2, 3, 4:
		v.Zone = ""
		w.unzoned++
	}
	if w.random.IntN(4) == 0 {
		v.ExtraSpecs[volumeapi.ZonesKey] = w.pick("dc1", "dc2", "nova", "dc9, dc2 ", " dc2,,dc1", "dc1,dc9", "dc9", "", " , ")
		w.limited++
	}
	specs := map[string][]string{
		"volume_backend_name":        {"gold", "<or> gold <or> silver"},
		"capabilities:total_volumes": {"<= 800", "> 5"},
		"multiattach":                {"<is> True"},
		"storage_protocol":           {"<in> nfs", "iSCSI"},
		"provisioning:type":          {"thick", "thin"},
		"pool_name":                  {"aggr2"},
	}
	for _, key := range slices.Sorted(maps.Keys(specs)) { // or a seed would not repeat a draw
		if w.random.IntN(7) == 0 {
			v.ExtraSpecs[key] = specs[key][w.random.IntN(len(specs[key]))]
		}
	}
	return v
}

// create is the backend that Cinder chooses, "" for none, or the exception with which
// cinder-api refuses the volume.
func (w *worlds) create(v scheduler.Volume) string {
	w.t.Helper()
	host, err := w.cinder.Create(v)
	if refusal := (*scheduler.RefusalError)(nil); errors.As(err, &refusal) {
		return refusal.Exception
	}
	if err != nil {
		w.t.Fatalf("create %d: %+v: %v", w.count, v, err)
	}
	return host
}

// settings are those of cinder-api, as poolcast reads them, and the zones of the
// configured backends.
func (w *worlds) settings() string {
	text := fmt.Sprintf("[DEFAULT]\nstorage_availability_zone = %s\nallow_availability_zone_fallback = %t\n", w.zones.Storage, w.zones.Fallback)
	if w.zones.Default != "" {
		text += "default_availability_zone = " + w.zones.Default + "\n"
	}
	for _, host := range worldBackends() {
		if _, stanza, _ := strings.Cut(host, "@"); isConfigured(host) {
			text += "[" + stanza + "]\nbackend_availability_zone = " + w.states[host].Zone + "\n"
		}
	}
	return text
}

// args are those of poolcast place for a volume. The zone of a backend of another host
// is given, unless it is the one that poolcast assumes.
func (w *worlds) args(v scheduler.Volume) []string {
	args := []string{"--config-file", w.config, "place", "--source", "scheduler", "--output", "json", "--size", fmt.Sprint(v.Size)}
	if v.Zone != "" {
		args = append(args, "--availability-zone", v.Zone)
	}
	for _, host := range worldBackends() {
		switch z := w.states[host].Zone; {
		case isConfigured(host):
		case z == w.zones.Storage && w.random.IntN(2) == 0:
			w.assumed++
		default:
			args = append(args, "--backend-zone", host+"="+z)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(v.ExtraSpecs)) {
		args = append(args, "--property", key+"="+v.ExtraSpecs[key])
	}
	return args
}

// place runs the program, which ends with 4 where nothing fits. The result is as that of
// create; why is its output.
func (w *worlds) place(v scheduler.Volume) (result, why string) {
	w.t.Helper()
	zones := filepath.Join(filepath.Dir(w.config), "zones.conf")
	(&environment{t: w.t}).write(zones, w.settings())
	args := append(w.args(v), "--config-file", zones)
	cmd := exec.Command(program(w.t), args...)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // it would wait for a second at its end
	out, err := cmd.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() != 4 || len(out) == 0 {
		w.t.Fatalf("run poolcast %s: %v\n%s", strings.Join(args, " "), err, exit.Stderr)
	}
	var decision struct {
		Chosen       string
		RefusedByAPI struct{ Exception string } `json:"refused_by_api"`
		Backends     []struct{ Tied bool }
		Source       struct{ Kind string }
	}
	if err := json.Unmarshal(out, &decision); err != nil || decision.Source.Kind != "scheduler" {
		w.t.Fatalf("read the decision: %v\n%s", err, out)
	}
	if decision.RefusedByAPI.Exception != "" {
		return decision.RefusedByAPI.Exception, string(out)
	}
	if decision.Chosen != "" && decision.Backends[0].Tied {
		w.ties++
	}
	return decision.Chosen, string(out)
}
