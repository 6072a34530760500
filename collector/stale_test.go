package collector

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// failsFrom fails from the given poll on.
func failsFrom(first int) *fakeSource {
	return &fakeSource{onSample: func(_ context.Context, poll int) (capability.Sample, error) {
		if poll >= first {
			return capability.Sample{}, errDown
		}
		return sample(), nil
	}}
}

func TestStaleNotBeforeThreeIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &recorder{}
		c, _ := collect(t, Options{Observer: w}, target("fa1", failsFrom(2)))
		time.Sleep(2*time.Minute + 50*time.Second)
		if n, suspensions, _ := w.count(); n != 1 || suspensions != 0 || len(c.Reports()) != 1 {
			t.Errorf("%d reports, %d suspensions, %d published before three intervals", n, suspensions, len(c.Reports()))
		}
		if h := c.Health()[0]; h.State != Failing || h.Up() || h.Failures == 0 || h.LastOK.IsZero() {
			t.Errorf("health is %+v", h)
		}
	})
}

func TestKeepSuspendsOnceAndResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &recorder{}
		begin := time.Now()
		a := &fakeSource{onSample: func(context.Context, int) (capability.Sample, error) {
			if m := time.Since(begin) / time.Minute; m >= 1 && m < 20 {
				return capability.Sample{}, errDown
			}
			return sample(), nil
		}}
		c, _ := collect(t, Options{Observer: w}, target("fa1", a))
		time.Sleep(19 * time.Minute)
		before, suspensions, _ := w.count()
		if suspensions != 1 || !strings.Contains(w.suspended[0], "no route to host") || len(c.Reports()) != 0 {
			t.Errorf("%d suspensions (%v), %d reports published", suspensions, w.suspended, len(c.Reports()))
		}
		if h := c.Health()[0]; h.State != Stale {
			t.Errorf("health is %+v", h)
		}
		if s, ok := c.Stats("ctl1@fa1"); !ok || s.Identity.Name != "fa1" {
			t.Error("the last sample was lost")
		}
		r := c.Latest()
		if len(r) != 1 || r[0].Status != capability.Stale || r[0].Capabilities[capability.KeyMetricsStatus].String() != "stale" {
			t.Errorf("Latest returned %+v", r)
		}
		time.Sleep(3 * time.Minute)
		if after, _, _ := w.count(); after <= before || len(c.Reports()) != 1 {
			t.Errorf("%d reports before and %d after the array recovered", before, after)
		}
	})
}

func TestDownAndDropReports(t *testing.T) {
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
				w := &recorder{}
				tgt := target("fa1", failsFrom(2))
				tgt.Stanza.GoodnessFunction = "100 - capabilities.load_percent"
				tgt.OnStale = policy
				c, _ := collect(t, Options{Observer: w}, tgt)
				time.Sleep(30 * time.Minute)

				r := w.last(t)
				live := r.Live()
				age, _ := live[capability.KeyMetricsAge].Int()
				if age < 28*60 || age > 30*60+5 {
					t.Errorf("metrics_age_seconds is %d", age)
				}
				delete(live, capability.KeyMetricsAge)
				if !live.Equal(want) {
					t.Errorf("live keys: %v", live)
				}
				if r.Status != capability.Stale || time.Since(r.CollectedAt) > time.Minute {
					t.Errorf("status %s, collected at %s", r.Status, r.CollectedAt)
				}
				if usec, _ := r.Capabilities[capability.KeyUsecPerRead].Int(); usec != 310 {
					t.Errorf("the last known latency became %d", usec)
				}
				if len(c.Reports()) != 1 {
					t.Error("the report is not published")
				}
			})
		})
	}
}

// TestStaleReportRepublished checks that the report of the stale policy is
// published at every interval even when the array is polled less often, as it
// would become stale otherwise.
func TestStaleReportRepublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &recorder{}
		a := &fakeSource{onSample: func(context.Context, int) (capability.Sample, error) { return capability.Sample{}, errToken }}
		tgt := target("fa1", a)
		tgt.OnStale = Down
		_, stop := collect(t, Options{Observer: w, Refused: func(error) bool { return true }}, tgt)
		time.Sleep(2 * time.Hour)
		stop()
		for i := 1; i < len(w.at); i++ {
			if gap := w.at[i].Sub(w.at[i-1]); gap > time.Minute {
				t.Fatalf("no report for %s", gap)
			}
		}
		if n := len(w.at); n < 115 || n > 180 {
			t.Errorf("%d reports in two hours", n)
		}
	})
}

// TestDownWithoutAnySample checks that the report of an array that was never
// polled successfully has no measured keys.
func TestDownWithoutAnySample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &recorder{}
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
				t.Errorf("%s is %s", key, v)
			}
		}
		if pool := r.Capabilities[capability.KeyVolumeBackendName].String(); pool != "gold" {
			t.Errorf("the pool is %s", pool)
		}
	})
}

func TestStaleAfterOption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &recorder{}
		tgt := target("fa1", failsFrom(2))
		tgt.StaleAfter = 10 * time.Minute
		_, _ = collect(t, Options{Observer: w}, tgt)
		time.Sleep(10 * time.Minute)
		if _, suspensions, _ := w.count(); suspensions != 0 {
			t.Error("suspended too early")
		}
		time.Sleep(10 * time.Second)
		if _, suspensions, _ := w.count(); suspensions != 1 {
			t.Error("not suspended in time")
		}
	})
}
