package text

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/poolcast/poolcast/collector/capability/format"
)

const (
	// progressAfter is how long a program runs before a line of progress is shown.
	progressAfter = 2 * time.Second
	// progressEvery is how often the line is written again.
	progressEvery = 200 * time.Millisecond
)

// Screen is a terminal that shows a line of progress while something takes long, in one
// place: the line is erased before anything else is written, and at the end. Any
// goroutine may call its methods. A nil Screen shows no progress.
type Screen struct {
	out   io.Writer
	fd    uintptr
	width func() int
	begun time.Time

	mu      sync.Mutex
	running []*Progress // the last one is shown
	shown   bool
}

// NewScreen returns the screen of standard error or another file, and nil if it is no
// terminal, or one on which a line cannot be erased (TERM=dumb).
func NewScreen(f *os.File) *Screen {
	if !isTerminal(f) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &Screen{out: f, fd: f.Fd(), width: func() int { return Width(f) }, begun: time.Now()}
}

// ScreenOf is w if it is a screen, else nil.
func ScreenOf(w io.Writer) *Screen {
	s, _ := w.(*Screen)
	return s
}

// Fd is the file descriptor of the terminal.
func (s *Screen) Fd() uintptr { return s.fd }

// Write erases the line of progress and writes b.
func (s *Screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	return s.out.Write(b)
}

// Clear erases the line, and what is running is not shown any more.
func (s *Screen) Clear() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = nil
	s.erase()
}

// Progress is something that may take long. A nil Progress shows nothing.
type Progress struct {
	screen *Screen
	what   string
	bound  string
	begun  time.Time
	stop   func() // ends the goroutine that shows it

	done, of int    // guarded by the screen
	unit     string // guarded by the screen
}

// Begin begins something that ends with [Progress.Stop], or with ctx. what says what is
// done, such as "polling the arrays"; bound how long it may take, such as "at most 12s".
// With "" it is estimated from how far it is, if that is set.
func (s *Screen) Begin(ctx context.Context, what, bound string) *Progress {
	if s == nil {
		return nil
	}
	ctx, stop := context.WithCancel(ctx)
	p := &Progress{screen: s, what: what, bound: bound, begun: time.Now(), stop: stop}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = append(s.running, p)
	go p.show(ctx)
	return p
}

// Set sets how far it is: how many are done of how many, and of what, such as "array".
func (p *Progress) Set(done, of int, unit string) {
	if p == nil {
		return
	}
	p.screen.mu.Lock()
	defer p.screen.mu.Unlock()
	p.done, p.of, p.unit = done, of, unit
}

// Add is [Progress.Set] with one more done.
func (p *Progress) Add() {
	if p == nil {
		return
	}
	p.screen.mu.Lock()
	defer p.screen.mu.Unlock()
	p.done++
}

// Stop ends it and erases its line.
func (p *Progress) Stop() {
	if p == nil {
		return
	}
	p.stop()
	p.screen.end(p)
}

// show writes the line again and again until ctx ends.
func (p *Progress) show(ctx context.Context) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			p.screen.end(p)
			return
		case <-tick.C:
			p.screen.draw(p)
		}
	}
}

func (s *Screen) draw(p *Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.running) - 1; last < 0 || s.running[last] != p || time.Since(s.begun) < progressAfter {
		return
	}
	// The last column is left free: some terminals begin a new line after it.
	line := format.Shorten(p.String(), max(1, s.width()-1))
	_, _ = io.WriteString(s.out, "\r"+line+"\x1b[K")
	s.shown = true
}

func (s *Screen) end(p *Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.running)
	s.running = slices.DeleteFunc(s.running, func(r *Progress) bool { return r == p })
	if len(s.running) < before {
		s.erase()
	}
}

func (s *Screen) erase() {
	if s.shown {
		_, _ = io.WriteString(s.out, "\r\x1b[K")
		s.shown = false
	}
}

// String is the line: "polling the arrays: 12 of 32 arrays, 4s (at most 12s)".
func (p *Progress) String() string {
	var parts []string
	if p.of > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s", min(p.done, p.of), format.Count(p.of, p.unit)))
	}
	took, bound := time.Since(p.begun), p.bound
	parts = append(parts, took.Truncate(time.Second).String())
	if bound == "" && p.done > 0 && p.of > 0 {
		whole := time.Duration(float64(took) * float64(p.of) / float64(p.done))
		bound = "about " + max(whole, took).Round(time.Second).String()
	}
	line := p.what + ": " + strings.Join(parts, ", ")
	if bound != "" {
		line += " (" + bound + ")"
	}
	return Printable(line)
}

// AtMost is the bound of what takes no longer than d.
func AtMost(d time.Duration) string { return "at most " + d.String() }
