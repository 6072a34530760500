package publisher

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// TestClocks lets the clocks of cinder-volume and of the scheduler be off, as
// seen from the agent, for ten minutes of reports.
func TestClocks(t *testing.T) {
	const off = 30 * time.Second
	for name, tt := range map[string]struct {
		volume, scheduler time.Duration
		warnings          int
		overlaid          bool // whether overlays get through within the interval
	}{
		"all agree":                   {0, 0, 0, true},
		"ours is ahead of all":        {-off, -off, 1, true},
		"ours is behind all":          {off, off, 1, true},
		"cinder-volume is ahead":      {off, 0, 1, true},
		"cinder-volume is behind":     {-off, 0, 1, true},
		"the scheduler is ahead":      {0, off, 0, true},
		"cinder-volume is an hour on": {time.Hour, 0, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, s, volume := cloud(t)
				s.skew, volume.skew = tt.scheduler, tt.volume
				a := f.start(Options{Interval: 15 * time.Second})
				for range 10 {
					volume.report()
					for range 4 {
						time.Sleep(15 * time.Second)
						a.Offer(reading(42, 1000))
						synctest.Wait()
					}
				}
				checkStamps(t, s, tt.overlaid)
				if n := a.lines("clock of cinder-volume"); n != tt.warnings {
					t.Errorf("%d warnings, want %d:\n%s", n, tt.warnings, a.log)
				}
				volume.skew = 0
				volume.report()
				synctest.Wait()
				if n := a.lines("agree again"); n != tt.warnings {
					t.Errorf("%d all-clears, want %d:\n%s", n, tt.warnings, a.log)
				}
			})
		})
	}
}

// checkStamps looks at every overlay a scheduler has received.
func checkStamps(t *testing.T, s *scheduler, want bool) {
	t.Helper()
	n := 0
	var last time.Time
	for _, r := range s.received() {
		if !r.agent() {
			continue
		}
		n++
		if r.stamp.After(r.at) {
			t.Errorf("at %s the scheduler got a report of %s, %s in its future", r.at, r.stamp, r.stamp.Sub(r.at))
		}
		if r.stamp.Before(last) {
			t.Errorf("the timestamp went back from %s to %s", last, r.stamp)
		}
		if r.ignored {
			t.Errorf("the scheduler ignored the report of %s as old", r.stamp)
		}
		last = r.stamp
	}
	if got := s.known(fa1)["total_volumes"]; want != (n >= 10) || want != (got == "42") {
		t.Errorf("%d overlays, and the scheduler knows %s volumes", n, got)
	}
}

func TestDeductionsSurvive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, volume := cloud(t)
		a := f.start(Options{})
		volume.report()
		r := reading(42, 1000) // the poll begins, and takes two seconds
		time.Sleep(time.Second)
		s.place(fa1, 100)
		time.Sleep(time.Second)
		a.Offer(r)
		time.Sleep(time.Second)
		if got := s.free(fa1); got != 400 {
			t.Errorf("%g GiB are free: a report that is older than the placement undid it", got)
		}
		a.Offer(reading(43, 1000))
		time.Sleep(time.Second)
		if got := s.free(fa1); got != 400 || s.known(fa1)["total_volumes"] != "43" {
			t.Errorf("%g GiB are free, want what was measured since", got)
		}
	})
}

// TestClockSteps puts our own clock back by an hour, as the schedulers see it:
// reports from before are ahead of everything that follows.
func TestStampsNeverGoBack(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 999, time.UTC)
	b := backend{report: capability.Report{CollectedAt: now.Add(-3 * time.Second)}}
	first, wait := b.stamp(now)
	if want := now.Add(-3 * time.Second).Truncate(time.Microsecond); !first.Equal(want) || wait != 0 {
		t.Errorf("stamped %s, wait %s", first, wait)
	}
	b.raise(first)
	back := now.Add(-time.Hour)
	b.report.CollectedAt = back
	second, wait := b.stamp(back)
	if !second.Equal(first) || wait != first.Sub(back.Truncate(time.Microsecond)) {
		t.Errorf("an hour back it is stamped %s after %s", second, wait)
	}
}

func TestNewSchedulersForgetOurStamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, volume := cloud(t)
		a := f.start(Options{})
		volume.skew = time.Hour
		volume.report()
		a.Offer(reading(42, 1000))
		time.Sleep(time.Second)
		a.bus.state <- Session{State: NoScheduler}
		synctest.Wait()
		s.states = map[string]*state{} // it starts anew
		volume.skew = 0
		a.bus.state <- Session{State: Ready}
		volume.report()
		time.Sleep(time.Second)
		if got := s.known(fa1)["total_volumes"]; got != "42" {
			t.Errorf("the new scheduler knows %s volumes: the stamp of the old one is waited for", got)
		}
	})
}
