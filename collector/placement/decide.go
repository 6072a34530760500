package placement

// Decide returns the explained decision. If no backend fits there is a
// decision too, and the error is a [*NoPoolError] with the reasons in a line;
// a [*PluginError] comes without a decision.
func (e *Engine) Decide(s *Snapshot, r Request) (*Decision, error) {
	x := e.borrow()
	defer e.giveBack(x)
	p, err := e.prepare(s, r)
	if err != nil {
		return nil, err
	}
	d := &Decision{filters: names(e.filters), plan: p}
	if d.SetAside, err = e.survive(x, p); err != nil {
		return nil, err
	}
	d.Fit = len(x.alive)
	d.Verdicts = make([]Verdict, 0, s.Len())
	if err := e.judgeSurvivors(d, x, p); err != nil {
		return nil, err
	}
	e.addRefused(d, x, p)
	if d.Fit == 0 {
		return d, &NoPoolError{Decision: d}
	}
	return d, nil
}

func (e *Engine) judgeSurvivors(d *Decision, x *scratch, p *plan) error {
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
	chosen := uint32(e.pick(x, p.request))
	d.Verdicts = d.Verdicts[:d.Fit]
	for i, k := range x.rank() {
		v, at := &d.Verdicts[i], int(k.at)
		v.Backend, v.Rank, v.Total, v.decision = p.snapshot.At(x.alive[at]), i+1, x.total[at], d
		v.Scores = scores[at*per : (at+1)*per : (at+1)*per]
		if k.at == chosen {
			d.Chosen = v
		}
	}
	markTies(d.Verdicts)
	return nil
}

// markTies wants verdicts ordered by total.
func markTies(ranked []Verdict) {
	for i := 1; i < len(ranked); i++ {
		if ranked[i].Total == ranked[i-1].Total {
			ranked[i].Tied, ranked[i-1].Tied = true, true
		}
	}
}

func (e *Engine) addRefused(d *Decision, x *scratch, p *plan) {
	for i, k := range x.stopped {
		if int(k) < len(e.filters) {
			d.Verdicts = append(d.Verdicts, Verdict{
				Backend: p.snapshot.At(i), RefusedBy: e.filters[k].name, stopped: k, decision: d,
			})
		}
	}
}

func names[P any](plugins []named[P]) []string {
	out := make([]string, len(plugins))
	for i := range plugins {
		out[i] = plugins[i].name
	}
	return out
}
