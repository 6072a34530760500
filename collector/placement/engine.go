package placement

import (
	"slices"
	"sync"

	"github.com/poolcast/poolcast/collector/capability"
)

// Choice is a decision without its explanation.
type Choice struct {
	Backend *Backend
	Weight  float64
	// Fit is the number of backends that passed every filter, Tied how many
	// of them have the weight of the chosen one, itself included.
	Fit, Tied int
}

// Ranked is a backend that fits, and its weight.
type Ranked struct {
	Backend *Backend
	Weight  float64
}

// Choose returns the backend that takes the request. It allocates nothing per
// backend and explains nothing. The error is [ErrNoPool] if no backend fits, or a
// [*PluginError].
func (e *Engine) Choose(s *Snapshot, r Request) (Choice, error) {
	x := e.acquire()
	defer e.release(x)
	if err := e.filterAndWeigh(x, s, r); err != nil {
		return Choice{}, err
	}
	i := e.pick(x, r)
	c := Choice{Backend: s.At(x.passed[i]), Weight: x.total[i], Fit: len(x.passed)}
	for _, w := range x.total {
		if w == c.Weight {
			c.Tied++
		}
	}
	return c, nil
}

// Rank appends all backends that fit to dst, best first, equals in the order
// of the snapshot, whatever the profile selects. Its errors are those of
// [Engine.Choose].
func (e *Engine) Rank(dst []Ranked, s *Snapshot, r Request) ([]Ranked, error) {
	x := e.acquire()
	defer e.release(x)
	if err := e.filterAndWeigh(x, s, r); err != nil {
		return dst, err
	}
	for _, k := range x.rank() {
		dst = append(dst, Ranked{Backend: s.At(x.passed[k.at]), Weight: x.total[k.at]})
	}
	return dst, nil
}

func (e *Engine) filterAndWeigh(x *scratch, s *Snapshot, r Request) error {
	p, err := e.prepare(s, r)
	if err != nil {
		return err
	}
	if _, err := e.filterAll(x, p); err != nil {
		return err
	}
	if len(x.passed) == 0 {
		return ErrNoPool
	}
	return e.weigh(x, p, nil)
}

// plan is the profile, prepared for one request.
type plan struct {
	snapshot *Snapshot
	request  Request
	filters  []Filter // a nil filter lets every backend pass
	weighers []Weigher
}

func (e *Engine) prepare(s *Snapshot, r Request) (*plan, error) {
	p := &plan{snapshot: s, request: r}
	var err error
	if p.filters, err = prepareAll(e.filters, func(f Filter) (Filter, error) {
		if prepare, ok := f.(PerRequestFilter); ok {
			return prepare(r, s)
		}
		return f, nil
	}); err != nil {
		return nil, err
	}
	p.weighers, err = prepareAll(e.weighers, func(w Weigher) (Weigher, error) {
		if prepare, ok := w.(PerRequestWeigher); ok {
			return prepare(r, s)
		}
		return w, nil
	})
	return p, err
}

func prepareAll[P any](plugins []named[P], prepare func(P) (P, error)) ([]P, error) {
	out := make([]P, len(plugins))
	for i := range plugins {
		var err error
		if out[i], err = prepare(plugins[i].plugin); err != nil {
			return nil, &PluginError{Plugin: plugins[i].name, Err: err}
		}
	}
	return out, nil
}

// filterAll fills x.passed with the backends that pass, and returns the conditions
// that had to be removed for any to pass.
func (e *Engine) filterAll(x *scratch, p *plan) ([]Condition, error) {
	if err := e.filter(x, p); err != nil || len(x.passed) > 0 || e.policy != Prefer {
		return nil, err
	}
	relaxed, conditions := e.relax(p)
	if len(conditions) == 0 {
		return nil, nil
	}
	strict := p.filters
	p.filters = relaxed
	if err := e.filter(x, p); err != nil || len(x.passed) > 0 {
		return conditions, err
	}
	p.filters = strict
	return nil, e.filter(x, p)
}

func (e *Engine) filter(x *scratch, p *plan) error {
	x.reset(p.snapshot.Len())
	for i := range p.snapshot.backends {
		b := &p.snapshot.backends[i]
		k, err := p.refusing(b)
		if err != nil {
			return &PluginError{Plugin: e.filters[k].name, Backend: b.id, Err: err}
		}
		x.rejectedBy[i] = int32(k)
		if k == len(p.filters) {
			x.passed = append(x.passed, i)
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
		rest, removed := relaxer.Relax()
		if len(removed) == 0 {
			continue
		}
		filters[k] = rest
		for _, text := range removed {
			conditions = append(conditions, Condition{Filter: e.filters[k].name, Text: text})
		}
	}
	return filters, conditions
}

// weigh adds up the weights of the backends that passed in x.total. If scores is
// not nil, it is called with each weigher's raw weights and their normaliser.
func (e *Engine) weigh(x *scratch, p *plan, scores func(weigher int, raw []float64, n normaliser)) error {
	x.total = append(x.total[:0], make([]float64, len(x.passed))...)
	for k, w := range p.weighers {
		raw, err := e.raw(x, p, k)
		if err != nil {
			return err
		}
		n := rangeOf(w, raw)
		if e.selects == Lottery {
			n = identity
		}
		if err := n.checkFinite(raw); err != nil {
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
	x.raw = append(x.raw[:0], make([]float64, len(x.passed))...)
	w := p.weighers[k]
	if w == nil {
		return x.raw, nil
	}
	for i, at := range x.passed {
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

// Decide reads the reports and returns the explained decision. If no backend fits
// there is a decision too, and the error is a [*NoPoolError] with the reasons in
// one line. With a [*PluginError] there is none. The reports must not be changed
// while the decision is used.
func (e *Engine) Decide(reports []capability.Report, r Request) (*Decision, error) {
	return e.DecideOn(e.snapshot(reports), r)
}

// DecideOn is [Engine.Decide] on reports that were read before.
func (e *Engine) DecideOn(s *Snapshot, r Request) (*Decision, error) {
	x := e.acquire()
	defer e.release(x)
	p, err := e.prepare(s, r)
	if err != nil {
		return nil, err
	}
	d := &Decision{LeftOut: e.leftOut, policy: e.policy, plan: p, names: e.filters}
	if d.Relaxed, err = e.filterAll(x, p); err != nil {
		return nil, err
	}
	d.Fit = len(x.passed)
	d.Verdicts = make([]Verdict, 0, s.Len())
	if err := e.addRanked(d, x, p); err != nil {
		return nil, err
	}
	e.addRefused(d, x, p)
	if d.Fit == 0 {
		return d, &NoPoolError{Decision: d}
	}
	return d, nil
}

func (e *Engine) addRanked(d *Decision, x *scratch, p *plan) error {
	if d.Fit == 0 {
		return nil
	}
	per := len(e.weighers)
	scores := make([]Score, d.Fit*per)
	err := e.weigh(x, p, func(k int, raw []float64, n normaliser) {
		w := &e.weighers[k]
		for i, weight := range raw {
			s := &scores[i*per+k]
			s.Weigher, s.Multiplier, s.Raw, s.Normalised = w.name, w.multiplier, weight, n.of(weight)
			s.Weighted = s.Multiplier*s.Normalised + 0 // no -0
		}
	})
	if err != nil {
		return err
	}
	chances, chosen := e.addChances(d, x, p, scores), uint32(e.pick(x, p.request))
	d.Verdicts = d.Verdicts[:d.Fit]
	for i, k := range x.rank() {
		v, at := &d.Verdicts[i], int(k.at)
		v.Backend, v.Rank, v.Total, v.decision = p.snapshot.At(x.passed[at]), i+1, x.total[at], d
		v.Scores = scores[at*per : (at+1)*per : (at+1)*per]
		if chances != nil {
			v.Chance = &chances[at]
		}
		if k.at == chosen {
			d.Chosen = v
		}
	}
	markTies(d.Verdicts)
	return nil
}

// markTies needs verdicts ordered by total.
func markTies(ranked []Verdict) {
	for i := 1; i < len(ranked); i++ {
		if ranked[i].Total == ranked[i-1].Total {
			ranked[i].Tied, ranked[i-1].Tied = true, true
		}
	}
}

func (e *Engine) addRefused(d *Decision, x *scratch, p *plan) {
	for i, k := range x.rejectedBy {
		if int(k) < len(e.filters) {
			d.Verdicts = append(d.Verdicts, Verdict{
				Backend: p.snapshot.At(i), RefusedBy: e.filters[k].name, filter: k, decision: d,
				later: p.laterRefusals(p.snapshot.At(i), int(k)),
			})
		}
	}
}

// scratch is the memory of one decision, which the engine reuses so that deciding
// allocates nothing per backend.
type scratch struct {
	rejectedBy []int32   // by backend: the filter that refused it, or their number
	passed     []int     // positions in the snapshot of the backends that passed
	raw        []float64 // by backend that passed: the weights of one weigher
	total      []float64 // by backend that passed
	order      []ranked  // the backends that passed, by rank
	buffer     []ranked  // for sorting them
}

func newScratchPool() *sync.Pool {
	return &sync.Pool{New: func() any { return new(scratch) }}
}

func (e *Engine) acquire() *scratch {
	x, ok := e.scratch.Get().(*scratch)
	if !ok {
		return new(scratch)
	}
	return x
}

func (e *Engine) release(x *scratch) { e.scratch.Put(x) }

func (x *scratch) reset(backends int) {
	if cap(x.rejectedBy) < backends {
		x.rejectedBy = make([]int32, backends)
		x.passed = make([]int, 0, backends)
		x.raw = make([]float64, 0, backends)
		x.total = make([]float64, 0, backends)
	}
	x.rejectedBy, x.passed = x.rejectedBy[:backends], x.passed[:0]
}
