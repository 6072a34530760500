package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/poolcast/poolcast/integration/internal/cloud"
)

// The times after which the line is shown, and written again.
const (
	waitingAfter = 2 * time.Second
	waitingEvery = 200 * time.Millisecond
)

// waiting is a line on a terminal with the steps that have begun. It is erased before a
// step that has ended is printed, and at the end. Its methods may be called from any
// goroutine.
type waiting struct {
	out   io.Writer // nil if there is no terminal
	width func() int
	begun time.Time
	stop  func() // ends it; may be called again

	mu    sync.Mutex
	steps []string
	shown bool
}

// newWaiting shows the line on a terminal, and nothing elsewhere or with TERM=dumb.
func newWaiting(f *os.File, begun time.Time) *waiting {
	fd := int(f.Fd())
	if !term.IsTerminal(fd) || os.Getenv("TERM") == "dumb" {
		return &waiting{stop: func() {}}
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &waiting{out: f, begun: begun, width: func() int {
		width, _, err := term.GetSize(fd)
		if err != nil || width == 0 {
			return 80
		}
		return width
	}}
	var ended sync.WaitGroup
	ended.Go(func() { w.show(ctx) })
	w.stop = func() { cancel(); ended.Wait() }
	return w
}

func (w *waiting) begin(step string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.steps = append(w.steps, step)
}

func (w *waiting) end(step string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.Index(w.steps, step); i >= 0 {
		w.steps = slices.Delete(w.steps, i, i+1)
	}
	w.erase()
}

func (w *waiting) show(ctx context.Context) {
	tick := time.NewTicker(waitingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			w.mu.Lock()
			defer w.mu.Unlock()
			w.erase()
			return
		case <-tick.C:
			w.draw()
		}
	}
}

func (w *waiting) draw() {
	w.mu.Lock()
	defer w.mu.Unlock()
	took := time.Since(w.begun)
	if len(w.steps) == 0 || took < waitingAfter {
		return
	}
	line := []rune(fmt.Sprintf("%5.1f s  … %s (at most %s)", took.Seconds(), strings.Join(w.steps, ", "), cloud.StartBound))
	_, _ = io.WriteString(w.out, "\r"+string(line[:min(len(line), max(1, w.width()-1))])+"\x1b[K")
	w.shown = true
}

func (w *waiting) erase() {
	if w.shown {
		_, _ = io.WriteString(w.out, "\r\x1b[K")
		w.shown = false
	}
}
