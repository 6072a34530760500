package text

import (
	"strings"
	"unicode/utf8"
)

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
