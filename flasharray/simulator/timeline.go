package simulator

import (
	"slices"
	"time"
)

// timeline says which frame was, or is, current at an instant. By itself it
// follows the clock: each frame for a period, round and round. A pin overrides
// that from its instant on.
type timeline struct {
	period time.Duration
	frames int
	pins   []pin
}

type pin struct {
	from  time.Time
	frame int // negative: follow the clock again
}

// longestMemory is how far back pins are kept: the longest retention of 30 s samples.
const longestMemory = 3 * time.Hour

func (t *timeline) clone() timeline {
	return timeline{period: t.period, frames: t.frames, pins: slices.Clone(t.pins)}
}

func (t *timeline) at(instant time.Time) int {
	for _, p := range slices.Backward(t.pins) {
		if !instant.Before(p.from) {
			if p.frame < 0 {
				break
			}
			return p.frame
		}
	}
	turn := instant.UnixMilli() / max(t.period.Milliseconds(), 1) % int64(t.frames)
	return int((turn + int64(t.frames)) % int64(t.frames))
}

func (t *timeline) pin(frame int, from, now time.Time) {
	t.pins = slices.DeleteFunc(t.pins, func(p pin) bool { return !p.from.Before(from) })
	for len(t.pins) > 1 && t.pins[1].from.Before(now.Add(-longestMemory)) {
		t.pins = t.pins[1:]
	}
	t.pins = append(t.pins, pin{from: from, frame: frame})
}

// Frames is how many frames the fixture has.
func (a *Array) Frames() int { return len(a.fixture.frames) }

// Frame is the number of the frame that is current now.
func (a *Array) Frame() int { return a.view().number }

// SetFrame makes frame n (modulo [Array.Frames]) current from now on, and lets
// it have been current for one frame period already, so that the newest
// published sample is of this frame too. It stays until the next call.
func (a *Array) SetFrame(n int) {
	if a.Frames() == 0 {
		return
	}
	n = (n%a.Frames() + a.Frames()) % a.Frames()
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	a.timeline.pin(n, now.Add(-a.timeline.period), now)
}

// FollowClock ends what SetFrame began: the clock chooses the frame again.
func (a *Array) FollowClock() {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	a.timeline.pin(-1, now, now)
}
