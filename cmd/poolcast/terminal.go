package main

import (
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// The lengths that are printed of a text, in characters. Names and functions
// come from reports, and may be as long as somebody likes.
const (
	maxCell = 100  // of a table
	maxText = 1000 // of a sentence
)

// printable makes a text fit for a terminal and short. Every text that comes
// from a report, a file, an array or the bus goes through it before it is
// printed, in a table's cell, in wrap, in paint, or by itself.
func printable(text string) string { return format.Shorten(format.Printable(text), maxText) }

// printableLines is printable for a text that has lines of its own, such as an
// error with one fault a line.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

// painter colours for a terminal and leaves everything else alone.
type painter struct{ color bool }

// newPainter colours if a person looks at w and has not declined it
// (https://no-color.org).
func newPainter(w any) painter { return painter{color: wantsColor(w)} }

func wantsColor(w any) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// isTerminal reports whether w is a terminal that a person looks at.
func isTerminal(w any) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

func (p painter) paint(code, text string) string {
	text = printable(text)
	if !p.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p painter) verdict(good bool, text string) string {
	if good {
		return p.paint("32", text)
	}
	return p.paint("31", text)
}
