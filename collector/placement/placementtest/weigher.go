package placementtest

import (
	"math"

	"github.com/poolcast/poolcast/collector/placement"
)

// Weigher tests a weigher against the contract.
func Weigher(t T, w placement.Weigher, c Cloud) {
	t.Helper()
	run(t, c, sameWeight, func(t T, r placement.Request, s *placement.Snapshot) map[string]weight { return weights(t, w, r, s) })
}

// weight is the result of a weigher for one backend.
type weight struct {
	raw      float64
	adjusted float64
	reason   string
	err      string
}

func weights(t T, w placement.Weigher, r placement.Request, s *placement.Snapshot) map[string]weight {
	t.Helper()
	prepared, err := prepareWeigher(w, r, s)
	if err != nil || prepared == nil {
		return map[string]weight{"": {err: message(err)}}
	}
	checkBounds(t, prepared)
	all := make([]weight, s.Len())
	for i := range all {
		all[i] = weigh(prepared, r, s.At(i))
		if raw, err := w.Weigh(r, s.At(i)); message(err) != all[i].err || err == nil && !same(raw, all[i].raw) {
			t.Errorf("%s weighs %v prepared, %v unprepared (%v)", s.At(i).ID(), all[i].raw, raw, err)
		}
	}
	adjust(t, prepared, all)
	out := map[string]weight{}
	for i := range all {
		out[s.At(i).ID()] = all[i]
	}
	return out
}

func weigh(w placement.Weigher, r placement.Request, b *placement.Backend) weight {
	raw, err := w.Weigh(r, b)
	out := weight{raw: raw, err: message(err)}
	if e, ok := w.(placement.Explainer); ok {
		out.reason = e.Explain(r, b)
	}
	return out
}

// adjust changes the weights as the engine does, and checks that they can be added
// up afterwards.
func adjust(t T, w placement.Weigher, all []weight) {
	t.Helper()
	raw := make([]float64, 0, len(all))
	for i := range all {
		if all[i].err != "" {
			return // the engine ends the decision
		}
		raw = append(raw, all[i].raw)
	}
	if a, ok := w.(placement.Adjuster); ok {
		if a.Adjust(raw) != nil {
			return
		}
	}
	for i := range all {
		all[i].adjusted = raw[i]
		if math.IsNaN(raw[i]) || math.IsInf(raw[i], 0) {
			t.Errorf("a weight is %v, which cannot be added to others", raw[i])
		}
	}
}

func checkBounds(t T, w placement.Weigher) {
	t.Helper()
	if b, ok := w.(placement.Bounds); ok {
		if lo, hi := b.Bounds(); lo > hi {
			t.Errorf("its bounds are %v to %v", lo, hi)
		}
	}
}

func sameWeight(a, b weight) bool {
	return a.err == b.err && a.reason == b.reason && same(a.raw, b.raw) && same(a.adjusted, b.adjusted)
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
