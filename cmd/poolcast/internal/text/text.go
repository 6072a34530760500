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

// Cell is [Printable] for a cell of a table.
func Cell(s string) string { return format.Shorten(format.Printable(s), maxCell) }

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

// Table prints rows under a header in columns wide enough for their longest
// cell. Columns of numbers are aligned right.
type Table struct {
	header []string
	right  []bool
	rows   [][]string
}

// NewTable takes the header; a name that ends in ">" is aligned right.
func NewTable(columns ...string) *Table {
	t := &Table{}
	for _, c := range columns {
		name, right := strings.CutSuffix(c, ">")
		t.header = append(t.header, name)
		t.right = append(t.right, right)
	}
	return t
}

// Add adds a row; the cells may hold any text.
func (t *Table) Add(cells ...string) {
	for i := range cells {
		cells[i] = Cell(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// String is the table with its header, a line a row.
func (t *Table) String() string {
	rows := append([][]string{t.header}, t.rows...)
	widths := make([]int, len(t.header))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(t.line(row, widths) + "\n")
	}
	return b.String()
}

func (t *Table) line(row []string, widths []int) string {
	var b strings.Builder
	for i, cell := range row {
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if i > 0 {
			b.WriteString("  ")
		}
		if t.right[i] {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
	}
	return strings.TrimRight(b.String(), " ")
}
