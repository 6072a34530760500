package simulator

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// TestCapabilityRecorded reads the limit and the service times of the recorded
// arrays, and gets the recorded load and latency back.
func TestCapabilityRecorded(t *testing.T) {
	t.Parallel()
	fixtures, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fixtures {
		sample := f.frames[0].responses["arrays/performance"][0]
		c := recordedCapability(sample)
		q := c.under(recordedDemand(sample))
		t.Logf("%s: limit %.0f, service %.0f, %.0f, %.0f us, utilisation %.3f", f.Name, c.limit, c.read, c.write, c.mirrored, q.utilisation)
		for _, kind := range []struct {
			name string
			got  latency
		}{{"read", q.read}, {"write", q.write}} {
			want := intAt(sample, "usec_per_"+kind.name+"_op")
			if got := kind.got.total(); math.Abs(float64(got-want)) > 0.03*float64(want) {
				t.Errorf("%s: usec_per_%s_op is %d, recorded as %d", f.Name, kind.name, got, want)
			}
		}
	}
}

// TestLatencyMonotone raises the demand from none to three times the limit.
func TestLatencyMonotone(t *testing.T) {
	t.Parallel()
	c := capability{limit: 100_000, read: 300, write: 250}
	last, most := int64(0), int64(0)
	for load := 0.0; load <= 300_000; load += 500 {
		d := Disturbance{Operations: load}.demand()
		q := c.under(d)
		if q.read.total() < last {
			t.Fatalf("the response time falls from %d to %d at %.0f operations/s", last, q.read.total(), load)
		}
		last = q.read.total()
		if share := float64(q.read.queue) / float64(last); math.Abs(share-q.utilisation) > 0.002 {
			t.Errorf("at %.0f operations/s the share of queue time is %.3f, the utilisation %.3f", load, share, q.utilisation)
		}
		if served := q.delivered * d.cost(); served > maxUtilisation*c.limit*1.000001 {
			t.Errorf("at %.0f operations/s %.0f are served: more than the limit", load, served)
		}
		most = max(most, q.depth(d.whole(q.delivered, 0.5)))
	}
	if last != 15_000 { // 300 / (1 - 0.98)
		t.Errorf("the greatest response time is %d us, want 15000", last)
	}
	if want := int64(1397); most != want { // 98,000 * (0.7 * 15 ms + 0.3 * 12.5 ms)
		t.Errorf("the greatest queue depth is %d, want %d", most, want)
	}
}

func TestCapabilityDisturbed(t *testing.T) {
	t.Parallel()
	c := capability{limit: 100_000, read: 300, write: 250}
	slow := c.disturbed(Disturbance{Slow: 2})
	if slow.limit != 50_000 || slow.read != 600 || slow.write != 500 {
		t.Errorf("twice as slow is %+v", slow)
	}
	if c.disturbed(Disturbance{Operations: 1}) != c {
		t.Error("an additional load changes what the array can do")
	}
}

func TestDefaultWorkload(t *testing.T) {
	t.Parallel()
	m := Model{Seed: 7}
	one := m.DefaultWorkload("volume-1", gib)
	if m.DefaultWorkload("volume-1", gib) != one {
		t.Error("the same seed and name have two workloads")
	}
	if one == (Model{Seed: 8}).DefaultWorkload("volume-1", gib) {
		t.Error("two seeds have the same workload")
	}
	const volumes = 20_000
	operations, cost, busy := 0.0, 0.0, 0
	for n := range volumes {
		w := m.DefaultWorkload(fmt.Sprintf("volume-%d", n), gib)
		operations, cost = operations+w.Operations, cost+w.demand().cost()
		if w.Operations > 10 {
			busy++
		}
		if w.Operations <= 0 || w.Operations > operationsMost || w.ReadShare < 0.5 || w.ReadShare > 0.9 ||
			w.Fill < 0.2 || w.Fill > 0.8 || w.Growth < 2*time.Hour || w.Growth > 48*time.Hour || w.Reduction < 2 || w.Reduction > 6 {
			t.Fatalf("volume-%d is out of range: %+v", n, w)
		}
	}
	if mean := operations / volumes; mean < 2.6 || mean > 3.1 {
		t.Errorf("the mean is %.2f operations/s and GiB", mean)
	}
	if mean := cost / operations; mean < 0.95 || mean > 1.12 {
		t.Errorf("the mean cost of an operation is %.2f", mean)
	}
	if share := float64(busy) / volumes; share < 0.05 || share > 0.08 { // P(ln x > ln 10) = 6.2 %
		t.Errorf("%.1f %% of the volumes have more than 10 operations/s and GiB", 100*share)
	}
}

func TestWritten(t *testing.T) {
	t.Parallel()
	w := Workload{Fill: 0.5, Growth: time.Hour, Reduction: 4}
	oneTau := 1 - math.Exp(-1)
	for name, c := range map[string]struct {
		inherited float64
		extents   []extent
		at        int64
		speed     float64
		want      float64
	}{
		"at creation":    {extents: []extent{{0, 1000, true}}, want: 0},
		"one constant":   {extents: []extent{{0, 1000, true}}, at: hour, want: 500 * oneTau},
		"60 times fast":  {extents: []extent{{0, 1000, true}}, at: hour / 60, speed: 60, want: 500 * oneTau},
		"in the end":     {extents: []extent{{0, 1000, true}}, at: 1000 * hour, want: 500},
		"destroyed":      {extents: []extent{{0, 1000, true}, {hour, 1000, false}}, at: 9 * hour, want: 500 * oneTau},
		"extended":       {extents: []extent{{0, 1000, true}, {1000 * hour, 3000, true}}, at: 1001 * hour, want: 500 + 1000*oneTau},
		"just extended":  {extents: []extent{{0, 1000, true}, {1000 * hour, 3000, true}}, at: 1000 * hour, want: 500},
		"truncated":      {extents: []extent{{0, 1000, true}, {1000 * hour, 100, true}}, at: 1000 * hour, want: 100},
		"clone, fuller":  {inherited: 700, extents: []extent{{0, 1000, true}}, at: hour, want: 700},
		"clone, emptier": {inherited: 100, extents: []extent{{0, 1000, true}}, at: hour, want: 100 + 400*oneTau},
		"before":         {extents: []extent{{hour, 1000, true}}, at: 0, want: 0},
	} {
		if got := w.written(c.inherited, c.extents, c.at, c.speed); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%s: %.3f bytes are written, want %.3f", name, got, c.want)
		}
	}
	if got := w.kept(10*hour, 1); math.Abs(got-math.Exp(-1)) > 1e-9 {
		t.Errorf("after ten time constants %.3f of the data are kept, want 1/e", got)
	}
	if got := w.physical(1000); got != 250 {
		t.Errorf("1000 bytes occupy %d, want 250", got)
	}
}
