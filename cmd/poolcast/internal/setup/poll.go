package setup

import (
	"context"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
)

// Once polls every array a single time and shows the progress.
func (r *Runtime) Once(ctx context.Context) []collector.Result {
	targets := CollectorTargets(r.Targets)
	progress := r.Screen.Begin(ctx, "polling the arrays", text.AtMost(r.Config.Agent.PollTimeout))
	defer progress.Stop()
	progress.Set(0, len(targets), "array")
	for i := range targets {
		targets[i].Source = counted{targets[i].Source, progress}
	}
	return collector.Once(ctx, targets)
}

// counted is a source whose samples count as progress, also those that fail.
type counted struct {
	collector.Source
	progress *text.Progress
}

func (c counted) Sample(ctx context.Context) (capability.Sample, error) {
	defer c.progress.Add()
	return c.Source.Sample(ctx)
}
