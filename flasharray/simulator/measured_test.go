package simulator_test

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

const tib = 1 << 40

// adjustableClock is a clock that a test sets.
type adjustableClock struct{ millis atomic.Int64 }

func newClock() *adjustableClock {
	c := &adjustableClock{}
	c.millis.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

func (c *adjustableClock) now() time.Time          { return time.UnixMilli(c.millis.Load()).UTC() }
func (c *adjustableClock) advance(d time.Duration) { c.millis.Add(d.Milliseconds()) }

// steady is a workload of so many reads of 32 KiB per second.
func steady(operations float64) simulator.Workload {
	return simulator.Workload{
		Operations: operations, ReadShare: 1, BlockBytes: 32 << 10, Fill: 0.5, Growth: time.Hour, Reduction: 4,
	}
}

func alwaysSteady(operations float64) func(string, int64) (simulator.Workload, bool) {
	return func(string, int64) (simulator.Workload, bool) { return steady(operations), true }
}

// writable serves a writable array with a clock that the test sets.
func writable(t *testing.T, f simulator.Fixture, m simulator.Model) (*environment, *adjustableClock) {
	t.Helper()
	clock := newClock()
	o := simulator.Options{Writable: true, Model: m, Clock: clock.now, SessionIdle: -1}
	return environmentOf(t, simulator.New(f, o), simulator.ServeOptions{}), clock
}

// change sends a change that must succeed.
func (l *environment) change(method, path, body string) {
	l.t.Helper()
	if r := l.send(method, path, body); r.status != http.StatusOK {
		l.t.Fatalf("%s %s: %d %s", method, path, r.status, r.body)
	}
}

func (l *environment) createVolume(name string, bytes int64) {
	l.t.Helper()
	l.change("POST", "volumes?names="+name, fmt.Sprintf(`{"provisioned": %d}`, bytes))
}

func (l *environment) load() map[string]any {
	l.t.Helper()
	return l.get("arrays/performance").Items[0]
}

func (l *environment) used() map[string]any {
	l.t.Helper()
	return space(l.get("arrays/space").Items[0])
}

// utilisation is the share of queue time in the response time of reads.
func utilisation(o map[string]any) float64 {
	return num(o, "queue_usec_per_read_op") / num(o, "usec_per_read_op")
}

// all reads every page.
func (l *environment) all(path string) (items []map[string]any) {
	l.t.Helper()
	for more := true; more; {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		p := l.get(fmt.Sprintf("%s%soffset=%d", path, separator, len(items)))
		items, more = append(items, p.Items...), *p.More
	}
	return items
}

func TestLoadFollowsVolumes(t *testing.T) {
	l, _ := writable(t, fixture(t, "flasharray-x-03").Empty(),
		simulator.Model{Limit: 100_000, ReadService: 300 * time.Microsecond, Workload: alwaysSteady(10_000)})
	last := 0.0
	for n := range 12 {
		o := l.load()
		offered := float64(n) * 0.1
		want := min(offered, 0.98)
		if n > 0 && math.Abs(utilisation(o)-want) > 0.002 {
			t.Errorf("%d volumes: utilisation %.3f, want %.2f", n, utilisation(o), want)
		}
		if served := num(o, "reads_per_sec"); math.Abs(served-min(offered*100_000, 98_000)) > float64(n) {
			t.Errorf("%d volumes: %v reads/s", n, served)
		}
		if usec := num(o, "usec_per_read_op"); usec < last {
			t.Errorf("%d volumes: the latency falls to %v", n, usec)
		} else {
			last = usec
		}
		if want := math.Round(num(o, "reads_per_sec") * last / 1e6); num(o, "queue_depth") != want {
			t.Errorf("%d volumes: queue depth %v, want %v", n, o["queue_depth"], want)
		}
		l.createVolume(fmt.Sprintf("volume-%d", n), tib)
	}
	l.change("PATCH", "volumes?names=volume-3", `{"destroyed": true}`)
	if got := num(l.get("volumes/performance?names=volume-3").Items[0], "reads_per_sec"); got != 0 {
		t.Errorf("a destroyed volume has %v reads/s", got)
	}
}

// TestSumsOverVolumes checks that the values of the array are the sums over its
// volumes, recorded and created, live, destroyed and eradicated.
func TestSumsOverVolumes(t *testing.T) {
	l, clock := writable(t, fixture(t, "flasharray-x-01"), simulator.Model{Seed: 3, Speed: 60})
	recorded := l.all("volumes?destroyed=false&filter=connection_count=0")
	check := func(when string) {
		t.Helper()
		checkSums(t, l, when)
	}
	check("at first")
	for n := range 50 {
		l.createVolume(fmt.Sprintf("volume-%d", n), int64(n+1)*10<<30)
	}
	check("created")
	clock.advance(10 * time.Minute)
	check("grown")
	names := "volume-7,volume-8," + recorded[0]["name"].(string) + "," + recorded[50]["name"].(string)
	l.change("PATCH", "volumes?names="+names, `{"destroyed": true}`)
	check("destroyed")
	clock.advance(10 * time.Minute)
	l.change("DELETE", "volumes?names="+names, "")
	check("eradicated")
	l.change("PATCH", "volumes?names=volume-9", fmt.Sprintf(`{"provisioned": %d}`, int64(tib)))
	clock.advance(time.Hour)
	check("extended")
	l.array.Disturb(simulator.Disturbance{Slow: 4})
	check("overloaded")
}

func checkSums(t *testing.T, l *environment, when string) {
	t.Helper()
	array, load := l.used(), l.load()
	sums := map[string]float64{}
	for _, o := range l.all("volumes/space") {
		for _, name := range []string{"unique", "virtual"} {
			sums[name] += num(space(o), name)
		}
	}
	for _, o := range l.all("volume-snapshots") {
		sums["snapshots"] += num(space(o), "snapshots")
	}
	rates := []string{"reads_per_sec", "writes_per_sec", "read_bytes_per_sec", "write_bytes_per_sec"}
	for _, o := range l.all("volumes/performance") {
		for _, name := range rates {
			sums[name] += num(o, name)
		}
	}
	for name, sum := range sums {
		want := num(array, name)
		if strings.HasSuffix(name, "_per_sec") {
			want = num(load, name)
		}
		rounding := 0.0
		if name == "virtual" { // that of each recorded volume is rounded
			rounding = 10
		}
		if math.Abs(sum-want) > rounding {
			t.Errorf("%s: %s is %.0f, the sum over the volumes %.0f", when, name, want, sum)
		}
	}
	total := l.get("volumes/performance?total_only=true").Total[0]
	for _, name := range rates {
		if total[name] != load[name] {
			t.Errorf("%s: the total of %s is %v, that of the array %v", when, name, total[name], load[name])
		}
	}
	checkIdentities(t, when, array)
}

// checkIdentities checks those of fixtures/README.md.
func checkIdentities(t *testing.T, when string, s map[string]any) {
	t.Helper()
	physical := num(s, "unique") + num(s, "snapshots") + num(s, "shared") + num(s, "system") + num(s, "replication")
	if num(s, "total_physical") != physical || num(s, "total_used") != physical {
		t.Errorf("%s: total_physical is %v, its parts are %.0f", when, s["total_physical"], physical)
	}
	written := 1 - num(s, "thin_provisioning")
	if virtual := num(s, "total_provisioned") * written; math.Abs(virtual-num(s, "virtual")) > 1e-6*virtual+1 {
		t.Errorf("%s: virtual is %v, want %.0f", when, s["virtual"], virtual)
	}
	if written > 0 && math.Abs(num(s, "total_reduction")-num(s, "data_reduction")/written) > 1e-6*num(s, "total_reduction") {
		t.Errorf("%s: total_reduction is %v", when, s["total_reduction"])
	}
}

func TestVolumesGrow(t *testing.T) {
	l, clock := writable(t, fixture(t, "flasharray-x-03").Empty(), simulator.Model{Speed: 60, Workload: alwaysSteady(100)})
	l.createVolume("volume-1", tib)
	if got := num(l.used(), "total_physical"); got != 0 {
		t.Errorf("%v bytes are used at creation", got)
	}
	clock.advance(time.Minute) // one time constant
	want := 0.5 * tib * (1 - math.Exp(-1))
	used := l.used()
	if math.Abs(num(used, "virtual")-want) > 1 || math.Abs(num(used, "unique")-want/4) > 1 {
		t.Errorf("after a time constant virtual is %v and unique %v, want %.0f and a quarter of it", used["virtual"], used["unique"], want)
	}
	checkIdentities(t, "grown", used)
	volume := space(l.get("volumes?names=volume-1").Items[0])
	if math.Abs(num(volume, "virtual")-want) > 1 || num(volume, "data_reduction") != 4 {
		t.Errorf("the volume has %v", volume)
	}
	if got := l.get("volumes?limit=0&filter=space.unique>" + fmt.Sprint(tib/100)); *got.Count != 1 {
		t.Errorf("a filter by used space finds %d", *got.Count)
	}
}

func TestHistoryIsThatOfItsTimes(t *testing.T) {
	l, clock := writable(t, fixture(t, "flasharray-x-03").Empty(), simulator.Model{Limit: 100_000, Workload: alwaysSteady(20_000)})
	start := clock.now()
	clock.advance(10 * time.Minute)
	l.createVolume("volume-1", tib)
	clock.advance(10 * time.Minute)
	l.array.Disturb(simulator.Disturbance{Operations: 50_000})
	clock.advance(10 * time.Minute)
	l.array.Disturb(simulator.Disturbance{Slow: 2})
	clock.advance(10 * time.Minute)
	l.change("PATCH", "volumes?names=volume-1", `{"destroyed": true}`)
	clock.advance(10 * time.Minute)
	window := fmt.Sprintf("resolution=30000&start_time=%d&end_time=%d", start.UnixMilli(), clock.now().UnixMilli())
	samples := l.get("arrays/performance?" + window).Items
	if len(samples) != 100 {
		t.Fatalf("%d samples, want 100", len(samples))
	}
	for _, s := range samples {
		at := time.UnixMilli(int64(num(s, "time"))).Sub(start)
		want := []float64{math.NaN(), 0.2, 0.7 * 0.9, 0.4, math.NaN()}[int(at/(10*time.Minute))]
		if at >= 20*time.Minute && at < 30*time.Minute {
			want = 0.7
		}
		if got := utilisation(s); math.Abs(got-want) > 0.005 || math.IsNaN(got) != math.IsNaN(want) {
			t.Errorf("after %v the utilisation is %.3f, want %.3f", at, got, want)
		}
	}
	if n := len(l.get("volumes/performance?names=volume-1&" + window).Items); n != 80 {
		t.Errorf("the volume has %d samples, want those since its creation: 80", n)
	}
	if n := len(l.get("arrays/space?resolution=300000&" + strings.Replace(window, "resolution=30000&", "", 1)).Items); n != 10 {
		t.Errorf("%d samples of space, want 10", n)
	}
}

func TestSameSeedSameWorkload(t *testing.T) {
	rates := map[string]any{}
	for _, name := range []string{"flasharray-x-01", "flasharray-c-01"} {
		l, _ := writable(t, fixture(t, name).Empty(), simulator.Model{Seed: 5})
		l.createVolume("volume-1", tib)
		rates[name] = fmt.Sprint(l.load()["reads_per_sec"], l.load()["writes_per_sec"])
	}
	if rates["flasharray-x-01"] == "0 0" {
		t.Error("the volume has no load")
	}
	// The rounding depends on the id, which differs.
	var r1, w1, r2, w2 float64
	if _, err := fmt.Sscan(fmt.Sprint(rates["flasharray-x-01"], " ", rates["flasharray-c-01"]), &r1, &w1, &r2, &w2); err != nil {
		t.Fatal(err)
	}
	if math.Abs(r1-r2) > 1 || math.Abs(w1-w2) > 1 {
		t.Errorf("the same volume has the rates %v", rates)
	}
}

func TestWorkloadNotDetermined(t *testing.T) {
	var determined atomic.Bool
	l, _ := writable(t, fixture(t, "flasharray-x-03").Empty(), simulator.Model{Workload: func(name string, bytes int64) (simulator.Workload, bool) {
		if name != "volume-1" || bytes != tib {
			t.Errorf("the workload of %s of %d bytes is requested", name, bytes)
		}
		return steady(1000), determined.Load()
	}})
	l.createVolume("volume-1", tib)
	if got := num(l.load(), "reads_per_sec"); got != 0 {
		t.Errorf("without a workload there are %v reads/s", got)
	}
	determined.Store(true)
	if got := num(l.load(), "reads_per_sec"); got != 1000 {
		t.Errorf("with a workload there are %v reads/s", got)
	}
}

func TestFullArray(t *testing.T) {
	l, clock := writable(t, fixture(t, "flasharray-x-01"), simulator.Model{Speed: 3600, Workload: alwaysSteady(1)})
	for n := range 10 {
		l.createVolume(fmt.Sprintf("volume-%d", n), 200*tib)
	}
	clock.advance(time.Hour)
	capacity := num(l.get("arrays/space").Items[0], "capacity")
	if got := num(l.used(), "total_physical"); got > capacity || got < capacity-100 {
		t.Errorf("%.0f of %.0f bytes are used", got, capacity)
	}
	checkSums(t, l, "full")
	names := "volume-0,volume-1,volume-2,volume-3,volume-4,volume-5,volume-6,volume-7"
	l.change("PATCH", "volumes?names="+names, `{"destroyed": true}`)
	if got := num(l.used(), "total_physical"); got < capacity-100 {
		t.Error("destroyed volumes free their space before they are eradicated")
	}
	l.change("DELETE", "volumes?names="+names, "")
	if got := num(l.used(), "total_physical"); got > 0.95*capacity {
		t.Errorf("%.0f of %.0f bytes are used after eradication", got, capacity)
	}
}

func TestEmptyFixture(t *testing.T) {
	for _, f := range []string{"flasharray-x-01", "flasharray-eg1-02", "flasharray-r-01"} {
		l, _ := writable(t, fixture(t, f).Empty(), simulator.Model{})
		for _, path := range []string{"volumes", "volume-snapshots", "hosts", "protection-groups", "pods"} {
			if n := *l.get(path + "?limit=0").Count; n != 0 {
				t.Errorf("%s: %d %s", f, n, path)
			}
		}
		for _, name := range []string{"reads_per_sec", "usec_per_read_op", "queue_usec_per_read_op", "queue_depth"} {
			if got := num(l.load(), name); got != 0 {
				t.Errorf("%s: %s is %v", f, name, got)
			}
		}
		if used := l.used(); num(used, "unique") != 0 || num(used, "snapshots") != 0 || num(used, "shared") != 0 {
			t.Errorf("%s: %v", f, used)
		}
	}
}

func TestRecordingIsNotDisturbed(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{Model: simulator.Model{Limit: 1}})
	l.array.SetFrame(0)
	l.array.Disturb(simulator.Disturbance{Slow: 100})
	if got := num(l.load(), "usec_per_read_op"); got != 750 {
		t.Errorf("the recorded latency is %v, want 750", got)
	}
}

// TestSnapshotHoldsOverwrittenBytes: ten time constants after it was taken, a
// snapshot holds 63 % of what its volume had.
func TestSnapshotHoldsOverwrittenBytes(t *testing.T) {
	l, clock := writable(t, fixture(t, "flasharray-x-03").Empty(), simulator.Model{Workload: alwaysSteady(0)})
	l.createVolume("volume-1", tib)
	clock.advance(200 * time.Hour)
	full := num(l.used(), "unique") // half of the size, reduced to a quarter
	if math.Abs(full-tib/8) > 1e4 {
		t.Fatalf("unique is %.0f, want %d", full, tib/8)
	}
	l.change("POST", "volume-snapshots?source_names=volume-1", `{"suffix": "a"}`)
	if got := num(l.used(), "snapshots"); got != 0 {
		t.Errorf("a new snapshot holds %v bytes", got)
	}
	clock.advance(10 * time.Hour)
	l.change("POST", "volume-snapshots?source_names=volume-1", `{"suffix": "b"}`)
	clock.advance(5 * time.Hour)
	for suffix, want := range map[string]float64{"a": full * (1 - math.Exp(-1)), "b": full * (1 - math.Exp(-0.5))} {
		got := space(l.get("volume-snapshots?names=volume-1." + suffix).Items[0])
		if math.Abs(num(got, "snapshots")-want) > 1e4 || got["total_physical"] != got["snapshots"] {
			t.Errorf("snapshot %s has %v, want %.0f bytes", suffix, got, want)
		}
	}
	l.change("PATCH", "volume-snapshots?names=volume-1.b", `{"destroyed": true}`)
	l.change("DELETE", "volume-snapshots?names=volume-1.b", "")
	want := full * (1 - math.Exp(-1.5))
	if got := num(l.used(), "snapshots"); math.Abs(got-want) > 1e4 {
		t.Errorf("without the second snapshot, the first holds %.0f bytes, want %.0f", got, want)
	}
	checkSums(t, l, "snapshots")
}

func TestCloneSharesBlocks(t *testing.T) {
	l, clock := writable(t, fixture(t, "flasharray-x-03").Empty(), simulator.Model{Workload: alwaysSteady(0)})
	l.createVolume("volume-1", tib)
	clock.advance(200 * time.Hour)
	l.change("POST", "volumes?names=volume-2", `{"source": {"name": "volume-1"}}`)
	clone := space(l.get("volumes?names=volume-2").Items[0])
	if num(clone, "unique") != 0 || math.Abs(num(clone, "virtual")-tib/2) > 1e4 {
		t.Errorf("a new clone has %v", clone)
	}
	clock.advance(10 * time.Hour)
	want := tib / 8 * (1 - math.Exp(-1))
	if got := num(space(l.get("volumes?names=volume-2").Items[0]), "unique"); math.Abs(got-want) > 1e4 {
		t.Errorf("an overwritten clone has %.0f bytes of its own, want %.0f", got, want)
	}
	l.change("PATCH", "volumes?names=volume-1", `{"destroyed": true}`)
	l.change("DELETE", "volumes?names=volume-1", "")
	if got := num(l.used(), "unique"); math.Abs(got-tib/8) > 1e4 {
		t.Errorf("without its source, the clone has %.0f bytes, want all %d", got, tib/8)
	}
}

// TestContainersSumTheirVolumes checks hosts, pods and volume groups.
func TestContainersSumTheirVolumes(t *testing.T) {
	l, clock := writable(t, fixture(t, "flasharray-x-01"), simulator.Model{Workload: alwaysSteady(500)})
	l.change("POST", "volume-groups?names=group", "{}")
	l.change("POST", "pods?names=pod", "{}")
	l.change("POST", "hosts?names=host", "{}")
	for _, name := range []string{"group/one", "pod::one", "one", "two"} {
		l.createVolume(name, tib)
	}
	l.change("POST", "connections?host_names=host&volume_names=one,two", "")
	clock.advance(time.Hour)
	one := space(l.get("volumes?names=one").Items[0])
	for path, volumes := range map[string]float64{
		"volume-groups/performance?names=group": 1, "pods/performance?names=pod": 1, "hosts/performance?names=host": 2,
	} {
		if got := num(l.get(path).Items[0], "reads_per_sec"); got != volumes*500 {
			t.Errorf("%s: %v reads/s", path, got)
		}
	}
	for path, volumes := range map[string]float64{"volume-groups?names=group": 1, "pods/space?names=pod": 1, "hosts?names=host": 2} {
		got := space(l.get(path).Items[0])
		for _, name := range []string{"unique", "virtual", "total_provisioned", "total_physical"} {
			if num(got, name) != volumes*num(one, name) {
				t.Errorf("%s: %s is %v, that of one volume %v", path, name, got[name], one[name])
			}
		}
	}
}
