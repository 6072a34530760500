package text

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// Painter colours text for a terminal, and leaves it plain everywhere else.
type Painter struct{ color bool }

// NewPainter colours if w is a terminal whose user has not declined colour
// (https://no-color.org).
func NewPainter(w any) Painter { return Painter{color: WantsColor(w)} }

// WantsColor reports whether w is a terminal that shows colour, and neither
// NO_COLOR nor TERM=dumb is set.
func WantsColor(w any) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func isTerminal(w any) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

// Width is the number of columns of the terminal w: that of the environment variable
// COLUMNS, if it is set, else its size. It is 120 if w is no terminal.
func Width(w any) int {
	if width := terminalWidth(w); width > 0 {
		return width
	}
	return 120
}

// terminalWidth is 0 if w is no terminal, or has no width.
func terminalWidth(w any) int {
	if !isTerminal(w) {
		return 0
	}
	if width, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && width > 0 {
		return width
	}
	width, _, err := term.GetSize(int(w.(interface{ Fd() uintptr }).Fd()))
	if err != nil {
		return 0
	}
	return width
}

// Color is an attribute of a terminal (ECMA-48, SGR).
type Color string

// The colours in use.
const (
	Plain  Color = ""
	Bold   Color = "1"
	Red    Color = "31"
	Green  Color = "32"
	Yellow Color = "33"
	Cyan   Color = "36"
)

// Paint makes s printable and colours it.
func (p Painter) Paint(c Color, s string) string {
	s = Printable(s)
	if !p.color || c == Plain {
		return s
	}
	return "\x1b[" + string(c) + "m" + s + "\x1b[0m"
}

// Page collects text for a writer, in its colours and for its width.
type Page struct {
	Painter
	Width int // in columns

	tableWidth int // 0 is no bound
	text       strings.Builder
	out        io.Writer
}

// NewPage starts a page for w. Its tables have all columns if they are to be wide, or if
// w is no terminal; else they fit its width.
func NewPage(w io.Writer, wide bool) *Page {
	p := &Page{Painter: NewPainter(w), Width: Width(w), out: w}
	if !wide {
		p.tableWidth = terminalWidth(w)
	}
	return p
}

// Line adds a formatted line. Texts of others must be made printable first.
func (p *Page) Line(format string, args ...any) { fmt.Fprintf(&p.text, format+"\n", args...) }

// Wrapped adds a text in lines that fit the page, each after an indent.
func (p *Page) Wrapped(indent, s string) {
	for _, line := range Wrap(s, max(30, p.Width-len(indent))) {
		p.Line("%s%s", indent, line)
	}
}

// Tables adds tables with the same header, in the same columns. Below them is which
// columns are hidden.
func (p *Page) Tables(tables ...*Table) {
	if len(tables) == 0 {
		return
	}
	l := newLayout(tables, p.tableWidth)
	for _, t := range tables {
		p.text.WriteString(l.text(t))
	}
	if hidden := l.hidden(); len(hidden) > 0 {
		p.Wrapped("", "hidden: "+strings.Join(hidden, ", ")+"; --output wide shows all columns")
	}
}

// Names makes names printable, and shortens them to a width if the page has to fit a
// terminal, at least to that of names in a table. Names that differ still do.
func (p *Page) Names(names []string, width int) []string {
	cells := make([]string, len(names))
	for i, name := range names {
		cells[i] = Cell(name)
	}
	if p.tableWidth > 0 {
		if short := Distinct(cells, max(narrowName, width)); short != nil {
			return short
		}
	}
	return cells
}

// Print writes the page.
func (p *Page) Print() error {
	_, err := io.WriteString(p.out, p.text.String())
	return err
}
