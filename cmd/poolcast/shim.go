package main

import (
	"io"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/input"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
)

// The names below are for the files that move to the packages below internal
// next; this file goes with them.

const (
	exitOK      = exit.OK
	exitPartial = exit.Partial
	exitUsage   = exit.Usage
	exitConfig  = exit.Config
	exitNoFit   = exit.NoFit
)

func withCode(code int, err error) error { return exit.With(code, err) }

func exitMeanings() []string { return exit.Meanings() }

type table struct{ *text.Table }

func newTable(columns ...string) *table { return &table{text.NewTable(columns...)} }

func (t *table) add(cells ...string) { t.Add(cells...) }

func (t *table) print(w io.Writer) error {
	_, err := io.WriteString(w, t.String())
	return err
}

type painter struct{ text.Painter }

func newPainter(w io.Writer) painter { return painter{text.NewPainter(w)} }

func (p painter) paint(code, s string) string { return p.Paint(text.Color(code), s) }

func (p painter) verdict(good bool, s string) string {
	if good {
		return p.Paint(text.Green, s)
	}
	return p.Paint(text.Red, s)
}

func cell(s string) string { return text.Cell(s) }

func printable(s string) string { return text.Printable(s) }

func printJSON(w io.Writer, v any) error { return render.JSON(w, v) }

func whole(c capability.Set, key string) string { return render.Whole(c, key) }

func readInputFile(path string) ([]byte, error) { return input.File(path) }

func newEngine(cfg *config.Config, policy string) (*placement.Engine, error) {
	return setup.Engine(cfg.Scheduler, policy)
}

func schedulerOptions(s config.Scheduler) cinder.Options { return setup.SchedulerOptions(s) }

func isLottery(s config.Scheduler) bool { return setup.IsLottery(s) }
