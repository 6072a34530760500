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

// What an error of a Source may tell beside its text. flasharray's errors do.
type (
	refusal   interface{ Unauthorized() bool }
	postponed interface{ RetryAfter() time.Duration }
	traced    interface{ RequestID() string }
)

// backoff returns how long to wait after the given number of failures in a
// row, the last of which was err: twice as long each time up to a cap, less a
// random part of up to a half, and never shorter than the array itself asked.
func backoff(failures int, err error) time.Duration {
	first, limit := networkFirst, networkCap
	var r refusal
	if errors.As(err, &r) && r.Unauthorized() {
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

// requestID returns the array's name for the request that failed, or "".
func requestID(err error) string {
	var t traced
	if errors.As(err, &t) {
		return t.RequestID()
	}
	return ""
}
