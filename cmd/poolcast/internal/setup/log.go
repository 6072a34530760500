package setup

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability/format"
)

// NewLogger writes to w: JSON for collectors of logs, or lines for people, with
// colour on a terminal only. The level can be changed while it is in use.
func NewLogger(w io.Writer, format, level string) (zerolog.Logger, *LogLevel, error) {
	if format == "text" {
		w = zerolog.ConsoleWriter{Out: w, NoColor: !text.WantsColor(w), TimeFormat: time.RFC3339, FormatPrepare: printableMessage}
	}
	filter := &LogLevel{out: w}
	least, err := ParseLevel(level)
	if err != nil {
		return zerolog.Nop(), nil, err
	}
	filter.Set(least)
	return zerolog.New(filter).With().Timestamp().Logger(), filter, nil
}

// printableMessage is for the message alone: fields are quoted by the writer.
func printableMessage(event map[string]any) error {
	if message, ok := event[zerolog.MessageFieldName].(string); ok {
		event[zerolog.MessageFieldName] = format.Printable(message)
	}
	return nil
}

// LogLevel writes the lines whose level is high enough.
type LogLevel struct {
	out   io.Writer
	least atomic.Int32
}

// ParseLevel reads the option log_level.
func ParseLevel(level string) (zerolog.Level, error) {
	parsed, err := zerolog.ParseLevel(level)
	if err != nil {
		return zerolog.NoLevel, fmt.Errorf("log_level %q: want trace, debug, info, warn or error", level)
	}
	return parsed, nil
}

// Set changes the lowest level that is written.
func (l *LogLevel) Set(level zerolog.Level) { l.least.Store(int32(level)) }

// Write implements io.Writer, for lines without a level.
func (l *LogLevel) Write(p []byte) (int, error) {
	if _, err := l.out.Write(format.PrintableJSON(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteLevel implements zerolog.LevelWriter.
func (l *LogLevel) WriteLevel(level zerolog.Level, p []byte) (int, error) {
	if level < zerolog.Level(l.least.Load()) {
		return len(p), nil
	}
	return l.Write(p)
}
