package agent

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
	"github.com/poolcast/poolcast/publisher/status"
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

// TestPageViewsRequestTheListOnceAMinute: a hundred views a second neither wait nor cause
// more than one request a minute, also while a backend is missing in each list; without a
// view or a broker there is no request.
func TestPageViewsRequestTheListOnceAMinute(t *testing.T) {
	for name, c := range map[string]struct {
		lasts time.Duration // of a request
		err   error
		least int64
	}{
		"at once":         {0, nil, 10},
		"slow":            {7 * time.Second, nil, 9},
		"without a reply": {listTimeout, errors.New("no reply"), 9},
		"refused at once": {0, errors.New("ACCESS_REFUSED"), 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int64
				var connected atomic.Bool
				l := newSchedulerList(func(context.Context) (*publisher.SchedulerPools, error) {
					requests.Add(1)
					time.Sleep(c.lasts)
					return &publisher.SchedulerPools{Pools: []publisher.SchedulerPool{{Name: "a@b#c"}}}, c.err
				}, func() []string { return []string{"a@missing"} })
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() {
					l.run(ctx, connected.Load)
					close(ended)
				}()
				look := func(d time.Duration) {
					t.Helper()
					for begin := time.Now(); time.Since(begin) < d; time.Sleep(10 * time.Millisecond) {
						before := time.Now()
						l.view()
						if waited := time.Since(before); waited > 0 {
							t.Fatalf("a view waited for %s", waited)
						}
					}
				}
				look(time.Minute)
				if n := requests.Load(); n != 0 {
					t.Errorf("%d requests without a connection", n)
				}
				connected.Store(true)
				look(10 * time.Minute)
				if n := requests.Load(); n > 10 || n < c.least {
					t.Errorf("%d requests in ten minutes, want %d to 10", n, c.least)
				}
				time.Sleep(listInterval)
				before := requests.Load()
				time.Sleep(time.Hour)
				if n := requests.Load() - before; n != 0 {
					t.Errorf("%d requests while the page was not viewed", n)
				}
				cancel()
				<-ended
			})
		})
	}
}

// TestQuestionRepeatsAShortList: a question does not decide on a list that lacks a
// backend and was requested once, for the page.
func TestQuestionRepeatsAShortList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		l := newSchedulerList(func(context.Context) (*publisher.SchedulerPools, error) {
			requests++
			list := &publisher.SchedulerPools{Pools: []publisher.SchedulerPool{{Name: "a@b#c"}}}
			if requests > 1 {
				list.Pools = append(list.Pools, publisher.SchedulerPool{Name: "a@late#c"})
			}
			return list, nil
		}, func() []string { return []string{"a@late"} })
		l.refresh(t.Context())
		for range 3 {
			if list, err := l.get(); err != nil || len(list.Pools) != 2 || requests != 2 {
				t.Errorf("%d requests gave %+v, %v", requests, list, err)
			}
		}
	})
}

// TestRepeatedRequestFails: the list at hand is used, and there is no third request.
func TestRepeatedRequestFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		l := newSchedulerList(func(context.Context) (*publisher.SchedulerPools, error) {
			if requests++; requests > 1 {
				return nil, errors.New("no reply")
			}
			return &publisher.SchedulerPools{Pools: []publisher.SchedulerPool{{Name: "a@b#c"}}}, nil
		}, func() []string { return []string{"a@late"} })
		l.refresh(t.Context())
		for range 3 {
			if list, err := l.get(); err != nil || len(list.Pools) != 1 || requests != 2 {
				t.Errorf("%d requests gave %+v, %v", requests, list, err)
			}
		}
	})
}

// TestFailedRequestKeepsTheListOfThePage: the page shows the older list with the reason.
func TestFailedRequestKeepsTheListOfThePage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fails error
		l := newSchedulerList(func(context.Context) (*publisher.SchedulerPools, error) {
			if fails != nil {
				return nil, fails
			}
			return &publisher.SchedulerPools{Pools: []publisher.SchedulerPool{{Name: "a@b#c"}}}, nil
		}, func() []string { return nil })
		l.refresh(t.Context())
		time.Sleep(listInterval)
		fails = errors.New("no reply")
		l.refresh(t.Context())
		if r := l.view(); !errors.Is(r.err, fails) || r.list != nil || r.last == nil || len(r.last.Pools) != 1 {
			t.Errorf("the view is %+v", r)
		}
	})
}

// TestViewOfTheList: the page has the pools of others, by name and with their zones, and
// the agent's own backends that are missing, unless they were configured since.
func TestViewOfTheList(t *testing.T) {
	t.Parallel()
	received := time.Now()
	a := &agent{source: &statusSource{}, list: newSchedulerList(nil, nil)}
	a.current.Store(&setup.Setup{
		Config: &config.Config{Zones: map[string]string{"ctl1@lvm": "dc3"}, API: config.API{StorageZone: "dc1"}},
		Targets: []setup.Target{
			{Target: collector.Target{Host: "ctl1@fa1"}},
			{Target: collector.Target{Host: "ctl1@fa2", Cluster: "c1@fa2"}},
			{Target: collector.Target{Host: "ctl1@fa3"}},
		},
	})
	a.source.config.Store(&status.Config{Loaded: received.Add(-time.Hour)})
	if got := a.viewList(); !got.RequestedAt.IsZero() || !got.ReceivedAt.IsZero() || got.Unlisted != nil || got.Others != nil {
		t.Errorf("before the first reply: %+v", got)
	}
	list := &publisher.SchedulerPools{Received: received}
	for _, name := range []string{"ctl2@fa1#gold", "ctl1@fa1#gold", "c1@fa2#gold", "ctl1@lvm#lvm"} {
		list.Pools = append(list.Pools, publisher.SchedulerPool{Name: name})
	}
	a.list.store(list, nil, false)
	want := []status.ListedPool{{Name: "ctl1@lvm#lvm", Zone: "dc3"}, {Name: "ctl2@fa1#gold", Zone: "dc1", ZoneAssumed: true}}
	got := a.viewList()
	if !reflect.DeepEqual(got.Others, want) || !slices.Equal(got.Unlisted, []string{"ctl1@fa3"}) || got.ReceivedAt != received || got.Failure != "" {
		t.Errorf("the list is %+v", got)
	}
	a.source.config.Store(&status.Config{Loaded: received.Add(time.Second)})
	if got := a.viewList(); got.Unlisted != nil || len(got.Others) != 2 {
		t.Errorf("after a reload: %+v", got)
	}
	a.list.store(nil, errors.New("no reply"), false)
	if got := a.viewList(); got.Failure != "no reply" || len(got.Others) != 2 || !got.RequestedAt.After(received) {
		t.Errorf("after a failure: %+v", got)
	}
}
