package placement_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/poolcast/poolcast/collector/placement"
)

func picks(t *testing.T, how placement.Select, s *placement.Snapshot, n uint64) map[string]int {
	t.Helper()
	p := placement.Profile{Weighers: []placement.Weight{{Weigher: "FreeWeigher", Multiplier: 1}}, Select: how}
	e := engine(t, p)
	out := map[string]int{}
	for seed := range n {
		c, err := e.Choose(s, request{seed})
		if err != nil {
			t.Fatal(err)
		}
		d, err := e.DecideOn(s, request{seed})
		if err != nil || d.Chosen.Backend != c.Backend {
			t.Fatalf("seed %d: chose %s, decided %v (%v)", seed, c.Backend.ID(), d.Chosen, err)
		}
		out[c.Backend.ID()]++
	}
	return out
}

func TestBestOfTwoDistribution(t *testing.T) {
	got := picks(t, placement.BestOfTwo, snapshot(row{free: 1}, row{free: 2}, row{free: 3}, row{free: 4}), 3000)
	// Of 6 pairs, d wins 3, c 2, b 1 and a none.
	for id, share := range map[string]float64{"a": 0, "b": 1. / 6, "c": 2. / 6, "d": 3. / 6} {
		if math.Abs(float64(got[id])/3000-share) > 0.03 {
			t.Errorf("%s was chosen %d times of 3000, want a share of %.2f", id, got[id], share)
		}
	}
	if equal := picks(t, placement.BestOfTwo, snapshot(row{free: 1}, row{free: 1}), 1000); equal["a"] < 400 || equal["b"] < 400 {
		t.Errorf("equal backends are not chosen equally often: %v", equal)
	}
	if alone := picks(t, placement.BestOfTwo, snapshot(row{free: 1}), 3); alone["a"] != 3 {
		t.Errorf("the only one was not chosen: %v", alone)
	}
}

func TestLotteryDistribution(t *testing.T) {
	got := picks(t, placement.Lottery, snapshot(row{free: 10}, row{free: 30}, row{free: 60}), 3000)
	for id, share := range map[string]float64{"a": 0.1, "b": 0.3, "c": 0.6} {
		if math.Abs(float64(got[id])/3000-share) > 0.03 {
			t.Errorf("%s was chosen %d times of 3000, want a share of %.2f", id, got[id], share)
		}
	}
	if zero := picks(t, placement.Lottery, snapshot(row{free: 0}, row{free: 0}), 3); zero["a"] != 3 {
		t.Errorf("without weights the first wins: %v", zero)
	}
}

func TestRankIsStable(t *testing.T) {
	chance := rand.New(rand.NewPCG(3, 4))
	e := engine(t, placement.Profile{Weighers: []placement.Weight{{Weigher: "FreeWeigher", Multiplier: 1}}})
	for _, n := range []int{1, 2, 127, 128, 129, 1000} {
		rows := make([]row, n)
		for i := range rows {
			rows[i].free = math.Round(chance.NormFloat64()*10) / 4 // many equals, both signs
		}
		ranked, err := e.Rank(nil, snapshot(rows...), request{})
		if err != nil {
			t.Fatal(err)
		}
		sorted := slices.IsSortedFunc(ranked, func(a, b placement.Ranked) int {
			if a.Weight != b.Weight {
				return int(math.Copysign(1, b.Weight-a.Weight))
			}
			return a.Backend.Index() - b.Backend.Index()
		})
		if !sorted || len(ranked) != n {
			t.Errorf("%d backends are not in order", n)
		}
	}
}
