package process

import (
	"testing"
	"time"
)

// pause is how long Await rests between two questions.
const pause = 50 * time.Millisecond

// Await asks for a condition until it holds, which is when missing returns nil.
// After the bound the test stops with what was awaited and the last answer.
func Await(t testing.TB, within time.Duration, what string, missing func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := missing()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s: %v", within, what, err)
		}
		time.Sleep(pause)
	}
}
