package placement_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/placement"
)

// drawing weighs by a draw, the same each time for a seed and backend.
type drawing struct{ random bool }

func (d drawing) Random() bool { return d.random }

func (d drawing) Weigh(r placement.Request, b *placement.Backend) (float64, error) {
	return rand.New(rand.NewPCG(r.Seed(), uint64(b.ID()[0]))).Float64(), nil
}

// TestChancesAreShares compares the chances with how often each backend is chosen.
func TestChancesAreShares(t *testing.T) {
	const draws = 4000
	free := placement.Weight{Weigher: "FreeWeigher", Multiplier: 1}
	draw := placement.Weight{Weigher: "Draw", Multiplier: 1}
	for name, c := range map[string]struct {
		how      placement.Select
		weighers []placement.Weight
		free     []float64
		want     []float64 // nil if not known
	}{
		"lottery":                     {placement.Lottery, []placement.Weight{free}, []float64{10, 30, 60}, []float64{0.1, 0.3, 0.6}},
		"lottery of negative weights": {placement.Lottery, []placement.Weight{free}, []float64{-10, -30, -60}, []float64{1, 0, 0}},
		"lottery of mixed weights":    {placement.Lottery, []placement.Weight{free}, []float64{-10, 30, -5, 25}, []float64{0, 0.5, 0, 0.5}},
		"lottery of a negative sum":   {placement.Lottery, []placement.Weight{free}, []float64{-30, 10, -80}, []float64{0.9, 0.1, 0}},
		"lottery without weights":     {placement.Lottery, []placement.Weight{free}, []float64{0, 0}, []float64{1, 0}},
		"lottery of a sum of 0":       {placement.Lottery, []placement.Weight{free}, []float64{-1, 3, -2}, []float64{0, 1, 0}},
		"lottery of large weights":    {placement.Lottery, []placement.Weight{free}, []float64{1e308, 1e308, 1e308}, nil},
		"two":                         {placement.BestOfTwo, []placement.Weight{free}, []float64{1, 2, 3, 4}, []float64{0, 1. / 6, 2. / 6, 3. / 6}},
		"two with equals":             {placement.BestOfTwo, []placement.Weight{free}, []float64{5, 1, 5, 5}, []float64{1. / 3, 0, 1. / 3, 1. / 3}},
		"drawn weights":               {placement.Best, []placement.Weight{draw}, []float64{1, 2, 3}, []float64{1. / 3, 1. / 3, 1. / 3}},
		"drawn and equal weights":     {placement.Best, []placement.Weight{free, draw}, []float64{2, 2}, []float64{0.5, 0.5}},
		"drawn and other weights":     {placement.Best, []placement.Weight{free, draw}, []float64{1, 2, 3}, nil},
		"lottery of drawn weights":    {placement.Lottery, []placement.Weight{free, draw}, []float64{1, 1, 1}, []float64{1. / 3, 1. / 3, 1. / 3}},
		"lottery of negative draws":   {placement.Lottery, []placement.Weight{{Weigher: "Draw", Multiplier: -1}}, []float64{1, 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := placement.New(placement.Profile{Weighers: c.weighers, Select: c.how},
				placement.WithWeigher("FreeWeigher", number("free")), placement.WithWeigher("Draw", drawing{true}))
			if err != nil {
				t.Fatal(err)
			}
			rows := make([]row, len(c.free))
			for i, f := range c.free {
				rows[i].free = f
			}
			s, counts := snapshot(rows...), map[string]float64{}
			var d *placement.Decision
			for seed := range uint64(draws) {
				if d, err = e.DecideOn(s, request{seed}); err != nil {
					t.Fatal(err)
				}
				counts[d.Chosen.Backend.ID()] += 1. / draws
			}
			if !d.Drawn || !strings.HasPrefix(d.Summary(), "drawn: "+d.Chosen.Backend.Name()) {
				t.Errorf("it is not said to be drawn: %s", d.Summary())
			}
			for i := range d.Verdicts {
				v := &d.Verdicts[i]
				if (v.Chance == nil) != (c.want == nil) {
					t.Fatalf("%s has the chance %v", v.Backend.ID(), v.Chance)
				}
				if v.Chance != nil && (math.Abs(*v.Chance-c.want[v.Backend.Index()]) > 1e-12 || math.Abs(*v.Chance-counts[v.Backend.ID()]) > 0.03) {
					t.Errorf("%s has the chance %v, want %v, and was chosen in a share of %v", v.Backend.ID(), *v.Chance, c.want[v.Backend.Index()], counts[v.Backend.ID()])
				}
			}
		})
	}
}

func TestNothingIsDrawn(t *testing.T) {
	for name, c := range map[string]struct {
		how    placement.Select
		weight placement.Weight
		rows   []row
	}{
		"by weight":                    {placement.Best, placement.Weight{Weigher: "FreeWeigher", Multiplier: 1}, []row{{free: 1}, {free: 1}}},
		"for one backend":              {placement.Lottery, placement.Weight{Weigher: "FreeWeigher", Multiplier: 1}, []row{{free: 1}}},
		"with a multiplier of 0":       {placement.Best, placement.Weight{Weigher: "Draw"}, []row{{free: 1}, {free: 2}}},
		"by a weigher that might draw": {placement.Best, placement.Weight{Weigher: "Fixed", Multiplier: 1}, []row{{free: 1}, {free: 2}}},
	} {
		e, err := placement.New(placement.Profile{Weighers: []placement.Weight{c.weight}, Select: c.how},
			placement.WithWeigher("FreeWeigher", number("free")), placement.WithWeigher("Draw", drawing{true}), placement.WithWeigher("Fixed", drawing{false}))
		if err != nil {
			t.Fatal(err)
		}
		d, err := e.DecideOn(snapshot(c.rows...), request{})
		if err != nil || d.Drawn || d.Chosen.Chance != nil || strings.Contains(d.Summary(), "drawn") {
			t.Errorf("%s: %s (%v)", name, d.Summary(), err)
		}
	}
}

func TestDrawnDecisionAsJSON(t *testing.T) {
	e := engine(t, placement.Profile{Weighers: []placement.Weight{{Weigher: "FreeWeigher", Multiplier: 1}}, Select: placement.Lottery})
	d, err := e.DecideOn(snapshot(row{free: 1}, row{free: 3}), request{})
	if err != nil {
		t.Fatal(err)
	}
	written, err := json.Marshal(d)
	for _, want := range []string{`"drawn":true,"reason":"drawn: `, `"chance":0.75`, `"chance":0.25`} {
		if err != nil || !strings.Contains(string(written), want) {
			t.Errorf("%s is not in %s (%v)", want, written, err)
		}
	}
	if lines := d.Verdicts[0].Lines(); lines[0] != "chance 75 %" || !strings.Contains(d.Summary(), "; 2 backends fit") {
		t.Errorf("%q: %s", lines, d.Summary())
	}
}
