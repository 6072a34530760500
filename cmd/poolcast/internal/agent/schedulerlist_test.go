package agent

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/publisher"
)

// TestSchedulerListIsRequestedOnceAMinute: for all questions at once, on demand, and
// also after a failure.
func TestSchedulerListIsRequestedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		fails := errors.New("no scheduler runs")
		l := newSchedulerList(func(context.Context) (*publisher.SchedulerPools, error) {
			requests++
			time.Sleep(time.Second)
			if requests == 2 {
				return nil, fails
			}
			return &publisher.SchedulerPools{Pools: []publisher.SchedulerPool{{Name: "a@b#c"}}}, nil
		}, func() []string { return nil })
		time.Sleep(time.Hour)
		ask := func(want int, wantErr error) {
			t.Helper()
			var questions sync.WaitGroup
			for range 5 {
				questions.Go(func() {
					list, err := l.get()
					if !errors.Is(err, wantErr) || (list == nil) != (wantErr != nil) {
						t.Errorf("got %v, %v", list, err)
					}
				})
			}
			questions.Wait()
			if requests != want {
				t.Errorf("%d requests, want %d", requests, want)
			}
		}
		ask(1, nil)
		time.Sleep(listInterval - time.Second)
		ask(1, nil)
		time.Sleep(time.Second)
		ask(2, fails)
		time.Sleep(listInterval / 2)
		ask(2, fails)
		const want = "no scheduler runs (30s ago; the next request is in 30s, and poolcast place --source scheduler makes one now)"
		if _, err := l.get(); err == nil || err.Error() != want {
			t.Errorf("the error of an earlier request is %v", err)
		}
		time.Sleep(listInterval)
		ask(3, nil)
	})
}
