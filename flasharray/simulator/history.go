package simulator

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// Order is how samples of one object follow one another when no sort is asked
// for. No source states it; see doc.go.
type Order int

// The orders in which history may come.
const (
	Ascending Order = iota // oldest first
	Descending
	Unordered // neither, but the same each time
)

// History is how an array keeps samples. The zero value keeps all of them and
// lists the oldest first.
type History struct {
	Order     Order
	Ahead     time.Duration        // how far samples reach into the future, as after the clock was set back
	Late      time.Duration        // how long after its time a sample is published
	Gap       func(time.Time) bool // true: no sample was taken then; nil: there are no gaps
	Empty     bool                 // no sample at all, as on an array that is new or idle
	Retention time.Duration        // forget samples sooner than an array would; 0: as an array
}

// SetHistory replaces how samples are kept and listed.
func (a *Array) SetHistory(h History) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.history = h
}

// window is the history that a request asks for, in milliseconds.
type window struct {
	start, end, resolution *int64
}

func (w *window) set(name, value string) error {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return refuse(name, "Invalid value %q: it must be a count of milliseconds.", value)
	}
	switch name {
	case "start_time":
		w.start = &n
	case "end_time":
		w.end = &n
	default:
		w.resolution = &n
	}
	return nil
}

// current says whether one reading of now is asked for, rather than history.
func (w *window) current() bool { return w.start == nil && w.end == nil && w.resolution == nil }

// step is a resolution and how long samples of it are kept.
type step struct{ millis, kept int64 }

// steps are the resolutions of arrays/performance; other performance starts
// with the second, space with the third. Retention is as third parties saw it.
var steps = []step{
	{1_000, 3 * hour},
	{30_000, 3 * hour},
	{300_000, day},
	{1_800_000, 7 * day},
	{7_200_000, 30 * day},
	{28_800_000, 90 * day},
	{day, 366 * day},
}

const hour = 3_600_000 // milliseconds

func stepsOf(path string) []step {
	switch {
	case path == "arrays/performance":
		return steps
	case path == "arrays/space" || isSpace(path):
		return steps[2:]
	}
	return steps[1:]
}

// times are the instants that samples exist for. The window is open at its
// start and closed at its end, so that a default one holds exactly one sample.
func (v *view) times(path string, w window) ([]int64, error) {
	now := v.millis()
	chosen, err := w.step(stepsOf(path))
	if err != nil {
		return nil, err
	}
	end := now + v.history.Ahead.Milliseconds()
	if w.end != nil {
		end = *w.end
	}
	start := end - chosen.millis
	if w.start != nil {
		start = *w.start
	}
	if start > end {
		return nil, refuse("start_time", "Invalid time range: start_time is after end_time.")
	}
	if v.history.Empty {
		return nil, nil
	}
	times := v.samples(chosen, start, end)
	v.history.arrange(times)
	return times, nil
}

func (w *window) step(valid []step) (step, error) {
	if w.resolution == nil {
		return valid[0], nil
	}
	for _, s := range valid {
		if s.millis == *w.resolution {
			return s, nil
		}
	}
	return step{}, refuse("resolution", "Invalid resolution %d.", *w.resolution)
}

func (v *view) samples(s step, start, end int64) []int64 {
	kept := s.kept
	if r := v.history.Retention.Milliseconds(); r > 0 {
		kept = min(kept, r)
	}
	first := max(start, v.millis()-kept)
	last := min(end, v.millis()-v.history.Late.Milliseconds()+v.history.Ahead.Milliseconds())
	phase := v.array.fixture.Phase.Milliseconds() % s.millis
	var times []int64
	for t := (first-phase)/s.millis*s.millis + phase; t <= last; t += s.millis {
		if t > first && !v.history.missed(t) {
			times = append(times, t)
		}
	}
	return times
}

func (h *History) missed(millis int64) bool {
	return h.Gap != nil && h.Gap(time.UnixMilli(millis).UTC())
}

func (h *History) arrange(times []int64) {
	switch h.Order {
	case Descending:
		slices.Reverse(times)
	case Unordered:
		dice := rand.New(rand.NewPCG(1, uint64(len(times))))
		dice.Shuffle(len(times), func(i, j int) { times[i], times[j] = times[j], times[i] })
	}
}
