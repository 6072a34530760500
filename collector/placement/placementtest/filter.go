package placementtest

import (
	"sync"

	"github.com/poolcast/poolcast/collector/placement"
)

// Filter holds a filter to its contract.
func Filter(t T, f placement.Filter, c Cloud) {
	t.Helper()
	before := c.copies()
	snapshots := c.snapshots(t)
	for i, r := range c.Requests {
		t := request{T: t, number: i}
		want := verdicts(t, f, r, snapshots[0])
		for _, s := range snapshots[1:] {
			sameVerdicts(t, "in another order", want, verdicts(t, f, r, s))
		}
		verdicts(t, f, r, charged(snapshots[0]))
		atOnce(func() { sameVerdicts(t, "from another goroutine", want, verdicts(t, f, r, snapshots[0])) })
		relaxedPassesMore(t, f, r, snapshots[0])
	}
	c.unchanged(t, before)
}

// verdict is what a filter says to one backend.
type verdict struct {
	pass   bool
	reason string
	err    string
}

func verdicts(t T, f placement.Filter, r placement.Request, s *placement.Snapshot) map[string]verdict {
	t.Helper()
	prepared, err := prepare(f, r, s)
	out := map[string]verdict{}
	for i := range s.Len() {
		b := s.At(i)
		switch {
		case err != nil:
			out[b.ID()] = verdict{err: err.Error()}
		case prepared == nil:
			out[b.ID()] = verdict{pass: true}
		default:
			out[b.ID()] = ask(t, prepared, r, b)
		}
		samePrepared(t, f, r, b, out[b.ID()])
	}
	return out
}

func ask(t T, f placement.Filter, r placement.Request, b *placement.Backend) verdict {
	t.Helper()
	pass, err := f.Filter(r, b)
	v := verdict{pass: pass, err: message(err)}
	if e, ok := f.(placement.Explainer); ok && !pass {
		v.reason = e.Explain(r, b)
		if v.reason == "" {
			t.Errorf("it refuses %s without a word", b.ID())
		}
		if again := e.Explain(r, b); again != v.reason {
			t.Errorf("it explains %s as %q, and then as %q", b.ID(), v.reason, again)
		}
	}
	return v
}

func samePrepared(t T, f placement.Filter, r placement.Request, b *placement.Backend, want verdict) {
	t.Helper()
	if pass, err := f.Filter(r, b); message(err) != want.err || err == nil && pass != want.pass {
		t.Errorf("prepared it says %v (%s) to %s, unprepared %v (%v)", want.pass, want.err, b.ID(), pass, err)
	}
}

func sameVerdicts(t T, when string, want, got map[string]verdict) {
	t.Helper()
	for id, v := range want {
		if got[id] != v {
			t.Errorf("%s: %s, it says %+v instead of %+v", id, when, got[id], v)
		}
	}
}

func relaxedPassesMore(t T, f placement.Filter, r placement.Request, s *placement.Snapshot) {
	t.Helper()
	prepared, err := prepare(f, r, s)
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
			t.Errorf("%s passes, but not with %q set aside", b.ID(), conditions)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// atOnce runs a function in several goroutines.
func atOnce(f func()) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(f)
	}
	wg.Wait()
}
