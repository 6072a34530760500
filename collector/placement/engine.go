package placement

import "slices"

// Choice is the answer in a word.
type Choice struct {
	Backend *Backend
	Weight  float64
	// Fit is the number of backends that passed every filter, Tied how many
	// of them weigh as much as the chosen one, itself included.
	Fit, Tied int
}

// Ranked is a backend that fits, and its weight.
type Ranked struct {
	Backend *Backend
	Weight  float64
}

// Choose returns the backend that the request should go to. It is the fast
// way: it allocates nothing per backend and explains nothing. The error is
// [ErrNoPool] if no backend fits, or a [*PluginError].
func (e *Engine) Choose(s *Snapshot, r Request) (Choice, error) {
	x := e.borrow()
	defer e.giveBack(x)
	if err := e.weighSurvivors(x, s, r); err != nil {
		return Choice{}, err
	}
	i := e.pick(x, r)
	c := Choice{Backend: s.At(x.alive[i]), Weight: x.total[i], Fit: len(x.alive)}
	for _, w := range x.total {
		if w == c.Weight {
			c.Tied++
		}
	}
	return c, nil
}

// Rank appends all backends that fit to dst, best first, equals in the order
// of the snapshot, whatever the profile says about selecting. Its errors are
// those of [Engine.Choose].
func (e *Engine) Rank(dst []Ranked, s *Snapshot, r Request) ([]Ranked, error) {
	x := e.borrow()
	defer e.giveBack(x)
	if err := e.weighSurvivors(x, s, r); err != nil {
		return dst, err
	}
	for _, k := range x.rank() {
		dst = append(dst, Ranked{Backend: s.At(x.alive[k.at]), Weight: x.total[k.at]})
	}
	return dst, nil
}

func (e *Engine) weighSurvivors(x *scratch, s *Snapshot, r Request) error {
	p, err := e.prepare(s, r)
	if err != nil {
		return err
	}
	if _, err := e.survive(x, p); err != nil {
		return err
	}
	if len(x.alive) == 0 {
		return ErrNoPool
	}
	return e.weigh(x, p, nil)
}

// plan is the profile made ready for one request.
type plan struct {
	snapshot *Snapshot
	request  Request
	filters  []Filter // nil entries let everything pass
	weighers []Weigher
}

func (e *Engine) prepare(s *Snapshot, r Request) (*plan, error) {
	p := &plan{snapshot: s, request: r}
	var err error
	if p.filters, err = prepareAll(e.filters, s, r); err != nil {
		return nil, err
	}
	p.weighers, err = prepareAll(e.weighers, s, r)
	return p, err
}

func prepareAll[P any](plugins []named[P], s *Snapshot, r Request) ([]P, error) {
	out := make([]P, len(plugins))
	for i := range plugins {
		out[i] = plugins[i].plugin
		preparer, ok := any(out[i]).(Preparer[P])
		if !ok {
			continue
		}
		var err error
		if out[i], err = preparer.Prepare(r, s); err != nil {
			return nil, &PluginError{Plugin: plugins[i].name, Err: err}
		}
	}
	return out, nil
}

// survive fills x.alive with the backends that pass, and returns the
// conditions it had to set aside for any to pass.
func (e *Engine) survive(x *scratch, p *plan) ([]Condition, error) {
	if err := e.filter(x, p); err != nil || len(x.alive) > 0 || e.policy != Prefer {
		return nil, err
	}
	relaxed, conditions := e.relax(p)
	if len(conditions) == 0 {
		return nil, nil
	}
	strict := p.filters
	p.filters = relaxed
	if err := e.filter(x, p); err != nil || len(x.alive) > 0 {
		return conditions, err
	}
	p.filters = strict
	return nil, e.filter(x, p)
}

func (e *Engine) filter(x *scratch, p *plan) error {
	x.reset(p.snapshot.Len())
	for i := range p.snapshot.backends {
		b := &p.snapshot.backends[i]
		stopped, err := p.refusing(b)
		if err != nil {
			return &PluginError{Plugin: e.filters[stopped].name, Backend: b.id, Err: err}
		}
		x.stopped[i] = int32(stopped)
		if stopped == len(p.filters) {
			x.alive = append(x.alive, i)
		}
	}
	return nil
}

// refusing returns the index of the first filter that refuses b, or the number
// of filters if none does.
func (p *plan) refusing(b *Backend) (int, error) {
	for k, f := range p.filters {
		if f == nil {
			continue
		}
		if pass, err := f.Filter(p.request, b); !pass || err != nil {
			return k, err
		}
	}
	return len(p.filters), nil
}

func (e *Engine) relax(p *plan) ([]Filter, []Condition) {
	filters := slices.Clone(p.filters)
	var conditions []Condition
	for k, f := range filters {
		relaxer, ok := f.(Relaxer)
		if !ok {
			continue
		}
		rest, words := relaxer.Relax()
		if len(words) == 0 {
			continue
		}
		filters[k] = rest
		for _, w := range words {
			conditions = append(conditions, Condition{Filter: e.filters[k].name, Text: w})
		}
	}
	return filters, conditions
}

// weigh adds up the survivors' weights in x.total. If scores is not nil it is
// called with each weigher's raw and normalised weights.
func (e *Engine) weigh(x *scratch, p *plan, scores func(weigher int, raw []float64, n normaliser)) error {
	x.total = append(x.total[:0], make([]float64, len(x.alive))...)
	for k, w := range p.weighers {
		raw, err := e.raw(x, p, k)
		if err != nil {
			return err
		}
		n := rangeOf(w, raw)
		if e.selects == Lottery {
			n = identity
		}
		if err := n.bears(raw); err != nil {
			return &PluginError{Plugin: e.weighers[k].name, Err: err}
		}
		for i, weight := range raw {
			x.total[i] += float64(e.weighers[k].multiplier * n.of(weight)) // no fused multiply-add: Python has none
		}
		if scores != nil {
			scores(k, raw, n)
		}
	}
	return nil
}

func (e *Engine) raw(x *scratch, p *plan, k int) ([]float64, error) {
	x.raw = append(x.raw[:0], make([]float64, len(x.alive))...)
	w := p.weighers[k]
	if w == nil {
		return x.raw, nil
	}
	for i, at := range x.alive {
		b := p.snapshot.At(at)
		var err error
		if x.raw[i], err = w.Weigh(p.request, b); err != nil {
			return nil, &PluginError{Plugin: e.weighers[k].name, Backend: b.id, Err: err}
		}
	}
	if a, ok := w.(Adjuster); ok {
		if err := a.Adjust(x.raw); err != nil {
			return nil, &PluginError{Plugin: e.weighers[k].name, Err: err}
		}
	}
	return x.raw, nil
}
