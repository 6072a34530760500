package text

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/terminaltest"
)

// screenOf is a screen of 40 columns that writes to a text.
func screenOf(b *strings.Builder) *Screen {
	return &Screen{out: b, width: func() int { return 40 }, begun: time.Now()}
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var written strings.Builder
		s := screenOf(&written)
		text := func() string {
			s.mu.Lock()
			defer s.mu.Unlock()
			return written.String()
		}
		p := s.Begin(t.Context(), "polling the arrays", AtMost(12*time.Second))
		p.Set(0, 2, "array")
		time.Sleep(progressAfter - time.Millisecond)
		synctest.Wait()
		if text() != "" {
			t.Fatalf("shown before: %q", text())
		}
		p.Add()
		time.Sleep(2 * progressEvery)
		synctest.Wait()
		if seen := last(text()); seen != "polling the arrays: 1 of 2 arrays, 2s …" {
			t.Errorf("shown %q", seen)
		}
		if _, err := s.Write([]byte("WRN an array was not read\n")); err != nil {
			t.Fatal(err)
		}
		if seen := terminaltest.Screen(text()); len(seen) != 2 || seen[0] != "WRN an array was not read" {
			t.Errorf("the line of the log is not alone: %q", seen)
		}
		time.Sleep(progressEvery)
		synctest.Wait()
		inner := s.Begin(t.Context(), "logging out", "")
		time.Sleep(progressEvery)
		synctest.Wait()
		if seen := last(text()); seen != "logging out: 0s" {
			t.Errorf("shown %q", seen)
		}
		inner.Stop()
		time.Sleep(progressEvery)
		synctest.Wait()
		if seen := last(text()); !strings.HasPrefix(seen, "polling") {
			t.Errorf("shown %q", seen)
		}
		p.Stop()
		p.Stop()
		time.Sleep(time.Minute)
		if seen := last(text()); seen != "" || strings.Count(text(), "\n") != 1 {
			t.Errorf("left on the screen: %q", seen)
		}
	})
}

func TestProgressIsEstimated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := screenOf(new(strings.Builder)).Begin(t.Context(), "simulating", "")
		p.Set(0, 200, "create")
		time.Sleep(3 * time.Second)
		if got := p.String(); got != "simulating: 0 of 200 creates, 3s" {
			t.Errorf("before the first: %q", got)
		}
		p.Set(50, 200, "create")
		if got := p.String(); got != "simulating: 50 of 200 creates, 3s (about 12s)" {
			t.Errorf("after a quarter: %q", got)
		}
		p.Stop()
	})
}

func last(written string) string {
	lines := terminaltest.Screen(written)
	return lines[len(lines)-1]
}

func TestNoProgressWithoutScreen(t *testing.T) {
	var s *Screen
	p := s.Begin(t.Context(), "polling the arrays", "")
	p.Set(1, 2, "array")
	p.Add()
	p.Stop()
	if ScreenOf(new(strings.Builder)) != nil {
		t.Error("a text is a screen")
	}
	terminal := terminaltest.Open(t, 80)
	t.Setenv("TERM", "dumb")
	if NewScreen(terminal.Program) != nil {
		t.Error("progress with TERM=dumb")
	}
	t.Setenv("TERM", "xterm")
	if screen := NewScreen(terminal.Program); ScreenOf(screen) == nil || screen.width() != 80 {
		t.Errorf("no screen for a terminal: %v", screen)
	}
}
