package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability/format"
)

// recordFlags are how many frames to take, at which interval, and where to.
type recordFlags struct {
	*sourceFlags
	into   string
	frames int
	every  time.Duration
}

const recordHelp = `Record real arrays as fixtures for the simulator.

Only what a poll reads is requested: identity, capacity, load, counts,
connections, open alerts, stretched pods and the lag of their links. Names, ids,
addresses, banners and every other text that could identify the array are
replaced, consistently over all arrays of one run. Look through the files before
you pass them on; they are short.

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
	cmd.Flags().StringVar(&f.into, "into", "", "`folder` to write one subfolder per array into")
	cmd.Flags().IntVar(&f.frames, "frames", 1, "how many samples to record")
	cmd.Flags().DurationVar(&f.every, "every", 30*time.Second, "time between two of them")
	_ = cmd.MarkFlagDirname("into")
	return cmd
}

func (f *recordFlags) run(cmd *cobra.Command) error {
	switch {
	case f.into == "":
		return exit.With(exit.Usage, errors.New("--into is missing: name the folder to write recordings into"))
	case f.frames < 1 || f.frames > 100:
		return exit.With(exit.Usage, fmt.Errorf("--frames %d: want 1 to 100", f.frames))
	case f.every < time.Second:
		return exit.With(exit.Usage, fmt.Errorf("--every %s: want at least a second", f.every))
	}
	runtime, err := f.open(cmd)
	if err != nil {
		return err
	}
	defer runtime.Close()
	recordings, err := runtime.Record(cmd.Context(), f.frames, f.every)
	for _, r := range recordings {
		if written := r.Write(f.into); written != nil {
			return written
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", text.Printable(r.Name), format.Count(len(r.Frames), "frame")); err != nil {
			return err
		}
	}
	return err
}
