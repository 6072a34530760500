package simulator

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Order is the order of the samples of one object when the request has no sort.
// It is not documented; see doc.go.
type Order int

// The orders of a history.
const (
	Ascending Order = iota // oldest first
	Descending
	Unordered // neither, but the same each time
)

// History are the settings for the samples of an array. The zero value keeps all
// samples and lists the oldest first.
type History struct {
	Order     Order
	Ahead     time.Duration        // how far samples are in the future, as after the clock was set back
	Late      time.Duration        // how long after its time a sample is published
	Gap       func(time.Time) bool // true: no sample was taken at that time; nil: there are no gaps
	Empty     bool                 // no sample at all, as on a new or idle array
	Retention time.Duration        // how long samples are kept; 0: as long as an array keeps them
}

// SetHistory replaces the settings for samples.
func (a *Array) SetHistory(h History) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.history = h
}

// window is the history that a request selects, in milliseconds.
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

// current reports that the current values are requested, rather than history.
func (w *window) current() bool { return w.start == nil && w.end == nil && w.resolution == nil }

// resolution is a distance of samples and how long they are kept.
type resolution struct{ millis, kept int64 }

// resolutions are those of arrays/performance; other performance starts with the
// second, space with the third. Retention is as third parties observed it.
var resolutions = []resolution{
	{1_000, 3 * hour},
	{30_000, 3 * hour},
	{300_000, day},
	{1_800_000, 7 * day},
	{7_200_000, 30 * day},
	{28_800_000, 90 * day},
	{day, 366 * day},
}

func resolutionsOf(path string) []resolution {
	switch {
	case path == "arrays/performance":
		return resolutions
	case path == "arrays/space" || isSpace(path):
		return resolutions[2:]
	}
	return resolutions[1:]
}

// times are the times of samples in the window, or the current time without one.
// A window is open at its start and closed at its end, so that a default one has
// exactly one sample.
func (v *view) times(path string, w window) ([]int64, error) {
	now := v.millis()
	if w.current() {
		return []int64{now}, nil
	}
	chosen, err := w.choose(resolutionsOf(path))
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

func (w *window) choose(valid []resolution) (resolution, error) {
	if w.resolution == nil {
		return valid[0], nil
	}
	for _, r := range valid {
		if r.millis == *w.resolution {
			return r, nil
		}
	}
	return resolution{}, refuse("resolution", "Invalid resolution %d.", *w.resolution)
}

func (v *view) samples(s resolution, start, end int64) []int64 {
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
		random := rand.New(rand.NewPCG(1, uint64(len(times))))
		random.Shuffle(len(times), func(i, j int) { times[i], times[j] = times[j], times[i] })
	}
}

// isSpace and isPerformance report endpoints with values of objects.
func isSpace(path string) bool       { return strings.HasSuffix(path, "/space") }
func isPerformance(path string) bool { return strings.HasSuffix(path, "/performance") }

// frameAt is the frame that was current at the time of a sample.
func (v *view) frameAt(millis int64) frame {
	return v.array.fixture.frames[v.timeline.at(time.UnixMilli(millis))]
}

// arraySample is the one item of arrays/space or arrays/performance at a time.
func (v *view) arraySample(path string, millis int64, fileOnly bool) object {
	var o object
	if v.state != nil {
		o = v.measuredArray(path, millis)
	} else {
		o = clone(v.frameAt(millis).responses[path][0])
	}
	o["id"], o["name"], o["time"] = v.array.fixture.id, v.array.fixture.Name, millis
	if fileOnly {
		zeroNumbers(o)
	}
	return o
}

// zeroNumbers makes the sample of an idle array: rates and times are 0, not null.
func zeroNumbers(o object) {
	for name, value := range o {
		if _, isNumber := number(value); isNumber && name != "time" {
			o[name] = int64(0)
		}
	}
}

// spaceSample is an object's item of volumes/space and its like.
func (v *view) spaceSample(base collection, i int, millis int64) object {
	o := base.item(i)
	if changing, ok := base.(sized); ok {
		o["space"] = v.objectSpace(changing.kind, changing.recorded[i], millis)
	}
	s := object{"name": o["name"], "space": o["space"], "time": millis}
	if id, ok := o["id"]; ok {
		s["id"] = id
	}
	return s
}

// performanceSample is an object's item of volumes/performance and its like: the
// recorded one if there is one, else its share of the array's load.
func (v *view) performanceSample(path string, base collection, i int, millis int64) object {
	name, _ := base.field(i, "name")
	id, hasID := base.field(i, "id")
	frame := v.frameAt(millis)
	var o object
	if changing, ok := base.(sized); ok {
		o = v.measuredPerformance(changing.kind, changing.recorded[i], millis)
	} else if at, ok := recorded(frame.responses[path]).find("name", name.(string)); ok {
		o = clone(frame.responses[path][at])
	} else {
		position, of := v.position(path, base, i)
		o = shareOfLoad(frame.responses["arrays/performance"][0], position, of)
	}
	o["name"], o["time"] = name, millis
	delete(o, "id") // hosts have none
	if hasID {
		o["id"] = id
	}
	return o
}

// position is the position of an object among those with load. Objects without
// load have a position beyond the last.
func (v *view) position(path string, base collection, i int) (position, of int) {
	g, ok := base.(*partlyGenerated)
	if !ok || path == "pods/performance" {
		return 1, 1
	}
	s, generated := g.serialAt(i)
	if !generated || s.destroyed {
		return g.live, g.live
	}
	return s.n, g.live
}

// rateOf names the rate by which a latency is weighted: an average over several
// objects counts each by its operations. It is empty for other fields.
func rateOf(name string) string {
	if !strings.Contains(name, "usec_per_") {
		return ""
	}
	for _, kind := range []string{"mirrored_write", "read", "write", "other"} {
		if strings.HasSuffix(name, "_"+kind+"_op") {
			return kind + "s_per_sec"
		}
	}
	return ""
}

// shareOfLoad is one object's share of the array's sample.
func shareOfLoad(array object, i, n int) object {
	o := maps.Clone(array)
	delete(o, "queue_depth")
	delete(o, "local_queue_usec_per_op")
	for name, value := range array {
		if total, ok := integer(value); ok && strings.HasSuffix(name, "_per_sec") {
			o[name] = share(total, i, n)
		}
	}
	for name := range o {
		if rate := rateOf(name); rate != "" && o[rate] == int64(0) && o[name] != nil {
			o[name] = int64(0)
		}
	}
	averageSizes(o)
	return o
}

// averageSizes derives bytes per operation from the rates.
func averageSizes(o object) {
	rate := func(name string) int64 { n, _ := integer(o[name]); return n }
	reads, writes, mirrored := rate("reads_per_sec"), rate("writes_per_sec"), rate("mirrored_writes_per_sec")
	in, out, across := rate("write_bytes_per_sec"), rate("read_bytes_per_sec"), rate("mirrored_write_bytes_per_sec")
	o["bytes_per_read"] = out / max(reads, 1)
	o["bytes_per_write"] = in / max(writes, 1)
	o["bytes_per_mirrored_write"] = across / max(mirrored, 1)
	o["bytes_per_op"] = (in + out + across) / max(reads+writes+mirrored, 1)
}
