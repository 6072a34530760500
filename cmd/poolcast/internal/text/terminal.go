package text

import (
	"fmt"
	"io"
	"os"
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

// Width is the number of columns of the terminal w, or 120 if w is none.
func Width(w any) int {
	if f, ok := w.(interface{ Fd() uintptr }); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 120
}

// Color is an attribute of a terminal (ECMA-48, SGR).
type Color string

// The colours in use.
const (
	Bold   Color = "1"
	Red    Color = "31"
	Green  Color = "32"
	Yellow Color = "33"
	Cyan   Color = "36"
)

// Paint makes s printable and colours it.
func (p Painter) Paint(c Color, s string) string {
	s = Printable(s)
	if !p.color {
		return s
	}
	return "\x1b[" + string(c) + "m" + s + "\x1b[0m"
}

// Page collects text for a writer, in its colours and for its width.
type Page struct {
	Painter
	Width int // in columns

	text strings.Builder
	out  io.Writer
}

// NewPage starts a page for w.
func NewPage(w io.Writer) *Page { return &Page{Painter: NewPainter(w), Width: Width(w), out: w} }

// Line adds a formatted line. Texts of others must be made printable first.
func (p *Page) Line(format string, args ...any) { fmt.Fprintf(&p.text, format+"\n", args...) }

// Wrapped adds a text in lines that fit the page, each after an indent.
func (p *Page) Wrapped(indent, s string) {
	for _, line := range Wrap(s, max(30, p.Width-len(indent))) {
		p.Line("%s%s", indent, line)
	}
}

// Table adds a table.
func (p *Page) Table(t *Table) { p.text.WriteString(t.String()) }

// Print writes the page.
func (p *Page) Print() error {
	_, err := io.WriteString(p.out, p.text.String())
	return err
}
