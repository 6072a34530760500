package text

import (
	"fmt"
	"io"
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

// Print writes the table, header first.
func (t *Table) Print(w io.Writer) error {
	widths := make([]int, len(t.header))
	for _, row := range append([][]string{t.header}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range append([][]string{t.header}, t.rows...) {
		if _, err := fmt.Fprintln(w, t.line(row, widths)); err != nil {
			return err
		}
	}
	return nil
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
