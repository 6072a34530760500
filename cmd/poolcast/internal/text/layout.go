package text

import (
	"slices"
	"unicode/utf8"
)

// The widths to which columns are made narrower, in characters, if the page is narrow:
// cells of names before a column is hidden, and all columns when none can be hidden.
const (
	narrowName  = 24
	narrowProse = 16
	narrowest   = 8
)

// layout is the columns that are shown of tables with the same header, and their
// widths.
type layout struct {
	columns []column
	shown   []int // the columns
	widths  []int // of all columns
	short   []map[string]string

	natural []int // the widths of the longest cells
}

// newLayout lays tables out for a page of a width, in columns; 0 is no bound.
func newLayout(tables []*Table, width int) *layout {
	first := tables[0]
	l := &layout{columns: first.columns, short: make([]map[string]string, len(first.columns))}
	for i, c := range l.columns {
		l.shown = append(l.shown, i)
		l.natural = append(l.natural, utf8.RuneCountInString(c.name))
		for _, t := range tables {
			for _, row := range t.rows {
				l.natural[i] = max(l.natural[i], utf8.RuneCountInString(row[i]))
			}
		}
	}
	l.widths = slices.Clone(l.natural)
	if width == 0 || l.width() <= width {
		return l
	}
	l.fit(first.hide, width)
	for i, c := range l.columns {
		if c.kind == names && l.widths[i] < l.natural[i] {
			l.short[i] = shortened(tables, i, l.widths[i])
		}
	}
	return l
}

// width is that of the shown columns with the gaps between them.
func (l *layout) width() int {
	sum := (len(l.shown) - 1) * len(gap)
	for _, i := range l.shown {
		sum += l.widths[i]
	}
	return sum
}

// fit makes long names narrower, hides columns until the rest fits, makes columns
// narrower if it still does not, and gives the columns the space that is left.
func (l *layout) fit(hide []string, width int) {
	for i, c := range l.columns {
		switch {
		case c.kind == names:
			l.widths[i] = min(l.natural[i], narrowName)
		case c.kind == prose && !slices.Contains(hide, c.group):
			l.widths[i] = min(l.natural[i], narrowProse)
		}
	}
	for _, group := range hide {
		if l.width() <= width {
			break
		}
		l.shown = slices.DeleteFunc(l.shown, func(i int) bool { return l.columns[i].group == group })
	}
	for l.width() > width {
		widest := -1
		for _, i := range l.shown {
			if l.columns[i].kind != number && l.widths[i] > narrowest && (widest < 0 || l.widths[i] > l.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break // the terminal breaks the lines
		}
		l.widths[widest]--
	}
	l.widen(width)
}

// widen gives space that is left to the columns that are narrower than their cells,
// evenly.
func (l *layout) widen(width int) {
	for left := width - l.width(); left > 0; {
		before := left
		for _, i := range l.shown {
			if left > 0 && l.widths[i] < l.natural[i] {
				l.widths[i]++
				left--
			}
		}
		if left == before {
			return
		}
	}
}

// shortened maps the cells of a column of names to shorter ones. It is nil if these
// cannot be distinct: such cells are broken into lines.
func shortened(tables []*Table, i, width int) map[string]string {
	var cells []string
	for _, t := range tables {
		for _, row := range t.rows {
			cells = append(cells, row[i])
		}
	}
	short := Distinct(cells, width)
	if short == nil {
		return nil
	}
	out := map[string]string{}
	for n, cell := range cells {
		out[cell] = short[n]
	}
	return out
}
