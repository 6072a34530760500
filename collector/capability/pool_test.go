package capability

import (
	"math"
	"testing"
)

func poolOf(sets ...Set) LogicalPool {
	p := LogicalPool{Name: "gold", Zone: "dc1"}
	for _, s := range sets {
		p.Reports = append(p.Reports, Report{Pool: "gold", Zone: "dc1", Capabilities: s})
	}
	return p
}

func TestGroupPoolsSplitsByZone(t *testing.T) {
	pools := GroupPools([]Report{
		{Backend: "c", Pool: "silver", Zone: "dc1"},
		{Backend: "a", Pool: "gold", Zone: "dc2"},
		{Backend: "b", Pool: "gold", Zone: "dc1"},
		{Backend: "d", Pool: "gold", Zone: "dc1"},
	})
	got := ""
	for _, p := range pools {
		got += p.Name + "/" + p.Zone + ":"
		for _, r := range p.Reports {
			got += r.Backend
		}
		got += " "
	}
	if want := "gold/dc1:bd gold/dc2:a silver/dc1:c "; got != want {
		t.Errorf("grouped as %q, want %q", got, want)
	}
}

func TestEvenness(t *testing.T) {
	load := func(n int64) Set { return Set{KeyReadsPerSec: OfInt(n), KeyWritesPerSec: OfInt(0)} }
	for _, c := range []struct {
		pool LogicalPool
		want float64
	}{
		{poolOf(load(5), load(5), load(5)), 1},
		{poolOf(load(9), load(0), load(0)), 1.0 / 3},
		{poolOf(load(0), load(0)), 1},
	} {
		if got := c.pool.LoadEvenness(); got == nil || math.Abs(*got-c.want) > 1e-12 {
			t.Errorf("evenness %v, want %g", got, c.want)
		}
	}
	if poolOf(load(5), Set{}).LoadEvenness() != nil {
		t.Error("one array has an evenness")
	}
}

func TestPoolWithMissingNumbers(t *testing.T) {
	p := poolOf(Set{KeyDataReduction: OfFloat(2), KeyTotalVolumes: OfInt(4)}, Set{KeyDataReduction: OfFloat(5)})
	if mean := p.Mean(KeyTotalVolumes); mean == nil || *mean != 4 {
		t.Errorf("mean %v, want 4: the second array does not report it", mean)
	}
	if d := p.ReductionDivergence(); d == nil || *d != 1.5 {
		t.Errorf("divergence %v, want 1.5", d)
	}
	if sum, arrays := p.Sum(KeyFreeCapacity); sum != nil || arrays != 0 {
		t.Errorf("a sum of nothing is %v", sum)
	}
}

func TestCapacityEvenness(t *testing.T) {
	capacity := func(total, free float64) Set {
		return Set{KeyTotalCapacity: OfFloat(total), KeyFreeCapacity: OfFloat(free)}
	}
	p := poolOf(capacity(100, 50), capacity(10, 10), capacity(0, 0), Set{KeyTotalCapacity: OfFloat(5)})
	if got := p.CapacityEvenness(); got == nil || *got != 0.5 {
		t.Errorf("evenness %v, want 0.5: one of two arrays has all the used capacity", got)
	}
	for _, c := range []struct {
		set  Set
		want float64
		ok   bool
	}{
		{capacity(100, 25), 0.75, true},
		{capacity(100, 200), 0, true},
		{capacity(100, -10), 1, true},
		{capacity(0, 0), 0, false},
		{capacity(math.Inf(1), 1), 0, false},
		{Set{}, 0, false},
	} {
		if got, ok := c.set.UsedShare(); got != c.want || ok != c.ok {
			t.Errorf("%v: used share %g %t, want %g %t", c.set, got, ok, c.want, c.ok)
		}
	}
}
