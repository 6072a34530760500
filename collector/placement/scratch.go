package placement

import "sync"

// scratch is the memory of one decision, lent by the engine so that deciding
// allocates nothing per backend.
type scratch struct {
	stopped []int32   // per backend: the filter that refused it
	alive   []int     // positions of the survivors in the snapshot
	raw     []float64 // per survivor: one weigher's weights
	total   []float64 // per survivor
	order   []keyed   // the survivors by rank
	spare   []keyed   // to sort them with
}

func newScratchPool() *sync.Pool {
	return &sync.Pool{New: func() any { return new(scratch) }}
}

func (e *Engine) borrow() *scratch {
	x, ok := e.scratch.Get().(*scratch)
	if !ok {
		return new(scratch)
	}
	return x
}

func (e *Engine) giveBack(x *scratch) { e.scratch.Put(x) }

func (x *scratch) reset(backends int) {
	if cap(x.stopped) < backends {
		x.stopped = make([]int32, backends)
		x.alive = make([]int, 0, backends)
		x.raw = make([]float64, 0, backends)
		x.total = make([]float64, 0, backends)
	}
	x.stopped, x.alive = x.stopped[:backends], x.alive[:0]
}
