package collector

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// outcome is one poll.
type outcome struct {
	stats capability.Sample
	err   error
	began time.Time
	took  time.Duration
}

// panicError is a panic of a Source, contained.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("read array: panic: %v", e.value) }

// sample polls the target once, within its deadline. Whatever happens in the
// Source, it is this poll's outcome and nobody else's.
func sample(ctx context.Context, t Target) (o outcome) {
	o.began = time.Now()
	ctx, cancel := context.WithTimeout(ctx, t.timeout())
	defer cancel()
	defer func() {
		o.took = time.Since(o.began)
		if v := recover(); v != nil {
			o.err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	o.stats, o.err = t.Source.Sample(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && o.err != nil {
		o.err = fmt.Errorf("no complete answer within %s: %w", t.timeout(), o.err)
	}
	if o.stats.CollectedAt.IsZero() {
		o.stats.CollectedAt = o.began
	}
	return o
}

// within runs f with a context that ends after d, however ctx stands, and
// returns when f does or shortly after: an f that ignores its context is left
// behind.
func within(ctx context.Context, d time.Duration, f func(context.Context) error) error {
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
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(d / 10):
		return ctx.Err()
	}
}
