package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/publisher"
)

// onceTimeout is how long --once waits for a broker and its confirms, besides two
// intervals of cinder-volume.
const onceTimeout = 30 * time.Second

// PublishOnce publishes an overlay of each backend when cinder-volume's report is
// received, and waits until the broker has confirmed all of them. The overlays
// stay until cinder-volume's next reports.
func PublishOnce(ctx context.Context, runtime *setup.Runtime, reports []capability.Report) error {
	options := setup.BusOptions(runtime.Config, runtime.Log)
	options.KeepOverlays = true
	options.Interval = max(options.Interval, options.StatsInterval) // the samples stay current until cinder-volume reports
	p, err := publisher.New(options)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	bound := onceTimeout + 2*options.StatsInterval
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	progress := runtime.Screen.Begin(ctx, "publishing the reports", text.AtMost(bound))
	defer progress.Stop()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	for _, r := range reports {
		p.Update(r)
	}
	left := waitPublished(ctx, p, len(reports), progress)
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if left > 0 {
		return fmt.Errorf("%d of %d reports were not confirmed within %s: %s", left, len(reports), bound, unpublished(p.Status()))
	}
	return nil
}

// unpublished is why reports were not published: the state of the session or of
// the first backend concerned.
func unpublished(s publisher.Status) string {
	if s.Session.State != publisher.Ready {
		return setup.SessionText(s.Session)
	}
	for _, b := range s.Backends {
		if b.PublishedAt.IsZero() {
			return cmp.Or(b.Failure, b.Detail)
		}
	}
	return "the broker has confirmed them late"
}

// waitPublished returns how many reports are still unconfirmed when all are, or
// when ctx ends.
func waitPublished(ctx context.Context, p *publisher.Publisher, want int, progress *text.Progress) int {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		confirmed := 0
		for _, b := range p.Status().Backends {
			if !b.PublishedAt.IsZero() {
				confirmed++
			}
		}
		progress.Set(confirmed, want, "report")
		if confirmed >= want {
			return 0
		}
		select {
		case <-ctx.Done():
			return want - confirmed
		case <-tick.C:
		}
	}
}
