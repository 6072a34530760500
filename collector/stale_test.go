package collector

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// failsFrom answers until the given poll and never after.
func failsFrom(first int) *array {
	return &array{answer: func(_ context.Context, poll int) (capability.Stats, error) {
		if poll >= first {
			return capability.Stats{}, errDown
		}
		return reading(), nil
	}}
}

func TestTheLastReportStandsForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		c, _ := collect(t, Options{Observer: w}, target("fa1", failsFrom(2)))
		time.Sleep(2*time.Minute + 50*time.Second)
		if n, gone, _ := w.count(); n != 1 || gone != 0 || len(c.Reports()) != 1 {
			t.Errorf("%d reports, %d withdrawals, %d standing before three intervals", n, gone, len(c.Reports()))
		}
		if h := c.Health()[0]; h.State != Failing || h.Up() || h.Failures == 0 || h.LastOK.IsZero() {
			t.Errorf("health is %+v", h)
		}
	})
}

func TestKeepWithdrawsOnceAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		begin := time.Now()
		a := &array{answer: func(context.Context, int) (capability.Stats, error) {
			if m := time.Since(begin) / time.Minute; m >= 1 && m < 20 {
				return capability.Stats{}, errDown
			}
			return reading(), nil
		}}
		c, _ := collect(t, Options{Observer: w}, target("fa1", a))
		time.Sleep(19 * time.Minute)
		before, gone, _ := w.count()
		if gone != 1 || !strings.Contains(w.withdrawn[0], "no route to host") || len(c.Reports()) != 0 {
			t.Errorf("%d withdrawals (%v), %d reports standing", gone, w.withdrawn, len(c.Reports()))
		}
		if h := c.Health()[0]; h.State != Stale {
			t.Errorf("health is %+v", h)
		}
		if s, ok := c.Stats("ctl1@fa1"); !ok || s.Identity.Name != "fa1" {
			t.Error("the last reading was forgotten")
		}
		r := c.Latest()
		if len(r) != 1 || r[0].Status != capability.Stale || r[0].Capabilities[capability.KeyMetricsStatus].String() != "stale" {
			t.Errorf("people are shown %+v", r)
		}
		time.Sleep(3 * time.Minute)
		if after, _, _ := w.count(); after <= before || len(c.Reports()) != 1 {
			t.Errorf("%d reports before and %d after the array came back", before, after)
		}
	})
}

func TestDownAndDropSayWhatIsKnown(t *testing.T) {
	for policy, want := range map[Policy]capability.Set{
		Down: {
			capability.KeyBackendState:     capability.OfString("down"),
			capability.KeyMetricsStatus:    capability.OfString("stale"),
			capability.KeyMetricsAgent:     capability.OfString("poolcast"),
			capability.KeyGoodnessFunction: capability.OfString("0"),
		},
		Drop: {
			capability.KeyBackendState:     capability.OfString("down"),
			capability.KeyMetricsStatus:    capability.OfString("stale"),
			capability.KeyMetricsAgent:     capability.OfString("poolcast"),
			capability.KeyGoodnessFunction: capability.OfString("0"),
			capability.KeyTotalCapacity:    capability.OfFloat(0),
			capability.KeyFreeCapacity:     capability.OfFloat(0),
		},
	} {
		t.Run(string(policy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &witness{}
				tgt := target("fa1", failsFrom(2))
				tgt.Stanza.GoodnessFunction = "100 - capabilities.load_percent"
				tgt.OnStale = policy
				c, _ := collect(t, Options{Observer: w}, tgt)
				time.Sleep(30 * time.Minute)

				r := w.last(t)
				live := r.Live()
				age, _ := live[capability.KeyMetricsAge].Int()
				if age < 28*60 || age > 30*60+5 {
					t.Errorf("the sample is said to be %d s old", age)
				}
				delete(live, capability.KeyMetricsAge)
				if !live.Equal(want) {
					t.Errorf("laid over the base: %v", live)
				}
				if r.Status != capability.Stale || time.Since(r.CollectedAt) > time.Minute {
					t.Errorf("status %s, collected at %s", r.Status, r.CollectedAt)
				}
				if usec, _ := r.Capabilities[capability.KeyUsecPerRead].Int(); usec != 310 {
					t.Errorf("the last known latency became %d", usec)
				}
				if len(c.Reports()) != 1 {
					t.Error("the verdict does not stand")
				}
			})
		})
	}
}

// A verdict is renewed at the interval's pace even when the array is asked
// more seldom, or it would itself look old.
func TestVerdictIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		a := &array{answer: func(context.Context, int) (capability.Stats, error) { return capability.Stats{}, errToken }}
		tgt := target("fa1", a)
		tgt.OnStale = Down
		_, stop := collect(t, Options{Observer: w, Refused: func(error) bool { return true }}, tgt)
		time.Sleep(2 * time.Hour)
		stop()
		for i := 1; i < len(w.at); i++ {
			if gap := w.at[i].Sub(w.at[i-1]); gap > time.Minute {
				t.Fatalf("nothing was said for %s", gap)
			}
		}
		if n := len(w.at); n < 115 || n > 180 {
			t.Errorf("%d verdicts in two hours", n)
		}
	})
}

// An array that has never answered has no numbers, and gets none.
func TestDownWithoutAnyReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		tgt := target("fa1", failsFrom(1))
		tgt.OnStale, tgt.StaleAfter = Down, time.Minute
		_, stop := collect(t, Options{Observer: w}, tgt)
		time.Sleep(2 * time.Minute)
		stop()
		r := w.last(t)
		for _, key := range []string{
			capability.KeyTotalCapacity, capability.KeyUsecPerRead, capability.KeyTotalVolumes,
			capability.KeyArrayID, capability.KeyMetricsAge, capability.KeyMaxOverSubscription,
		} {
			if v, ok := r.Capabilities[key]; ok {
				t.Errorf("%s is said to be %s", key, v)
			}
		}
		if pool := r.Capabilities[capability.KeyVolumeBackendName].String(); pool != "gold" {
			t.Errorf("the pool is %s", pool)
		}
	})
}

func TestStaleAfterIsConfigurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		tgt := target("fa1", failsFrom(2))
		tgt.StaleAfter = 10 * time.Minute
		_, _ = collect(t, Options{Observer: w}, tgt)
		time.Sleep(10 * time.Minute)
		if _, gone, _ := w.count(); gone != 0 {
			t.Error("withdrawn too early")
		}
		time.Sleep(10 * time.Second)
		if _, gone, _ := w.count(); gone != 1 {
			t.Error("not withdrawn in time")
		}
	})
}
