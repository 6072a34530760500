package placementtest

import (
	"math/rand/v2"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
)

// T is what the suites need of a [testing.T].
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// request says in every error which request it is about.
type request struct {
	T
	number int
}

func (r request) Errorf(format string, args ...any) {
	r.Helper()
	r.T.Errorf("request %d: "+format, append([]any{r.number}, args...)...)
}

// Cloud is what a plug-in is tried on. The more different the reports and
// requests are, the better: leave keys out, put strange values in.
type Cloud struct {
	Reports  []capability.Report
	Requests []placement.Request
	// Snapshot takes reports in; by default placement.NewSnapshot.
	Snapshot func([]capability.Report) *placement.Snapshot
}

// shuffles is how many orders of the backends are tried.
const shuffles = 4

func (c Cloud) snapshot(reports []capability.Report) *placement.Snapshot {
	if c.Snapshot != nil {
		return c.Snapshot(reports)
	}
	return placement.NewSnapshot(reports, placement.Options{})
}

// snapshots are the reports in several orders, and charged.
func (c Cloud) snapshots(t T) []*placement.Snapshot {
	t.Helper()
	if len(c.Reports) == 0 || len(c.Requests) == 0 {
		t.Fatalf("the cloud has no reports or no requests to try the plug-in on")
	}
	out := []*placement.Snapshot{c.snapshot(c.Reports)}
	order := rand.New(rand.NewPCG(1, 2))
	for range shuffles {
		reports := slices.Clone(c.Reports)
		order.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		out = append(out, c.snapshot(reports))
	}
	return out
}

// unchanged fails the test if the plug-in has changed a report.
func (c Cloud) unchanged(t T, before []capability.Set) {
	t.Helper()
	for i := range before {
		if !c.Reports[i].Capabilities.Equal(before[i]) {
			t.Errorf("it changed the report of %s", c.Reports[i].Host)
		}
	}
}

func (c Cloud) copies() []capability.Set {
	out := make([]capability.Set, len(c.Reports))
	for i := range c.Reports {
		out[i] = c.Reports[i].Capabilities.Clone()
	}
	return out
}

// charged is the snapshot after something was placed on each backend.
func charged(s *placement.Snapshot) *placement.Snapshot {
	for i := range s.Len() {
		s = s.Charge(i, placement.Charge{GiB: 10, Volumes: 1})
	}
	return s
}

// prepare returns what the engine would ask: the prepared plug-in, or the
// plug-in itself. It is nil if it has nothing to say.
func prepare[P any](plugin P, r placement.Request, s *placement.Snapshot) (P, error) {
	if p, ok := any(plugin).(placement.Preparer[P]); ok {
		return p.Prepare(r, s)
	}
	return plugin, nil
}
