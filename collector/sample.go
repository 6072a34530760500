package collector

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// outcome is the result of one poll.
type outcome struct {
	stats   capability.Sample
	err     error
	started time.Time
	took    time.Duration
}

// panicError is a recovered panic of a Source.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("read array: panic: %v", e.value) }

// poll polls the target once, within its timeout. A panic of the Source is an
// error of this poll.
func poll(ctx context.Context, t Target) (o outcome) {
	o.started = time.Now()
	ctx, cancel := context.WithTimeout(ctx, t.timeout())
	defer cancel()
	defer func() {
		o.took = time.Since(o.started)
		if v := recover(); v != nil {
			o.err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	o.stats, o.err = t.Source.Sample(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && o.err != nil {
		o.err = fmt.Errorf("no complete response within %s: %w", t.timeout(), o.err)
	}
	if o.stats.CollectedAt.IsZero() {
		o.stats.CollectedAt = o.started
	}
	return o
}

// runBounded runs f with a context that ends after d, even if ctx has ended, and
// returns when f does or shortly after that: an f that ignores its context is
// not waited for.
func runBounded(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- &panicError{value: v, stack: debug.Stack()}
			}
		}()
		done <- f(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(d + d/10):
		return context.DeadlineExceeded
	}
}

// Result is the result of one poll of one target: a report, or an error.
type Result struct {
	Backend string
	Report  capability.Report // zero if Err is set
	Stats   capability.Sample
	Err     error
}

// Once polls every target a single time, all at once and each within its own
// timeout, and returns the results in the order of the targets. It closes no
// Source, so that a caller may poll again.
func Once(ctx context.Context, targets []Target) []Result {
	return forEach(targets, func(t Target) Result {
		o := poll(ctx, t)
		r := Result{Backend: t.Backend, Err: o.err}
		if o.err == nil {
			r.Stats, r.Report = o.stats, Merge(o.stats, t)
		}
		return r
	})
}

// Close closes the Sources of all targets at once, each within d, and returns
// the error of each.
func Close(targets []Target, d time.Duration) []error {
	return forEach(targets, func(t Target) error {
		return runBounded(context.Background(), d, t.Source.Close)
	})
}

// forEach calls f for all targets at once and returns the results in their order.
func forEach[R any](targets []Target, f func(Target) R) []R {
	results := make([]R, len(targets))
	var wg sync.WaitGroup
	for i, t := range targets {
		wg.Go(func() { results[i] = f(t) })
	}
	wg.Wait()
	return results
}
