package collector

import (
	"context"
	"sync"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// Result is what one poll of one target gave: a report, or an error.
type Result struct {
	Host     string
	Backend  string
	Report   capability.Report // zero if Err is set
	Stats    capability.Sample
	Err      error
	Duration time.Duration
}

// Once polls every target a single time, all of them at once and each within
// its own deadline, and returns the results in the order of the targets. It
// closes no Source: a caller may want to ask again.
func Once(ctx context.Context, targets []Target) []Result {
	results := make([]Result, len(targets))
	var wg sync.WaitGroup
	for i, t := range targets {
		wg.Go(func() { results[i] = once(ctx, t) })
	}
	wg.Wait()
	return results
}

func once(ctx context.Context, t Target) Result {
	o := sample(ctx, t)
	r := Result{Host: t.Host, Backend: t.Backend, Err: o.err, Duration: o.took}
	if o.err == nil {
		r.Stats, r.Report = o.stats, Merge(o.stats, t)
	}
	return r
}

// Close closes the Sources of all targets at once, giving each up to d, and
// returns the first error of each.
func Close(targets []Target, d time.Duration) []error {
	faults := make([]error, len(targets))
	var wg sync.WaitGroup
	for i, t := range targets {
		wg.Go(func() { faults[i] = within(context.Background(), d, t.Source.Close) })
	}
	wg.Wait()
	return faults
}
