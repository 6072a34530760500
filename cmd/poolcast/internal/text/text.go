package text

import (
	"strings"
	"unicode/utf8"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// The lengths to which a text is cut, in characters. Names and functions come
// from reports, and have no limit there.
const (
	maxCell = 100  // in a table
	maxText = 1000 // in a sentence
)

// Printable removes what a terminal would act on, and cuts what is too long.
func Printable(s string) string { return format.Shorten(format.Printable(s), maxText) }

// PrintableLines is [Printable] for a text of several lines, such as an error with
// one fault a line.
func PrintableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Printable(line)
	}
	return strings.Join(lines, "\n")
}

// Cell is [Printable] for a cell of a table. Names that are too long often differ at
// their end, so it is the middle that is left out.
func Cell(s string) string { return shorten(format.Printable(s), maxCell, (maxCell-1)/2) }

// Wrap makes a text printable and breaks it at blanks into lines no longer than
// width, where it can. Lines after the first are indented.
func Wrap(s string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(Printable(s)) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = "  "
		}
		if strings.TrimSpace(line) != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
