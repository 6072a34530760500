package placement

import "math/rand/v2"

// pick returns the position in x.alive of the survivor to choose. There is at
// least one.
func (e *Engine) pick(x *scratch, r Request) int {
	switch e.selects {
	case BestOfTwo:
		return pickOfTwo(x.total, draw(r))
	case Lottery:
		return pickLottery(x.total, draw(r))
	}
	best := 0
	for i, w := range x.total {
		if w > x.total[best] {
			best = i
		}
	}
	return best
}

// draw is a source of chance that depends on the request's seed alone. The
// second word keeps it apart from plug-ins that draw from the same seed.
func draw(r Request) *rand.Rand { return rand.New(rand.NewPCG(r.Seed(), 0x73656c656374)) }

func pickOfTwo(total []float64, chance *rand.Rand) int {
	n := len(total)
	if n == 1 {
		return 0
	}
	a, b := chance.IntN(n), chance.IntN(n-1)
	if b >= a {
		b++
	}
	if total[b] > total[a] {
		return b
	}
	return a // of equals the first drawn, so that they share the load
}

func pickLottery(total []float64, chance *rand.Rand) int {
	var sum float64
	for _, w := range total {
		sum += w
	}
	win, upTo := chance.Float64()*sum, 0.0
	for i, w := range total {
		if upTo += w; upTo > win {
			return i
		}
	}
	return 0
}
