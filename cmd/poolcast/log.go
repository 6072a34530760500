package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"
)

// newLogger writes to w: JSON for collectors of logs, or lines for people, with
// colour on a terminal only. The level can be changed while it is in use.
func newLogger(w io.Writer, format, level string) (zerolog.Logger, *logLevel, error) {
	if format == "text" {
		w = zerolog.ConsoleWriter{Out: w, NoColor: !isTerminal(w), TimeFormat: time.RFC3339}
	}
	filter := &logLevel{out: w}
	if err := filter.set(level); err != nil {
		return zerolog.Nop(), nil, err
	}
	return zerolog.New(filter).With().Timestamp().Logger(), filter, nil
}

// logLevel lets lines pass that are severe enough.
type logLevel struct {
	out   io.Writer
	least atomic.Int32
}

func (l *logLevel) set(level string) error {
	parsed, err := zerolog.ParseLevel(level)
	if err != nil {
		return fmt.Errorf("log_level %q: want trace, debug, info, warn or error", level)
	}
	l.least.Store(int32(parsed))
	return nil
}

// Write implements io.Writer, for lines without a level.
func (l *logLevel) Write(p []byte) (int, error) { return l.out.Write(p) }

// WriteLevel implements zerolog.LevelWriter.
func (l *logLevel) WriteLevel(level zerolog.Level, p []byte) (int, error) {
	if level < zerolog.Level(l.least.Load()) {
		return len(p), nil
	}
	return l.out.Write(p)
}

// isTerminal reports whether w is a terminal that a person looks at.
func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}
