package collector

import (
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// firstSpread is the time within which all first polls start: soon, but not all
// at once.
const firstSpread = 3 * time.Second

// schedule is an array's offset within the interval. It depends on the host's
// name alone, so that polls of many arrays are spread evenly, and an array keeps
// its offset over restarts.
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
// poll started at t. Polls started on a slot are therefore exactly one interval
// apart, however long they take, and the one after a retry is back on the slot.
func (s schedule) after(t time.Time) time.Time {
	earliest := t.Add(s.interval / 2)
	phase := (earliest.UnixNano() - int64(s.offset)) % int64(s.interval)
	if phase < 0 {
		phase += int64(s.interval)
	}
	return earliest.Add(s.interval - time.Duration(phase))
}

// Bounds of the wait between polls of an array that does not respond. A
// recovered network should be noticed soon; a wrong token should not be tried so
// often that the array raises an alert or locks the account.
const (
	networkFirst = 2 * time.Second
	networkMax   = 30 * time.Second
	loginFirst   = 30 * time.Second
	waitMax      = 5 * time.Minute // after refused logins, and for Retry-After
)

// backoff returns how long to wait after the given number of consecutive
// failures, the last of which was err, a refused login perhaps: twice as long
// each time up to a maximum, less a random part of up to a half, and at least
// the time that the array asked for.
func backoff(failures int, err error, refused bool) time.Duration {
	first, limit := networkFirst, networkMax
	if refused {
		first, limit = loginFirst, waitMax
	}
	wait := limit
	if n := failures - 1; n < 16 {
		wait = min(limit, first<<max(n, 0))
	}
	wait -= rand.N(wait / 2)
	var postponed interface{ RetryAfter() time.Duration }
	if errors.As(err, &postponed) {
		wait = max(wait, min(postponed.RetryAfter(), waitMax))
	}
	return wait
}
