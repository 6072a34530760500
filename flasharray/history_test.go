package flasharray_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

func TestNewestSampleInAnyOrder(t *testing.T) {
	never := func(time.Time) bool { return true }
	minutesAgo := func(d time.Duration) func(time.Time) bool { // nothing since then
		end := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Hour - d)
		return func(at time.Time) bool { return at.After(end) }
	}
	for name, tc := range map[string]struct {
		history simulator.History
		age     time.Duration // at most; 0 for no sample
		cost    [2]int        // requests of the second and the third sample
	}{
		"ascending":  {simulator.History{}, 30 * time.Second, [2]int{8, 8}},
		"descending": {simulator.History{Order: simulator.Descending}, 30 * time.Second, [2]int{8, 8}},
		"unordered":  {simulator.History{Order: simulator.Unordered}, 30 * time.Second, [2]int{8, 8}},
		"late":       {simulator.History{Late: 50 * time.Second}, 80 * time.Second, [2]int{8, 8}},
		"very late":  {simulator.History{Late: 4 * time.Minute}, 5 * time.Minute, [2]int{8, 8}},
		"idle":       {simulator.History{Gap: minutesAgo(20 * time.Minute)}, 21 * time.Minute, [2]int{8, 8}},
		"empty":      {simulator.History{Empty: true}, 0, [2]int{8, 8}},
		"never":      {simulator.History{Gap: never}, 0, [2]int{8, 8}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Hour)
				l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
				defer l.close(t)
				l.sampleComplete(t)
				l.SetHistory(tc.history)
				for _, cost := range tc.cost {
					l.ResetTraffic()
					perf := l.sampleComplete(t).Performance
					switch {
					case tc.age == 0 && perf != nil:
						t.Errorf("found a sample: %+v", perf)
					case tc.age > 0 && (perf == nil || perf.Age > tc.age || perf.ReadsPerSec == nil):
						t.Errorf("found %+v, want a sample of at most %s", perf, tc.age)
					}
					if n := l.requestCount(); n != cost {
						t.Errorf("cost %d requests: %v", n, l.Requests())
					}
				}
				l.SetHistory(simulator.History{})
				for range 2 {
					if perf := l.sampleComplete(t).Performance; perf == nil || perf.Age > 30*time.Second {
						t.Errorf("after the array is busy again the newest is %+v", perf)
					}
				}
			})
		})
	}
}

func TestSampleWrongClock(t *testing.T) {
	for _, skew := range []time.Duration{-48 * time.Hour, -5 * time.Minute, 0, 7 * time.Minute, 30 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(60 * 24 * time.Hour)
			l := newEnvironment(t, "flasharray-x-01", simulator.Options{
				Clock: func() time.Time { return time.Now().Add(skew) }, SessionIdle: -1,
			})
			defer l.close(t)
			for range 2 {
				stats := l.sampleComplete(t)
				if stats.ClockSkew == nil || (*stats.ClockSkew-skew).Abs() > time.Second {
					t.Errorf("a skew of %s was measured as %v", skew, stats.ClockSkew)
				}
				if stats.Performance == nil || stats.Performance.Age > 31*time.Second {
					t.Errorf("with a skew of %s the newest sample is %+v", skew, stats.Performance)
				}
				time.Sleep(time.Minute)
			}
		})
	}
}

func TestSampleBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		l := newEnvironment(t, "flasharray-r-01", simulator.Options{Population: simulator.Population{
			"volumes": {Live: 20000, Destroyed: 500}, "volume-snapshots": {Live: 100000},
			"hosts": {Live: 500}, "protection-groups": {Live: 200},
		}})
		defer l.close(t)
		check := func(what string) {
			t.Helper()
			l.ResetTraffic()
			l.bytes.Store(0)
			stats := l.sampleComplete(t)
			if n := *stats.Counts.Snapshots; n != 100000 {
				t.Errorf("%d snapshots", n)
			}
			if n, b := l.requestCount(), l.bytes.Load(); n > 8 || b > 16<<10 {
				t.Errorf("%s: cost %d requests and %d bytes, TLS included: %v", what, n, b, l.Requests())
			} else {
				t.Logf("%s: %d requests and %d bytes, TLS included", what, n, b)
			}
		}
		l.sampleComplete(t)
		check("busy")
		l.SetHistory(simulator.History{Late: 10 * time.Minute})
		check("just idle")
		check("idle")
		l.SetHistory(simulator.History{Late: 10 * time.Minute, Order: simulator.Unordered})
		check("idle, unordered")
		l.SetHistory(simulator.History{Empty: true})
		check("empty")
		l.SetHistory(simulator.History{})
		check("busy again")
	})
}

// TestFutureSamplesIgnored: after an array's clock was set back by an hour, its
// history has samples that are later than its clock.
func TestFutureSamplesIgnored(t *testing.T) {
	idle := func(at time.Time) bool { // for twenty minutes, until a future that was
		now := time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)
		return at.After(now.Add(-20*time.Minute)) && at.Before(now.Add(10*time.Minute))
	}
	for name, tc := range map[string]struct {
		history  simulator.History
		from, to time.Duration // age
	}{
		"ascending":          {simulator.History{Ahead: time.Hour}, 0, 30 * time.Second},
		"descending":         {simulator.History{Ahead: time.Hour, Order: simulator.Descending}, 0, 30 * time.Second},
		"unordered":          {simulator.History{Ahead: time.Hour, Order: simulator.Unordered}, 0, 30 * time.Second},
		"a minute":           {simulator.History{Ahead: time.Minute}, 0, 30 * time.Second},
		"a day":              {simulator.History{Ahead: 24 * time.Hour}, 0, 30 * time.Second},
		"idle since":         {simulator.History{Ahead: time.Hour, Gap: idle}, 20 * time.Minute, 21 * time.Minute},
		"idle since, mixed":  {simulator.History{Ahead: time.Hour, Gap: idle, Order: simulator.Unordered}, 20 * time.Minute, 21 * time.Minute},
		"within a tolerance": {simulator.History{Ahead: 29 * time.Second}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Hour)
				l := newEnvironment(t, "flasharray-x-01", simulator.Options{History: tc.history})
				defer l.close(t)
				for range 3 {
					perf := l.sampleComplete(t).Performance
					if perf == nil || perf.ReadsPerSec == nil || perf.Age < tc.from || perf.Age > tc.to {
						t.Fatalf("found %+v, want a sample %s to %s old", perf, tc.from, tc.to)
					}
					l.ResetTraffic()
				}
				l.sampleComplete(t)
				if n := l.requestCount(); n > 8 {
					t.Errorf("cost %d requests: %v", n, l.Requests())
				}
			})
		})
	}
}
