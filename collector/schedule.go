package collector

import (
	"hash/fnv"
	"time"
)

// firstSpread is the time within which all first polls happen: soon after the
// start, and yet not in one instant.
const firstSpread = 3 * time.Second

// schedule is an array's place in the interval. It depends on the host's name
// alone, so that a thousand arrays spread evenly, and an array keeps its place
// over restarts.
type schedule struct {
	interval time.Duration
	offset   time.Duration // of the slots, from multiples of the interval since 1970
	spread   time.Duration // of the first poll, from the start
}

func newSchedule(host string, interval time.Duration) schedule {
	h := fnv.New64a()
	_, _ = h.Write([]byte(host))
	sum := h.Sum64()
	return schedule{
		interval: interval,
		offset:   time.Duration(sum % uint64(interval)),
		spread:   time.Duration(sum % uint64(min(interval, firstSpread))),
	}
}

// after returns the first slot that leaves at least half an interval after a
// poll begun at t. Polls begun on a slot are therefore exactly one interval
// apart, however long they take, and the one after a retry is back on the slot.
func (s schedule) after(t time.Time) time.Time {
	earliest := t.Add(s.interval / 2)
	phase := (earliest.UnixNano() - int64(s.offset)) % int64(s.interval)
	if phase < 0 {
		phase += int64(s.interval)
	}
	return earliest.Add(s.interval - time.Duration(phase))
}
