package collector

import (
	"errors"
	"math/rand/v2"
	"time"
)

// Bounds of the wait between polls of an array that does not answer. A network
// that comes back should be seen soon; a wrong token should not be tried so
// often that the array raises an alert or locks the account.
const (
	networkFirst = 2 * time.Second
	networkCap   = 30 * time.Second
	loginFirst   = 30 * time.Second
	waitCap      = 5 * time.Minute // after refused logins, and for Retry-After
)

// postponed is an error in which the array says how long to leave it alone.
type postponed interface{ RetryAfter() time.Duration }

// backoff returns how long to wait after the given number of failures in a
// row, the last of which was err, a refused login perhaps: twice as long each
// time up to a cap, less a random part of up to a half, and never shorter than
// the array itself asked.
func backoff(failures int, err error, refused bool) time.Duration {
	first, limit := networkFirst, networkCap
	if refused {
		first, limit = loginFirst, waitCap
	}
	wait := limit
	if n := failures - 1; n < 16 {
		wait = min(limit, first<<max(n, 0))
	}
	wait -= rand.N(wait / 2)
	var p postponed
	if errors.As(err, &p) {
		wait = max(wait, min(p.RetryAfter(), waitCap))
	}
	return wait
}
