package collector

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

const (
	// historySpan is the time over which percentiles are taken.
	historySpan = time.Hour
	// historyStep is the least time between two values: the resolution in which
	// arrays are read. It bounds the number of values whatever the interval is.
	historyStep = 30 * time.Second
	// historyCovered is how much of the hour must be covered. With less, a short
	// peak alone would be more than a tenth of the time.
	historyCovered = 45 * time.Minute
	// historyValues is how many values there must be: of fewer the 90th
	// percentile is the largest.
	historyValues = 10
)

// The values of an hour.
const (
	hourLoad = iota
	hourRead
	hourWrite
	hourSeries // their number
)

// hourValue are the values of one performance sample of the array. It is small, as
// there are up to 120 of each array.
type hourValue struct {
	at      int64             // when the array took it, by its own clock: Unix milliseconds
	covers  int32             // milliseconds before that for which it stands
	numbers [hourSeries]int32 // -1 where the array did not report it
}

// hourly keeps the last hour of an array's load, for percentiles and the class of
// load. The zero value is empty. It is used by one goroutine.
type hourly struct {
	array  string      // id of the array that was read
	values []hourValue // in the order of at
	class  loadClass
	limits ClassLimits
	keys   capability.Set // as of the newest value; empty while too little is known
}

// add adds a sample that was polled with an interval. A performance sample of the array
// that was read before changes nothing, and another array begins another hour. A value
// stands for the time since the one before it, and for two intervals at most: the time in
// which an array was not read stays uncovered.
func (h *hourly) add(s capability.Sample, interval time.Duration, limits ClassLimits) {
	p := s.Performance
	if p == nil || p.Time.IsZero() || interval <= 0 {
		return
	}
	if s.Identity.ID != h.array {
		*h = hourly{array: s.Identity.ID}
	}
	at := p.Time.UnixMilli()
	// The array's clock was set back.
	kept := slices.IndexFunc(h.values, func(v hourValue) bool { return v.at > at })
	if kept >= 0 {
		h.values = h.values[:kept]
	}
	covers := historyStep
	if n := len(h.values); n > 0 {
		since := time.Duration(at-h.values[n-1].at) * time.Millisecond
		if since < historyStep {
			if limits != h.limits {
				h.update(h.values[n-1].at, limits)
			}
			return
		}
		covers = min(since, 2*max(interval, historyStep))
	}
	first := at - historySpan.Milliseconds()
	h.values = slices.DeleteFunc(h.values, func(v hourValue) bool { return v.at <= first })
	h.values = append(h.values, hourValue{at: at, covers: int32(covers.Milliseconds()), numbers: numbersOf(p)})
	h.update(at, limits)
}

func numbersOf(p *capability.Performance) (n [hourSeries]int32) {
	load, known := loadPercent(p)
	for i, v := range []*int64{&load, p.UsecPerRead, p.UsecPerWrite} {
		n[i] = -1
		if v != nil && *v >= 0 && (i != hourLoad || known) {
			n[i] = int32(min(*v, math.MaxInt32))
		}
	}
	return n
}

// update computes the keys as of a time.
func (h *hourly) update(at int64, limits ClassLimits) {
	h.keys = make(capability.Set, hourSeries+1)
	for i, key := range []string{capability.KeyHourlyLoadPercent, capability.KeyHourlyUsecPerRead, capability.KeyHourlyUsecPerWrite} {
		if v, ok := h.percentile(i, at); ok {
			h.keys[key] = capability.OfInt(v)
		}
	}
	if limits != h.limits {
		h.class, h.limits = loadClass{}, limits
	}
	load, ok := h.keys[capability.KeyHourlyLoadPercent].Int()
	if !ok {
		h.class = loadClass{}
		return
	}
	h.class.update(at, load, limits)
	h.keys[capability.KeyLoadClass] = capability.OfString(h.class.name())
}

// percentile is the 90th percentile of one series in the hour before a time, by nearest
// rank: the least value that was not exceeded for nine tenths of the time that is
// covered. It is not known while too little is covered.
func (h *hourly) percentile(series int, at int64) (int64, bool) {
	type weighed struct{ number, covers int32 }
	list := make([]weighed, 0, len(h.values))
	var covered int64
	for _, v := range h.values {
		covers := int32(min(int64(v.covers), v.at-(at-historySpan.Milliseconds())))
		if v.numbers[series] >= 0 && covers > 0 {
			list = append(list, weighed{v.numbers[series], covers})
			covered += int64(covers)
		}
	}
	if len(list) < historyValues || covered < historyCovered.Milliseconds() {
		return 0, false
	}
	slices.SortFunc(list, func(a, b weighed) int { return cmp.Compare(a.number, b.number) })
	var upTo int64
	for _, v := range list {
		if upTo += int64(v.covers); 10*upTo >= 9*covered {
			return int64(v.number), true
		}
	}
	return int64(list[len(list)-1].number), true
}

// put adds the keys of the hour to what was measured.
func (h *hourly) put(measured capability.Set) {
	for key, v := range h.keys {
		measured[key] = v
	}
}
