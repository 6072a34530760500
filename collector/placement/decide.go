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
	scores := make([]Score, d.Fit*len(e.weighers))
	err := e.weigh(x, p, func(k int, raw []float64, n normaliser) {
		for i, weight := range raw {
			scores[i*len(e.weighers)+k] = e.score(k, weight, n.of(weight))
		}
	})
	if err != nil {
		return err
	}
	chosen := uint32(e.pick(x, p.request))
	for rank, at := range x.rank() {
		i := int(at.at)
		d.Verdicts = append(d.Verdicts, Verdict{
			Backend:  p.snapshot.At(x.alive[i]),
			Rank:     rank + 1,
			Total:    x.total[i],
			Scores:   scores[i*len(e.weighers) : (i+1)*len(e.weighers) : (i+1)*len(e.weighers)],
			decision: d,
		})
		if at.at == chosen {
			d.Chosen = &d.Verdicts[rank]
		}
	}
	markTies(d.Verdicts)
	return nil
}

func (e *Engine) score(k int, raw, normalised float64) Score {
	w := &e.weighers[k]
	return Score{Weigher: w.name, Multiplier: w.multiplier, Raw: raw, Normalised: normalised, Weighted: w.multiplier*normalised + 0} // no -0
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
