package simulator

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// view is the state of an array at one time, which all parts of a response use.
type view struct {
	array    *Array
	now      time.Time
	timeline timeline
	history  History
	frame    frame
	number   int    // of the frame
	state    *state // nil: the array is not writable
	measured *measurements
}

func (a *Array) view() *view {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := &view{array: a, now: a.now(), timeline: a.timeline.clone(), history: a.history}
	if v.timeline.frames > 0 {
		v.number = v.timeline.at(v.now)
		v.frame = a.fixture.frames[v.number]
	}
	if a.state != nil {
		v.state = a.state
		v.frame = v.overlaid(v.frame)
	}
	return v
}

// overlaid is a frame with the tables of a writable array.
func (v *view) overlaid(f frame) frame {
	responses := maps.Clone(f.responses)
	maps.Copy(responses, v.state.tables)
	return frame{responses: responses, population: Population{}}
}

func (v *view) millis() int64 { return v.now.UnixMilli() }

// count is how many objects of a kind there are now.
func (v *view) count(kind string) Count {
	if c, ok := v.array.opts.Population[kind]; ok && v.state == nil {
		return c
	}
	if c, ok := v.frame.population[kind]; ok {
		return c
	}
	var c Count
	for _, o := range v.frame.responses[kind] {
		if isDestroyed(o) {
			c.Destroyed++
		} else {
			c.Live++
		}
	}
	return c
}

// collection is the objects of an endpoint that lists objects.
func (v *view) collection(path string) collection {
	switch {
	case path == "arrays":
		return v.arrays()
	case v.state != nil && slices.Contains(measuredKinds, path):
		return sized{stored{v.frame.responses[path], v.millis()}, v, path}
	case v.state != nil && v.state.tables[path] != nil:
		return stored{v.frame.responses[path], v.millis()}
	case len(v.frame.responses[path]) == 0:
		return v.unrecorded(path)
	case strings.HasPrefix(path, "pod-replica-links/"):
		return v.timed(path)
	}
	return v.partlyRecorded(path)
}

// unrecorded are the objects of an endpoint without a file.
func (v *view) unrecorded(path string) collection {
	switch path {
	case "drives":
		return v.drives()
	case "hardware":
		return v.hardware()
	case "connections":
		return v.connections()
	case "volumes", "volume-snapshots", "hosts", "protection-groups":
		return v.partlyRecorded(path)
	}
	return v.settings(path)
}

// partlyRecorded are the recorded objects, and those that only a count stands for.
func (v *view) partlyRecorded(path string) collection {
	items := v.frame.responses[path]
	switch path {
	case "volumes":
		return v.volumes()
	case "volume-snapshots":
		return withGenerated(items, v.count(path), v.snapshotGenerator())
	case "hosts":
		return withGenerated(items, v.count(path), v.hostGenerator())
	case "protection-groups":
		return withGenerated(items, v.count(path), v.groupGenerator())
	}
	return recorded(items)
}

func (v *view) volumes() *partlyGenerated {
	return withGenerated(v.frame.responses["volumes"], v.count("volumes"), v.volumeGenerator())
}

// arrays has the space of arrays/space, and the array's clock.
func (v *view) arrays() recorded {
	if len(v.frame.responses["arrays"]) == 0 {
		return nil
	}
	o := clone(v.frame.responses["arrays"][0])
	o["space"] = v.arraySample("arrays/space", v.millis(), false)["space"]
	o["_as_of"] = v.millis()
	return recorded{o}
}

// space is the array's own space.
func (v *view) space() object { return sub(v.frame.responses["arrays/space"][0], "space") }

// timeline determines the frame that is current at a time. By default it follows
// the clock: each frame for a period, in a cycle. A pin overrides that from its
// time on.
type timeline struct {
	period time.Duration
	frames int
	pins   []pin
}

type pin struct {
	from  time.Time
	frame int
}

// pinsKept is how long pins are kept: the retention of 30 s samples.
const pinsKept = 3 * time.Hour

func (t *timeline) clone() timeline {
	return timeline{period: t.period, frames: t.frames, pins: slices.Clone(t.pins)}
}

func (t *timeline) at(instant time.Time) int {
	for _, p := range slices.Backward(t.pins) {
		if !instant.Before(p.from) {
			return p.frame
		}
	}
	n := instant.UnixMilli() / max(t.period.Milliseconds(), 1) % int64(t.frames)
	return int((n + int64(t.frames)) % int64(t.frames))
}

func (t *timeline) pin(frame int, from, now time.Time) {
	t.pins = slices.DeleteFunc(t.pins, func(p pin) bool { return !p.from.Before(from) })
	for len(t.pins) > 1 && t.pins[1].from.Before(now.Add(-pinsKept)) {
		t.pins = t.pins[1:]
	}
	t.pins = append(t.pins, pin{from: from, frame: frame})
}

// Frames is how many frames the fixture has.
func (a *Array) Frames() int { return len(a.fixture.frames) }

// Frame is the number of the current frame.
func (a *Array) Frame() int { return a.view().number }

// SetFrame makes frame n (modulo [Array.Frames]) current until the next call,
// beginning one frame period ago, so that the newest published sample is of this
// frame too.
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
