package simulator_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// noon is a clock with a fixed time that is no multiple of a resolution.
func noon() time.Time { return time.UnixMilli(1_767_268_817_412) }

func (l *environment) samples(from, to time.Time, more string) page {
	l.t.Helper()
	return l.get(fmt.Sprintf("arrays/performance?start_time=%d&end_time=%d&total_item_count=true%s", from.UnixMilli(), to.UnixMilli(), more))
}

func times(p page) []int64 {
	var all []int64
	for _, o := range p.Items {
		all = append(all, int64(num(o, "time")))
	}
	return all
}

func TestHistoryOneHour(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{Clock: noon})
	p := l.samples(noon().Add(-time.Hour), noon(), "&resolution=30000")
	got := times(p)
	if len(got) != 120 || *p.Count != 120 || !slices.IsSorted(got) {
		t.Fatalf("%d samples, count %d, sorted %v", len(got), *p.Count, slices.IsSorted(got))
	}
	for i, at := range got {
		if at%30_000 != 10_000 || i > 0 && at-got[i-1] != 30_000 {
			t.Fatalf("sample %d is at %d", i, at)
		}
	}
	again := l.samples(noon().Add(-time.Hour), noon(), "&resolution=30000")
	values := map[any]bool{}
	for i, o := range p.Items {
		values[o["reads_per_sec"]] = true
		if o["reads_per_sec"] != again.Items[i]["reads_per_sec"] {
			t.Fatal("history differs when it is read again")
		}
	}
	if len(values) != l.array.Frames() {
		t.Errorf("an hour has %d different samples, want one for each of %d frames", len(values), l.array.Frames())
	}
	if first, last := p.Items[0], p.Items[119]; first["reads_per_sec"] == last["reads_per_sec"] {
		t.Error("the oldest and the newest sample are equal, so that the test proves nothing")
	}
}

func TestHistoryWindows(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{Clock: noon})
	for query, want := range map[string][]int64{
		"":                      {noon().UnixMilli()},
		"?resolution=30000":     {1_767_268_810_000},
		"?resolution=1000":      {1_767_268_817_000},
		"?resolution=86400000":  {1_767_225_610_000},
		"?end_time=1":           nil, // long forgotten
		"?start_time=1&limit=0": nil,
		"?resolution=300000&sort=time-&limit=1&start_time=1": {1_767_268_810_000},
	} {
		if got := times(l.get("arrays/performance" + query)); !slices.Equal(got, want) {
			t.Errorf("%s: samples at %v, want %v", query, got, want)
		}
	}
	for resolution, kept := range map[int64]time.Duration{1_000: 3 * time.Hour, 30_000: 3 * time.Hour, 300_000: 24 * time.Hour, 1_800_000: 7 * 24 * time.Hour} {
		p := l.get(fmt.Sprintf("arrays/performance?start_time=1&resolution=%d&limit=0", resolution))
		if want := int(kept.Milliseconds() / resolution); *p.Count != want {
			t.Errorf("resolution %d keeps %d samples, want %d", resolution, *p.Count, want)
		}
	}
}

func TestHistorySettings(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{Clock: noon})
	hour := func(h simulator.History) []int64 {
		l.array.SetHistory(h)
		return times(l.samples(noon().Add(-time.Hour), noon(), "&resolution=30000"))
	}
	plain := hour(simulator.History{})
	backwards := hour(simulator.History{Order: simulator.Descending})
	slices.Reverse(backwards)
	if !slices.Equal(plain, backwards) {
		t.Error("descending is not the reverse of ascending")
	}
	mixed := hour(simulator.History{Order: simulator.Unordered})
	if slices.IsSorted(mixed) || len(mixed) != len(plain) {
		t.Errorf("unordered gives %d samples, sorted: %v", len(mixed), slices.IsSorted(mixed))
	}
	if slices.Sort(mixed); !slices.Equal(plain, mixed) {
		t.Error("unordered loses samples")
	}
	if got := hour(simulator.History{Late: 2 * time.Minute}); !slices.Equal(got, plain[:116]) {
		t.Errorf("two minutes late: %d samples, want 116", len(got))
	}
	if got := hour(simulator.History{Retention: 10 * time.Minute}); !slices.Equal(got, plain[100:]) {
		t.Errorf("ten minutes kept: %d samples, want 20", len(got))
	}
	recent := func(at time.Time) bool { return noon().Sub(at) < 50*time.Minute }
	if got := hour(simulator.History{Gap: recent}); !slices.Equal(got, plain[:20]) {
		t.Errorf("idle for fifty minutes: %d samples, want 20", len(got))
	}
	if got := hour(simulator.History{Empty: true}); len(got) != 0 {
		t.Errorf("a new array has %d samples", len(got))
	}
	if current := l.get("arrays/performance"); len(current.Items) != 1 {
		t.Error("a new array has no current sample")
	}
}

func TestFramesFollowClock(t *testing.T) {
	now := noon()
	l := newEnvironment(t, "flasharray-x-02", simulator.Options{Clock: func() time.Time { return now }})
	reads := func() float64 { return num(l.get("arrays/performance").Items[0], "reads_per_sec") }
	volumes := func() int { return *l.get("volumes?limit=0&destroyed=false").Count }
	seen := map[float64]bool{}
	for range l.array.Frames() {
		seen[reads()] = true
		now = now.Add(time.Minute)
	}
	if len(seen) != l.array.Frames() {
		t.Errorf("%d frames have %d loads", l.array.Frames(), len(seen))
	}
	l.array.SetFrame(3)
	three, newest := reads(), func() float64 {
		p := l.samples(now.Add(-time.Hour), now, "&resolution=30000&sort=time-&limit=1")
		return num(p.Items[0], "reads_per_sec")
	}
	if l.array.Frame() != 3 || volumes() != 574 || newest() != three {
		t.Errorf("frame 3: frame %d, %d volumes, %v reads now and %v in the newest sample", l.array.Frame(), volumes(), three, newest())
	}
	now = now.Add(10 * time.Minute)
	if reads() != three {
		t.Error("SetFrame had no lasting effect")
	}
	before := l.samples(now.Add(-30*time.Minute), now.Add(-20*time.Minute), "&resolution=30000")
	l.array.SetFrame(-1) // the last
	after := l.samples(now.Add(-30*time.Minute), now.Add(-20*time.Minute), "&resolution=30000")
	for i := range before.Items {
		if before.Items[i]["reads_per_sec"] != after.Items[i]["reads_per_sec"] {
			t.Fatal("SetFrame changed the history")
		}
	}
	if l.array.Frame() != l.array.Frames()-1 {
		t.Errorf("frame -1 is %d", l.array.Frame())
	}
}

func TestHistoryOfObjects(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-03", simulator.Options{Clock: noon})
	name := l.get("volumes?limit=1").Items[0]["name"].(string)
	window := fmt.Sprintf("start_time=%d&end_time=%d", noon().Add(-time.Hour).UnixMilli(), noon().UnixMilli())
	for path, want := range map[string]int{"volumes/performance": 120, "volumes/space": 12} {
		p := l.get(path + "?names=" + name + "&" + window)
		if len(p.Items) != want || len(p.Total) != 0 || p.Items[0]["name"] != name {
			t.Errorf("%s: %d samples and %d totals, want %d and none", path, len(p.Items), len(p.Total), want)
		}
	}
	if p := l.get("arrays/space?" + window); len(p.Items) != 12 {
		t.Errorf("arrays/space: %d samples, want 12", len(p.Items))
	}
	if p := l.get("arrays/performance?protocol=nfs"); num(p.Items[0], "reads_per_sec") != 0 {
		t.Error("a block array has load over NFS")
	}
}
