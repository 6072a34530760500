package setup

import (
	"context"
	"fmt"
	"time"

	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/flasharray/recording"
)

// Record takes frames of all arrays at an interval. An array that fails is left out
// and logged; the error counts them.
func (r *Runtime) Record(ctx context.Context, frames int, every time.Duration) ([]*recording.Recording, error) {
	bound := ""
	if frames > 1 {
		bound = "about " + (time.Duration(frames-1) * every).String()
	}
	progress := r.Screen.Begin(ctx, "recording the arrays", bound)
	defer progress.Stop()
	progress.Set(0, frames*len(r.Targets), "sample")
	scrub := recording.NewScrubber()
	found := make([]*recording.Recording, len(r.Targets))
	failed := make([]error, len(r.Targets))
	for i, t := range r.Targets {
		found[i], failed[i] = recording.Start(ctx, t.Client, scrub, t.Address)
	}
	for n := range frames {
		if n > 0 {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(every):
			}
		}
		for i, t := range r.Targets {
			if failed[i] != nil {
				progress.Add()
				continue
			}
			var frame recording.Frame
			if frame, failed[i] = recording.Take(ctx, t.Client, scrub); failed[i] == nil {
				found[i].Frames = append(found[i].Frames, frame)
			}
			progress.Add()
		}
	}
	return r.recorded(found, failed, every)
}

func (r *Runtime) recorded(found []*recording.Recording, failed []error, every time.Duration) ([]*recording.Recording, error) {
	var good []*recording.Recording
	missing, seen := 0, map[string]bool{}
	for i, t := range r.Targets {
		if failed[i] != nil {
			r.Log.Error().Str("backend", t.Backend).Err(failed[i]).Msg("array was not recorded")
			missing++
			continue
		}
		if seen[found[i].Name] {
			continue // two sections, one array
		}
		seen[found[i].Name] = true
		found[i].Every = every
		good = append(good, found[i])
	}
	if missing > 0 {
		return good, fmt.Errorf("%d of %s not recorded; the reasons are above", missing, format.Count(len(found), "backend"))
	}
	return good, nil
}
