package text

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Table prints rows under a header in columns wide enough for their longest cell. On a
// page that is narrower it hides columns, and then shortens cells.
type Table struct {
	columns []column
	title   []string // lines above the header
	hide    []string // in the order in which columns are hidden
	rows    [][]string
}

type column struct {
	name  string
	kind  kind
	group string // the column with which it is hidden
}

// kind is how the cells of a column are laid out.
type kind int

const (
	names  kind = iota // a cell is shortened in its middle, and remains distinct
	number             // aligned right, and never shortened
	prose              // broken into lines; hidden rather than that, if it may be hidden
)

// NewTable takes the header. A name that ends in ">" is that of a column of numbers,
// aligned right; one that ends in "~" that of a column of sentences or values; other
// columns have names. A column that begins with "+" is hidden with the one before it.
func NewTable(columns ...string) *Table {
	t := &Table{}
	for _, c := range columns {
		name, isNumber := strings.CutSuffix(c, ">")
		name, isProse := strings.CutSuffix(name, "~")
		name, follows := strings.CutPrefix(name, "+")
		col := column{name: name, group: name}
		switch {
		case isNumber:
			col.kind = number
		case isProse:
			col.kind = prose
		}
		if follows {
			col.group = t.columns[len(t.columns)-1].group
		}
		t.columns = append(t.columns, col)
	}
	return t
}

// MayHide names the columns that may be hidden, the least important first.
func (t *Table) MayHide(columns ...string) *Table {
	t.hide = columns
	return t
}

// Title sets the lines above the header, which must be printable.
func (t *Table) Title(lines ...string) *Table {
	t.title = lines
	return t
}

// Add adds a row; the cells may hold any text.
func (t *Table) Add(cells ...string) {
	for i := range cells {
		cells[i] = Cell(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// String is the table with all its columns, a line a row.
func (t *Table) String() string {
	l := newLayout([]*Table{t}, 0)
	return l.text(t)
}

// gap is the blanks between two columns.
const gap = "  "

// text is a table in a layout.
func (l *layout) text(t *Table) string {
	var b strings.Builder
	for _, line := range t.title {
		b.WriteString(line + "\n")
	}
	header := make([]string, len(t.columns))
	for i, c := range t.columns {
		header[i] = c.name
	}
	for _, row := range append([][]string{header}, t.rows...) {
		l.writeRow(&b, row)
	}
	return b.String()
}

// writeRow writes the lines of a row: one, unless cells are broken.
func (l *layout) writeRow(b *strings.Builder, row []string) {
	cells, height := make([][]string, len(row)), 1
	for _, i := range l.shown {
		cells[i] = l.cell(i, row[i])
		height = max(height, len(cells[i]))
	}
	for n := range height {
		var line []string
		for _, i := range l.shown {
			text := ""
			if n < len(cells[i]) {
				text = cells[i][n]
			}
			line = append(line, l.padded(i, text))
		}
		b.WriteString(strings.TrimRight(strings.Join(line, gap), " ") + "\n")
	}
}

// cell is the lines of a cell.
func (l *layout) cell(i int, text string) []string {
	switch short, ok := l.short[i][text]; {
	case utf8.RuneCountInString(text) <= l.widths[i]:
		return []string{text}
	case ok:
		return []string{short}
	}
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	lines := fold(text, max(1, l.widths[i]-len(indent)))
	for n := range lines {
		lines[n] = indent + lines[n]
	}
	return lines
}

func (l *layout) padded(i int, text string) string {
	pad := strings.Repeat(" ", max(0, l.widths[i]-utf8.RuneCountInString(text)))
	if l.columns[i].kind == number {
		return pad + text
	}
	return text + pad
}

// hidden are the names of the hidden columns, in the order of the table. A column with
// the same name as another one is not named: it belongs to the one before it.
func (l *layout) hidden() []string {
	count := map[string]int{}
	for _, c := range l.columns {
		count[c.name]++
	}
	var names []string
	for i, c := range l.columns {
		if !slices.Contains(l.shown, i) && count[c.name] == 1 {
			names = append(names, c.name)
		}
	}
	return names
}
