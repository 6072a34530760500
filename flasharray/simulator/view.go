package simulator

import (
	"time"
)

// view is an array at one instant: what every part of one answer agrees on.
type view struct {
	array    *Array
	now      time.Time
	timeline timeline
	history  History
	frame    frame
	number   int // of the frame
}

func (a *Array) view() *view {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := &view{array: a, now: a.now(), timeline: a.timeline.clone(), history: a.history}
	if v.timeline.frames > 0 {
		v.number = v.timeline.at(v.now)
		v.frame = a.fixture.frames[v.number]
	}
	return v
}

func (v *view) millis() int64 { return v.now.UnixMilli() }

// count is how many objects of a kind there are now.
func (v *view) count(kind string) Count {
	if c, ok := v.array.opts.Population[kind]; ok {
		return c
	}
	if c, ok := v.frame.population[kind]; ok {
		return c
	}
	var c Count
	for _, o := range v.frame.responses[kind] {
		if dead, _ := o["destroyed"].(bool); dead {
			c.Destroyed++
		} else {
			c.Live++
		}
	}
	return c
}

// collection is the objects of an endpoint that lists objects.
func (v *view) collection(path string) collection {
	items := v.frame.responses[path]
	switch path {
	case "arrays":
		return v.arrays()
	case "volumes":
		return v.volumes()
	case "volume-snapshots":
		return grow(items, v.count(path), v.snapshotMaker())
	case "hosts":
		return grow(items, v.count(path), v.hostMaker())
	case "protection-groups":
		return grow(items, v.count(path), v.groupMaker())
	}
	return recorded(items)
}

func (v *view) volumes() *grown {
	return grow(v.frame.responses["volumes"], v.count("volumes"), v.volumeMaker())
}

// arrays shows the space that arrays/space shows, and the array's clock.
func (v *view) arrays() recorded {
	if len(v.frame.responses["arrays"]) == 0 {
		return nil
	}
	o := clone(v.frame.responses["arrays"][0])
	o["space"] = cloneValue(v.frame.responses["arrays/space"][0]["space"])
	o["_as_of"] = v.millis()
	return recorded{o}
}

// space is the array's own space at this instant.
func (v *view) space() object { return sub(v.frame.responses["arrays/space"][0], "space") }
