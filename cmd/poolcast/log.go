package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// newLogger writes to w: JSON for collectors of logs, or lines for people, with
// colour on a terminal only. The level can be changed while it is in use.
func newLogger(w io.Writer, format, level string) (zerolog.Logger, *logLevel, error) {
	if format == "text" {
		w = zerolog.ConsoleWriter{Out: w, NoColor: !wantsColor(w), TimeFormat: time.RFC3339, FormatPrepare: printableMessage}
	}
	filter := &logLevel{out: w}
	least, err := parseLevel(level)
	if err != nil {
		return zerolog.Nop(), nil, err
	}
	filter.set(least)
	return zerolog.New(filter).With().Timestamp().Logger(), filter, nil
}

// printableMessage is for the message alone: fields are quoted by the writer.
func printableMessage(event map[string]any) error {
	if text, ok := event[zerolog.MessageFieldName].(string); ok {
		event[zerolog.MessageFieldName] = format.Printable(text)
	}
	return nil
}

// logLevel lets lines pass that are severe enough.
type logLevel struct {
	out   io.Writer
	least atomic.Int32
}

func parseLevel(level string) (zerolog.Level, error) {
	parsed, err := zerolog.ParseLevel(level)
	if err != nil {
		return zerolog.NoLevel, fmt.Errorf("log_level %q: want trace, debug, info, warn or error", level)
	}
	return parsed, nil
}

func (l *logLevel) set(level zerolog.Level) { l.least.Store(int32(level)) }

// Write implements io.Writer, for lines without a level.
func (l *logLevel) Write(p []byte) (int, error) {
	if _, err := l.out.Write(format.PrintableJSON(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteLevel implements zerolog.LevelWriter.
func (l *logLevel) WriteLevel(level zerolog.Level, p []byte) (int, error) {
	if level < zerolog.Level(l.least.Load()) {
		return len(p), nil
	}
	return l.Write(p)
}
