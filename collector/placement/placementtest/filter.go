package placementtest

import (
	"slices"

	"github.com/poolcast/poolcast/collector/placement"
)

// Filter tests a filter against the contract.
func Filter(t T, f placement.Filter, c Cloud) {
	t.Helper()
	run(t, c, func(a, b verdict) bool { return a == b }, func(t T, r placement.Request, s *placement.Snapshot) map[string]verdict {
		relaxedPassesMore(t, f, r, s)
		return verdicts(t, f, r, s)
	})
}

// verdict is the result of a filter for one backend.
type verdict struct {
	pass   bool
	reason string
	err    string
}

func verdicts(t T, f placement.Filter, r placement.Request, s *placement.Snapshot) map[string]verdict {
	t.Helper()
	prepared, err := prepareFilter(f, r, s)
	out := map[string]verdict{}
	for i := range s.Len() {
		b := s.At(i)
		switch {
		case err != nil:
			out[b.ID()] = verdict{err: err.Error()}
		case prepared == nil:
			out[b.ID()] = verdict{pass: true}
		default:
			out[b.ID()] = verdictOf(t, prepared, r, b)
		}
		samePrepared(t, f, r, b, out[b.ID()])
	}
	return out
}

func verdictOf(t T, f placement.Filter, r placement.Request, b *placement.Backend) verdict {
	t.Helper()
	pass, err := f.Filter(r, b)
	v := verdict{pass: pass, err: message(err)}
	if e, ok := f.(placement.Explainer); ok && !pass {
		v.reason = e.Explain(r, b)
		if v.reason == "" {
			t.Errorf("it refuses %s without an explanation", b.ID())
		}
		explainsAll(t, f, r, b)
		if again := e.Explain(r, b); again != v.reason {
			t.Errorf("it explains %s as %q, and then as %q", b.ID(), v.reason, again)
		}
	}
	return v
}

func explainsAll(t T, f placement.Filter, r placement.Request, b *placement.Backend) {
	t.Helper()
	e, ok := f.(placement.AllExplainer)
	if !ok {
		return
	}
	all := e.ExplainAll(r, b)
	if len(all) == 0 || slices.Contains(all, "") {
		t.Errorf("it refuses %s, and explains all conditions as %q", b.ID(), all)
	}
	if again := e.ExplainAll(r, b); !slices.Equal(all, again) {
		t.Errorf("it explains all conditions of %s as %q, and then as %q", b.ID(), all, again)
	}
}

func samePrepared(t T, f placement.Filter, r placement.Request, b *placement.Backend, want verdict) {
	t.Helper()
	if pass, err := f.Filter(r, b); message(err) != want.err || err == nil && pass != want.pass {
		t.Errorf("prepared it returns %v (%s) for %s, unprepared %v (%v)", want.pass, want.err, b.ID(), pass, err)
	}
}

func relaxedPassesMore(t T, f placement.Filter, r placement.Request, s *placement.Snapshot) {
	t.Helper()
	prepared, err := prepareFilter(f, r, s)
	relaxer, ok := prepared.(placement.Relaxer)
	if err != nil || !ok {
		return
	}
	rest, conditions := relaxer.Relax()
	if rest == nil {
		return
	}
	for i := range s.Len() {
		b := s.At(i)
		strict, err := prepared.Filter(r, b)
		relaxed, _ := rest.Filter(r, b)
		if err == nil && strict && !relaxed {
			t.Errorf("%s passes, but not with %q relaxed", b.ID(), conditions)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
