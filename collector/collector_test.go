package collector

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

func TestApplyInvalidTargets(t *testing.T) {
	c := New(Options{})
	err := c.Apply([]Target{
		target("fa1", &fakeSource{}), target("fa1", &fakeSource{}),
		{Backend: "x"},
		{Host: "ctl1@y", Interval: time.Second},
		{Host: "ctl1@z", Source: &fakeSource{}},
	})
	for _, want := range []string{"ctl1@fa1 is given twice", `backend "x" has no host`, "ctl1@y has no Source", "ctl1@z has no polling interval"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not contain %q: %v", want, err)
		}
	}
	if len(c.Health()) != 0 {
		t.Error("targets were applied nevertheless")
	}
}

func TestApplyReplacesTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &recorder{}
		kept, gone, added := &fakeSource{}, &fakeSource{}, &fakeSource{}
		c, stop := collect(t, Options{Observer: w}, target("kept", kept), target("gone", gone))
		time.Sleep(10 * time.Minute)
		before := len(c.History("ctl1@kept"))

		again := target("kept", &fakeSource{})
		again.Connection = "10.0.0.1"
		keptTarget := target("kept", kept)
		keptTarget.Connection = "10.0.0.1"
		if err := c.Apply([]Target{target("added", added), keptTarget}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if gone.closes() != 1 || kept.closes() != 0 {
			t.Errorf("closed: gone %d times, kept %d times", gone.closes(), kept.closes())
		}
		if _, _, removed := w.count(); removed != 1 || w.removed[0] != "ctl1@gone" {
			t.Errorf("removed: %v", w.removed)
		}
		time.Sleep(firstSpread)
		if len(added.polls()) == 0 {
			t.Error("the added array was not polled")
		}
		if n := len(c.History("ctl1@kept")); n < before {
			t.Errorf("history shrunk from %d to %d", before, n)
		}
		if h := c.Health(); len(h) != 2 || h[0].Host != "ctl1@added" || h[1].Host != "ctl1@kept" {
			t.Errorf("the order is not that of the targets: %+v", h)
		}

		// The same Connection: the new Source is not needed.
		if err := c.Apply([]Target{again}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if again.Source.(*fakeSource).closes() != 1 || kept.closes() != 0 || added.closes() != 1 {
			t.Error("the wrong Source was closed")
		}
		polls := len(gone.polls())
		time.Sleep(5 * time.Minute)
		if len(gone.polls()) != polls {
			t.Error("a removed array is still polled")
		}
		for i, all := 2, kept.polls(); i < len(all); i++ {
			if gap := all[i].Sub(all[i-1]); gap != time.Minute {
				t.Errorf("the kept array was polled after %s", gap)
			}
		}
		stop()
		if kept.closes() != 1 {
			t.Error("no logout at the end")
		}
		if err := c.Apply(nil); err == nil {
			t.Error("a stopped collector accepted targets")
		}
	})
}

func TestApplyChangedStanzaReportedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &recorder{}
		a := &fakeSource{}
		c, _ := collect(t, Options{Observer: w}, target("fa1", a))
		time.Sleep(70 * time.Second)
		polls := len(a.polls())
		changed := target("fa1", a)
		changed.Stanza.Extra = capability.Set{"tier": capability.OfString("gold")}
		if err := c.Apply([]Target{changed}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := w.last(t).Capabilities["tier"].String(); got != "gold" {
			t.Errorf("tier is %s", got)
		}
		if len(a.polls()) != polls {
			t.Error("the array was polled again")
		}
		n, _, _ := w.count()
		if err := c.Apply([]Target{changed}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if m, _, _ := w.count(); m != n {
			t.Error("an unchanged target was reported")
		}
		changed.Interval = 15 * time.Second
		if err := c.Apply([]Target{changed}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		if n := len(a.polls()) - polls; n < 19 || n > 22 {
			t.Errorf("%d polls in five minutes at the new interval", n)
		}
	})
}

func TestApplyChangedConnectionRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &recorder{}
		old, fresh := &fakeSource{}, &fakeSource{}
		first, second := target("fa1", old), target("fa1", fresh)
		first.Connection, second.Connection = "10.0.0.1", "10.0.0.2"
		c, _ := collect(t, Options{Observer: w}, first)
		time.Sleep(time.Minute)
		if err := c.Apply([]Target{second}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, _, removed := w.count(); removed != 1 || old.closes() != 1 {
			t.Errorf("removed %d times, closed %d times", removed, old.closes())
		}
		time.Sleep(firstSpread)
		if len(fresh.polls()) != 1 || len(c.History("ctl1@fa1")) != 1 {
			t.Errorf("%d polls, %d points", len(fresh.polls()), len(c.History("ctl1@fa1")))
		}
	})
}

func TestApplyBeforeRunStoresTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dropped, used := &fakeSource{}, &fakeSource{}
		c := New(Options{})
		if err := c.Apply([]Target{target("fa1", dropped)}); err != nil {
			t.Fatal(err)
		}
		if err := c.Apply([]Target{target("fa2", used)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if len(used.polls()) != 0 || dropped.closes() != 1 {
			t.Error("polled before Run, or kept a removed target")
		}
		stop := run(t, c)
		synctest.Wait()
		if err := c.Run(context.Background()); err == nil {
			t.Error("Run succeeded twice")
		}
		stop()
	})
}

// TestApplyConcurrently checks that every Source is closed exactly once, whatever
// the order of calls.
func TestApplyConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{})
		stop := run(t, c)
		var sources sync.Map
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range 50 {
					var targets []Target
					for n := range (i + g) % 5 {
						a := &fakeSource{}
						targets = append(targets, target(fmt.Sprintf("fa%d", n), a))
						targets[n].Connection = fmt.Sprint((i + g) / 7)
						sources.Store(a, true)
					}
					if err := c.Apply(targets); err != nil {
						t.Error(err)
					}
					_, _, _ = c.Reports(), c.Health(), c.Latest()
					time.Sleep(time.Duration(g+1) * 700 * time.Millisecond)
				}
			})
		}
		wg.Wait()
		stop()
		polls := 0
		sources.Range(func(key, _ any) bool {
			a := key.(*fakeSource)
			polls += len(a.polls())
			if n := a.closes(); n != 1 {
				t.Errorf("a Source was closed %d times", n)
			}
			return true
		})
		if polls == 0 {
			t.Error("nothing was polled")
		}
	})
}

func TestRunStopIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		poll, close time.Duration // how long each takes, whatever its context says
		obeys       bool
		least, most time.Duration
	}{
		"poll ends soon":            {poll: 3 * time.Second, least: 0, most: 3 * time.Second},
		"poll obeys its context":    {poll: time.Hour, obeys: true, least: 5 * time.Second, most: 5 * time.Second},
		"poll never ends":           {poll: time.Hour, least: 5500 * time.Millisecond, most: 5500 * time.Millisecond},
		"logout hangs":              {close: time.Hour, most: 5500 * time.Millisecond},
		"poll and logout never end": {poll: time.Hour, close: time.Hour, most: 11 * time.Second},
		"nothing in flight":         {most: 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var hosts []Target
				for i := range 20 {
					hosts = append(hosts, target(fmt.Sprintf("fa%d", i), &fakeSource{
						onSample: func(ctx context.Context, _ int) (capability.Sample, error) {
							if c.obeys {
								<-ctx.Done()
								return capability.Sample{}, ctx.Err()
							}
							time.Sleep(c.poll)
							return sample(), nil
						},
						onClose: func(context.Context) error { time.Sleep(c.close); return nil },
					}))
					hosts[i].Interval, hosts[i].Timeout = 2*time.Hour, 2*time.Hour
				}
				_, stop := collect(t, Options{}, hosts...)
				time.Sleep(firstSpread)
				began := time.Now()
				stop()
				if took := time.Since(began); took < c.least || took > c.most {
					t.Errorf("stopping took %s", took)
				}
				for _, h := range hosts {
					if h.Source.(*fakeSource).closes() != 1 {
						t.Errorf("%s was closed %d times", h.Host, h.Source.(*fakeSource).closes())
					}
				}
				time.Sleep(2 * time.Hour) // until the abandoned polls end
			})
		})
	}
}

func TestOncePollsAllAtOnceInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &fakeSource{onSample: func(context.Context, int) (capability.Sample, error) {
			time.Sleep(8 * time.Second)
			return sample(), nil
		}}
		hung := &fakeSource{onSample: func(ctx context.Context, _ int) (capability.Sample, error) {
			<-ctx.Done()
			return capability.Sample{}, ctx.Err()
		}}
		crash := &fakeSource{onSample: func(context.Context, int) (capability.Sample, error) { panic("no") }}
		began := time.Now()
		results := Once(context.Background(), []Target{
			target("slow", slow), target("hung", hung), target("crash", crash), target("fine", &fakeSource{}),
		})
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %s", took)
		}
		for i, want := range []struct {
			backend string
			ok      bool
		}{{"slow", true}, {"hung", false}, {"crash", false}, {"fine", true}} {
			if r := results[i]; r.Backend != want.backend || (r.Err == nil) != want.ok || (r.Report.Host != "") != want.ok {
				t.Errorf("result %d is %s, %v", i, r.Backend, r.Err)
			}
		}
		for _, err := range Close([]Target{target("a", slow), target("b", hung)}, time.Second) {
			if err != nil {
				t.Error(err)
			}
		}
	})
}

func TestHistoryKeepsNewest(t *testing.T) {
	r := ring{size: 3}
	if got := r.all(); len(got) != 0 {
		t.Errorf("a new ring has %v", got)
	}
	for i := range 8 {
		r.add(Point{ReadsPerSec: float64(i)})
	}
	got := r.all()
	if len(got) != 3 || got[0].ReadsPerSec != 5 || got[2].ReadsPerSec != 7 {
		t.Errorf("it has %v", got)
	}
}

// TestRunOneDay polls 16 arrays every 15 seconds, some of them faulty, for a day
// of virtual time. Memory and goroutines do not grow, and every healthy array is
// polled on schedule.
func TestRunOneDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const arrays = 16
		targets := make([]Target, arrays)
		for i := range targets {
			targets[i] = target(fmt.Sprintf("fa%02d", i), &fakeSource{onSample: faulty(i)})
			targets[i].Interval, targets[i].OnStale = 15*time.Second, Down
		}
		c, stop := collect(t, Options{}, targets...)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		before := runtime.NumGoroutine()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if after := runtime.NumGoroutine(); after > before+arrays { // a poll each may be in flight
			t.Errorf("%d goroutines became %d", before, after)
		}
		for i, h := range c.Health() {
			if i%8 == 0 && (h.Polls < 5795 || h.Polls > 5805 || h.Errors != 0) {
				t.Errorf("healthy %s was polled %d times", h.Host, h.Polls)
			}
			if len(c.History(h.Host)) > 120 {
				t.Error("history has more than 120 points")
			}
		}
		stop()
		time.Sleep(time.Minute) // until abandoned polls end
	})
}

// faulty makes a Source with one of eight behaviours.
func faulty(i int) func(context.Context, int) (capability.Sample, error) {
	return func(ctx context.Context, poll int) (capability.Sample, error) {
		switch i % 8 {
		case 1:
			return capability.Sample{}, errDown
		case 2:
			panic("faulty")
		case 3:
			<-ctx.Done()
			return capability.Sample{}, ctx.Err()
		case 4:
			time.Sleep(11 * time.Second)
		case 5:
			if poll%3 == 0 {
				return capability.Sample{}, errDown
			}
		case 6:
			if poll%100 == 0 {
				time.Sleep(3 * time.Minute)
			}
		case 7:
			return capability.Sample{Performance: nil}, nil
		}
		return sample(), nil
	}
}
