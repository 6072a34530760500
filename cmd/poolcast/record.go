package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/flasharray/recording"
)

// recordFlags say how many frames to take, how far apart, and where to put them.
type recordFlags struct {
	*sourceFlags
	into   string
	frames int
	every  time.Duration
}

const recordHelp = `Record real arrays as fixtures for the simulator.

Only what a poll asks for is asked: identity, capacity, load, connections and
counts. Names, ids, addresses, banners and every other text that could tell whose
array it is are replaced, consistently over all arrays of one run. Look through
the files before you pass them on; they are short.

Replay them with: poolcast simulator --fixtures FOLDER`

func newRecordCommand(sources *sourceFlags) *cobra.Command {
	f := &recordFlags{sourceFlags: sources}
	cmd := &cobra.Command{
		Use:   "record --into FOLDER",
		Short: "Record arrays, scrubbed, as fixtures for the simulator",
		Long:  recordHelp,
		Example: `  poolcast record --backend flasharray_x_01 --into recordings
  poolcast record --into recordings --frames 10 --every 30s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	cmd.Flags().StringVar(&f.into, "into", "", "folder to write one subfolder per array into")
	cmd.Flags().IntVar(&f.frames, "frames", 1, "how many instants to record")
	cmd.Flags().DurationVar(&f.every, "every", 30*time.Second, "time between two of them")
	_ = cmd.MarkFlagDirname("into")
	return cmd
}

func (f *recordFlags) run(cmd *cobra.Command) error {
	switch {
	case f.into == "":
		return withCode(exitUsage, errors.New("--into is missing: name the folder to write recordings into"))
	case f.frames < 1 || f.frames > 100:
		return withCode(exitUsage, fmt.Errorf("--frames %d: want 1 to 100", f.frames))
	case f.every < time.Second:
		return withCode(exitUsage, fmt.Errorf("--every %s: want at least a second", f.every))
	}
	s, err := f.open(cmd)
	if err != nil {
		return err
	}
	defer s.close()
	recordings, err := s.record(cmd.Context(), f.frames, f.every)
	for _, r := range recordings {
		if written := r.Write(f.into); written != nil {
			return written
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", printable(r.Name), format.Count(len(r.Frames), "frame")); err != nil {
			return err
		}
	}
	return err
}

// record takes the frames of all arrays side by side. An array that fails is
// left out and logged; the others are good.
func (s *session) record(ctx context.Context, frames int, every time.Duration) ([]*recording.Recording, error) {
	scrub := recording.NewScrubber()
	found := make([]*recording.Recording, len(s.targets))
	failed := make([]error, len(s.targets))
	for i, t := range s.targets {
		found[i], failed[i] = recording.Start(ctx, t.client, scrub, t.address)
	}
	for n := range frames {
		if n > 0 {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(every):
			}
		}
		for i, t := range s.targets {
			if failed[i] != nil {
				continue
			}
			var frame recording.Frame
			if frame, failed[i] = recording.Take(ctx, t.client, scrub); failed[i] == nil {
				found[i].Frames = append(found[i].Frames, frame)
			}
		}
	}
	return s.recorded(found, failed, every)
}

func (s *session) recorded(found []*recording.Recording, failed []error, every time.Duration) ([]*recording.Recording, error) {
	var good []*recording.Recording
	missing, seen := 0, map[string]bool{}
	for i, t := range s.targets {
		if failed[i] != nil {
			s.log.Error().Str("backend", t.Backend).Err(failed[i]).Msg("array was not recorded")
			missing++
			continue
		}
		if seen[found[i].Name] {
			continue // two stanzas, one array
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
