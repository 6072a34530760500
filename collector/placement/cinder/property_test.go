package cinder_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/placementtest"
)

// clouds is the number of random clouds that each property is tested with.
const clouds = 400

// cloud draws backends of which some are refused and some are equal.
func cloud(random *rand.Rand) []capability.Report {
	reports := make([]capability.Report, 2+random.IntN(9))
	for i := range reports {
		total := float64(random.IntN(4)+1) * 1000
		set := capability.Set{
			capability.KeyVolumeBackendName:   capability.OfString("gold"),
			capability.KeyTotalCapacity:       capability.OfFloat(total),
			capability.KeyFreeCapacity:        capability.OfFloat(total * random.Float64()),
			capability.KeyProvisionedCapacity: capability.OfFloat(float64(random.IntN(8)) * 500),
			capability.KeyAllocatedCapacity:   capability.OfInt(random.Int64N(5) * 100),
			capability.KeyReservedPercentage:  capability.OfInt(random.Int64N(3) * 5),
			capability.KeyThinProvisioning:    capability.OfBool(random.IntN(4) > 0),
			capability.KeyMaxOverSubscription: capability.OfFloat(float64(random.IntN(4) + 1)),
			capability.KeyTotalVolumes:        capability.OfInt(random.Int64N(4) * 300),
			capability.KeyUsecPerWrite:        capability.OfInt(random.Int64N(400)),
		}
		if random.IntN(8) == 0 {
			set[capability.KeyFreeCapacity] = capability.OfString("unknown")
		}
		if random.IntN(2) == 0 {
			set[capability.KeyGoodnessFunction] = capability.OfString(reportGoodness)
			set[capability.KeyFilterFunction] = capability.OfString("volume.size < 80 or capabilities.total_volumes < 500")
		}
		reports[i] = capability.Report{Host: fmt.Sprintf("h@b%d", i), Zone: fmt.Sprintf("dc%d", random.IntN(2)), Capabilities: set}
	}
	return reports
}

func randomRequest(random *rand.Rand) *cinder.Request {
	r := &cinder.Request{Size: random.Int64N(5) * 50, RandomSeed: random.Uint64()}
	if random.IntN(2) == 0 {
		r.Zone = "dc1"
	}
	if random.IntN(2) == 0 {
		r.Type = &cinder.VolumeType{ExtraSpecs: cinder.ExtraSpecs{cinder.Spec("total_volumes", "<= 600")}}
	}
	return r
}

func anyEngine(t *testing.T, random *rand.Rand) *placement.Engine {
	t.Helper()
	weighers := [][]string{nil, {cinder.GoodnessWeigher}, {cinder.CapacityWeigher, cinder.AllocatedCapacityWeigher, cinder.VolumeNumberWeigher}, {cinder.ChanceWeigher}}
	e, err := cinder.NewEngine(cinder.Options{
		Filters: []string{
			cinder.AvailabilityZoneFilter, cinder.CapacityFilter, cinder.CapabilitiesFilter, cinder.DriverFilter,
		},
		Weighers: weighers[random.IntN(len(weighers))],
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// ranking is the IDs and weights of the backends that fit, best first.
func ranking(t *testing.T, e *placement.Engine, reports []capability.Report, r *cinder.Request) []string {
	t.Helper()
	ranked, err := e.Rank(nil, cinder.NewSnapshot(reports), r)
	if err != nil && !errors.Is(err, placement.ErrNoPool) {
		t.Fatal(err)
	}
	out := make([]string, len(ranked))
	for i, k := range ranked {
		out[i] = fmt.Sprintf("%s %v", k.Backend.ID(), k.Weight)
	}
	return out
}

func TestFitIsIndependentOfOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 1))
	for range clouds {
		e, reports, r := anyEngine(t, random), cloud(random), randomRequest(random)
		want := slices.Sorted(slices.Values(ranking(t, e, reports, r)))
		random.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		if got := slices.Sorted(slices.Values(ranking(t, e, reports, r))); !slices.Equal(got, want) {
			t.Fatalf("in another order %v fit instead of %v", got, want)
		}
	}
}

func TestRankingIsIndependentOfRefusedBackends(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 2))
	removed := 0
	for range clouds {
		e, reports, r := anyEngine(t, random), cloud(random), randomRequest(random)
		d, err := e.Decide(reports, r)
		if d == nil {
			t.Fatal(err)
		}
		want := ranking(t, e, reports, r)
		for _, v := range d.Verdicts[d.Fit:] {
			rest := slices.Delete(slices.Clone(reports), v.Backend.Index(), v.Backend.Index()+1)
			if got := ranking(t, e, rest, r); !slices.Equal(got, want) {
				t.Fatalf("without %s, which %s refused, the ranking is %v instead of %v", v.Backend.ID(), v.RefusedBy, got, want)
			}
			removed++
		}
	}
	if removed < clouds {
		t.Errorf("only %d backends were refused, which is too few to test with", removed)
	}
}

func TestMoreCapacityDoesNotLowerRank(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 3))
	e, err := cinder.NewEngine(cinder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rank := func(reports []capability.Report, r *cinder.Request, i int) int {
		d, _ := e.Decide(reports, r)
		if v := d.Of(reports[i].Host + "#gold"); v.Fits() {
			return v.Rank
		}
		return len(reports) + 1
	}
	for range clouds {
		reports, r := cloud(random), randomRequest(random)
		i := random.IntN(len(reports))
		before := rank(reports, r, i)
		set := reports[i].Capabilities.Clone()
		for _, key := range []string{capability.KeyTotalCapacity, capability.KeyFreeCapacity} {
			if f, ok := set[key].Float(); ok {
				set[key] = capability.OfFloat(f + 777)
			}
		}
		reports[i].Capabilities = set
		if after := rank(reports, r, i); after > before {
			t.Fatalf("777 GiB more moved %s from rank %d to %d", reports[i].Host, before, after)
		}
	}
}

func TestChooseDoesNotAllocatePerBackend(t *testing.T) {
	for _, p := range profiles {
		e, err := cinder.NewEngine(cinder.Options{Weighers: p.weighers})
		if err != nil {
			t.Fatal(err)
		}
		allocations := func(n int) float64 {
			s, r := cinder.NewSnapshot(placementtest.Fleet(n, p.goodness)), fourSpecs()
			return testing.AllocsPerRun(20, func() {
				if _, err := e.Choose(s, r); err != nil {
					t.Fatal(err)
				}
			})
		}
		if few, many := allocations(10), allocations(2000); many > few+10 {
			t.Errorf("%s: %v allocations for 10 backends, %v for 2000", p.name, few, many)
		}
	}
}

func TestEngineIsSafeForManyGoroutines(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 4))
	e, reports, r := anyEngine(t, random), placementtest.Fleet(300, requestGoodness), randomRequest(random)
	r.Zone, r.Size = "dc1", 10
	s := cinder.NewSnapshot(reports) // nothing of it is computed yet
	var want atomic.Pointer[placement.Backend]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c, err := e.Choose(s, r)
			d, errDecide := e.DecideOn(s, r)
			if err != nil || errDecide != nil || d.Chosen.Backend != c.Backend {
				t.Errorf("chose %v, decided %v: %v, %v", c.Backend, d, err, errDecide)
				return
			}
			if !want.CompareAndSwap(nil, c.Backend) && want.Load() != c.Backend {
				t.Errorf("one goroutine chose %s, another %s", want.Load().ID(), c.Backend.ID())
			}
		})
	}
	wg.Wait()
}
