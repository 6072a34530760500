package publisher

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

const fa1 = "ctl1@fa1"

// newEnvironment returns one scheduler and one cinder-volume on one exchange.
func newEnvironment(t *testing.T) (*fanout, *scheduler, *cinderVolume) {
	s := newScheduler(t)
	f := &fanout{t: t, schedulers: []*scheduler{s}}
	return f, s, &cinderVolume{exchange: f, host: fa1, total: 1000, allocated: 17}
}

func TestOverlayKeepsOtherKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, volume := newEnvironment(t)
		a := f.start(Options{})
		volume.report()
		before := s.held(fa1)
		a.Update(newSample(42, 1000))
		time.Sleep(time.Second)
		got := s.held(fa1)
		want := maps.Clone(before)
		maps.Copy(want, map[string]string{
			"free_capacity_gb": "400.0", "total_volumes": "42", "usec_per_read_op": "321",
			"array_id": `"array-1"`, "metrics_age_seconds": "3", "metrics_status": `"ok"`, "metrics_agent": `"poolcast"`,
		})
		want["rack"] = `"räck"` // the same text, without an escape
		if !maps.Equal(got, want) {
			t.Errorf("the scheduler holds\n%v\ninstead of\n%v", got, want)
		}
		if st := a.state(t, fa1); st.State != Overlaying || len(st.Changes) != 7 || st.Changes[0].Key != "array_id" || !st.Changes[0].Added {
			t.Errorf("the status is %+v", st)
		}
	})
}

func TestOverlayFollowsEveryReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, volume := newEnvironment(t)
		a := f.start(Options{})
		a.Update(newSample(42, 1000))
		synctest.Wait()
		for range 5 {
			volume.report()
			time.Sleep(time.Second)
			if got := s.held(fa1)["total_volumes"]; got != "42" {
				t.Fatalf("cinder-volume published last: %s volumes", got)
			}
			time.Sleep(59 * time.Second)
		}
		if n := len(s.received()); n != 10 {
			t.Errorf("%d reports were sent, want one overlay for each of 5", n)
		}
		if n := strings.Count(a.log.String(), "\n"); n != 3 {
			t.Errorf("the log has %d lines, want one for the session and one for each of two states:\n%s", n, a.log)
		}
		if age := s.held(fa1)["metrics_age_seconds"]; age != "243" {
			t.Errorf("the age is %s s, want 3 + 4 × 60", age)
		}
	})
}

func TestSuspendRestoresBase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, volume := newEnvironment(t)
		a := f.start(Options{})
		volume.report()
		before := s.held(fa1)
		a.Update(newSample(42, 1000))
		time.Sleep(time.Second)
		a.Suspend(fa1, "array is down")
		synctest.Wait()
		before["rack"] = `"räck"` // the same text, without an escape
		if got := s.held(fa1); !maps.Equal(got, before) {
			t.Errorf("the scheduler holds\n%v\ninstead of\n%v", got, before)
		}
		if st := a.state(t, fa1); st.State != NoSample || st.Detail != "array is down" {
			t.Errorf("the status is %+v", st)
		}
		a.Update(newSample(43, 1000))
		time.Sleep(time.Second)
		if got := s.held(fa1)["total_volumes"]; got != "43" {
			t.Errorf("after a new sample the scheduler holds %s volumes", got)
		}
	})
}

func TestOverlayAddsNoSchedulerKeys(t *testing.T) {
	for _, fix := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f, s, volume := newEnvironment(t)
			a := f.start(Options{FixProvisionedCapacity: fix})
			volume.report()
			a.Update(newSample(42, 1000))
			time.Sleep(time.Second)
			if _, added := s.held(fa1)["provisioned_capacity_gb"]; added != fix {
				t.Errorf("fix %t: provisioned_capacity_gb was added: %t", fix, added)
			}
		})
	}
}

func TestPublishNothingWithoutBase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, volume := newEnvironment(t)
		a := f.start(Options{})
		for minute := range 3 {
			a.Update(newSample(42, 1000))
			synctest.Wait()
			want := Listening
			if minute == 2 {
				want = Suspended
			}
			if st := a.state(t, fa1); st.State != want || (st.Cause == NoRecentBase) != (want == Suspended) {
				t.Errorf("after %d minutes: %+v", minute, st)
			}
			time.Sleep(time.Minute)
		}
		if n := len(s.received()); n != 0 {
			t.Errorf("%d reports were published without a base", n)
		}
		if a.lines("no_recent_base") != 1 {
			t.Errorf("the log is\n%s", a.log)
		}
		volume.report()
		time.Sleep(time.Second)
		if got := s.held(fa1); got["allocated_capacity_gb"] != "17" || got["total_volumes"] != "42" {
			t.Errorf("the scheduler holds %v", got)
		}
	})
}

func TestOverlayOffPublishesCompleteReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, volume := newEnvironment(t)
		a := f.start(Options{Standalone: true})
		begun := time.Now()
		r := newSample(42, 1000)
		time.Sleep(2 * time.Second)
		a.Update(r)
		synctest.Wait()
		got := s.received()
		if len(got) != 1 || len(got[0].caps) != len(r.Capabilities) || !got[0].stamp.Equal(begun.UTC()) {
			t.Fatalf("the scheduler received %+v, want one report stamped %s", got, begun.UTC())
		}
		volume.report()
		synctest.Wait()
		a.Update(newSample(43, 1000))
		synctest.Wait()
		if st := a.state(t, fa1); st.State != Suspended || st.Cause != CinderVolumeReports {
			t.Errorf("beside a cinder-volume: %+v", st)
		}
		time.Sleep(time.Hour)
		a.Update(newSample(44, 1000))
		synctest.Wait()
		if n := len(s.received()); n != 2 || s.held(fa1)["allocated_capacity_gb"] != "17" {
			t.Errorf("%d reports, the scheduler holds %v", n, s.held(fa1))
		}
	})
}

func TestListenOnlyNeverSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, volume := newEnvironment(t)
		a := f.start(Options{ListenOnly: true})
		volume.report()
		a.Update(newSample(42, 1000))
		time.Sleep(time.Hour)
		if n := len(s.received()); n != 1 {
			t.Errorf("%d reports were sent, want cinder-volume's alone", n)
		}
		if received := a.BaseReports(); len(received) != 1 || received[0].Capabilities["big"].String() != "123456789012345678901234567890" {
			t.Errorf("received %+v", received)
		}
	})
}

func TestBaseReceivedBeforeFirstSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, volume := newEnvironment(t)
		a := f.start(Options{})
		volume.report()
		other := &cinderVolume{exchange: f, host: "ctl9@lvm", total: 1}
		other.report()
		time.Sleep(20 * time.Second)
		a.Update(newSample(42, 1000))
		time.Sleep(time.Second)
		if got := s.held(fa1); got["allocated_capacity_gb"] != "17" || got["total_volumes"] != "42" {
			t.Errorf("the base was lost: %v", got)
		}
		if received := a.BaseReports(); len(received) != 2 || received[0].Identity != fa1 || received[1].Identity != "ctl9@lvm" {
			t.Errorf("received %+v", received)
		}
	})
}

func TestSuspendCauses(t *testing.T) {
	update := func(a *agent, change func(*capability.Report)) {
		r := newSample(42, 1000)
		change(&r)
		a.Update(r)
	}
	same := func(*capability.Report) {}
	for name, tt := range map[string]struct {
		cause   Cause
		break_  func(a *agent, v *cinderVolume)
		restore func(a *agent, v *cinderVolume)
	}{
		"cinder-volume failed over": {
			DifferentCapacity,
			func(_ *agent, v *cinderVolume) { v.total = 1011; v.report() },
			func(_ *agent, v *cinderVolume) { v.total = 1009; v.report() },
		},
		"cinder-volume failed over to an array of the same size": {
			DifferentArray,
			func(_ *agent, v *cinderVolume) { v.reportAs(v.replicating(`["fa9"]`)) },
			func(_ *agent, v *cinderVolume) { v.reportAs(v.replicating(`["fa9","fa8","fa8"]`)) },
		},
		"cinder-volume failed over in an ActiveCluster": {
			DifferentArray,
			func(_ *agent, v *cinderVolume) { v.reportAs(v.replicating(`["fa9","gold"]`)) },
			func(_ *agent, v *cinderVolume) { v.report() },
		},
		"another array": {
			DifferentArray,
			func(a *agent, _ *cinderVolume) {
				update(a, func(r *capability.Report) { r.Capabilities["array_id"] = capability.OfString("array-2") })
			},
			func(a *agent, _ *cinderVolume) { update(a, same) },
		},
		"another array, stanza reloaded": {
			DifferentArray,
			func(a *agent, _ *cinderVolume) {
				update(a, func(r *capability.Report) { r.Capabilities["array_id"] = capability.OfString("array-2") })
			},
			func(a *agent, _ *cinderVolume) {
				a.Remove(fa1)
				update(a, func(r *capability.Report) { r.Capabilities["array_id"] = capability.OfString("array-2") })
			},
		},
		"a failed-over array is dropped": {
			DifferentCapacity,
			func(a *agent, v *cinderVolume) {
				v.total = 2000
				v.report()
				update(a, func(r *capability.Report) {
					r.Status = capability.Stale
					r.Capabilities["total_capacity_gb"] = capability.OfFloat(0)
				})
			},
			func(_ *agent, v *cinderVolume) { v.total = 1000; v.report() },
		},
		"a bare NaN": {
			UnreadableBase,
			func(_ *agent, v *cinderVolume) { v.reportAs(`{"total_capacity_gb":NaN}`) },
			func(_ *agent, v *cinderVolume) { v.report() },
		},
		"pools": {
			BaseHasPools,
			func(_ *agent, v *cinderVolume) { v.reportAs(`{"pools":[{"pool_name":"a"}]}`) },
			func(_ *agent, v *cinderVolume) { v.report() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, s, volume := newEnvironment(t)
				a := f.start(Options{})
				volume.report()
				update(a, same)
				time.Sleep(time.Second)
				tt.break_(a, volume)
				time.Sleep(time.Second)
				before := len(s.received())
				if st := a.state(t, fa1); st.State != Suspended || st.Cause != tt.cause || st.Detail == "" {
					t.Fatalf("not suspended: %+v", st)
				}
				tt.break_(a, volume)
				time.Sleep(time.Second)
				for _, r := range s.received()[before:] {
					if r.agent() {
						t.Error("an overlay was sent while suspended")
					}
				}
				if n := a.lines("suspended"); n != 1 {
					t.Errorf("the log has %d such lines:\n%s", n, a.log)
				}
				tt.restore(a, volume)
				time.Sleep(time.Second)
				if st := a.state(t, fa1); st.State != Overlaying || s.held(fa1)["total_volumes"] != "42" {
					t.Errorf("not resumed: %+v", st)
				}
			})
		})
	}
}

func TestPeersOnePublishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, volume := newEnvironment(t)
		volume.cluster = "east@fa1"
		agents := []*agent{f.start(Options{}), f.start(Options{}), f.start(Options{})}
		slices.SortFunc(agents, func(a, b *agent) int { return strings.Compare(a.id.name, b.id.name) })
		update := func(i int, volumes int64, status capability.Status) {
			r := newSample(volumes, 1000)
			r.Cluster, r.Status = "east@fa1", status
			r.Capabilities["metrics_status"] = capability.OfString(string(status))
			agents[i].Update(r)
		}
		publishing := func() string {
			inbox := s.received()
			return instanceOf(inbox[len(inbox)-1].id)
		}
		for minute := range 5 {
			volume.report()
			time.Sleep(20 * time.Second)
			for i := range agents {
				update(i, int64(100*i+minute), capability.OK)
			}
			time.Sleep(40 * time.Second)
		}
		if n := len(s.received()); n > 5+5*2+4 {
			t.Errorf("%d reports in 5 minutes: the agents react to each other", n)
		}
		if publishing() != agents[0].id.name || agents[1].state(t, "east@fa1").State != Standby {
			t.Error("the lowest instance does not publish alone")
		}
		if s.held("east@fa1")["allocated_capacity_gb"] != "17" {
			t.Error("a key of the base was lost")
		}
		update(0, 1, capability.Partial)
		time.Sleep(time.Second)
		for i := range 3 {
			update(i, 2, []capability.Status{capability.Partial, capability.OK, capability.OK}[i])
			time.Sleep(time.Minute)
		}
		for range 4 {
			volume.report()
			time.Sleep(time.Minute)
		}
		if publishing() != agents[1].id.name {
			t.Error("an agent with a partial sample publishes before one with a good sample")
		}
		agents[1].Suspend(fa1, "gone")
		agents[0].Suspend(fa1, "gone")
		time.Sleep(4 * time.Minute)
		update(2, 3, capability.OK)
		time.Sleep(time.Second)
		if publishing() != agents[2].id.name {
			t.Error("no agent took over from one that stopped publishing")
		}
	})
}

func TestBlockedBrokerGetsNewestReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, volume := newEnvironment(t)
		a := f.start(Options{})
		volume.report()
		synctest.Wait()
		a.bus.state <- Session{State: Blocked, Broker: "fake:5672", Detail: "low on memory", basesFrom: a.Status().Session.basesFrom}
		synctest.Wait()
		for i := range 10 {
			a.Update(newSample(int64(i), 1000))
			time.Sleep(10 * time.Second)
		}
		if n := len(s.received()); n != 1 {
			t.Fatalf("%d reports were sent to a blocked broker", n)
		}
		a.bus.state <- Session{State: Ready, Broker: "fake:5672", basesFrom: a.Status().Session.basesFrom}
		synctest.Wait()
		synctest.Wait()
		if n, got := len(s.received()), s.held(fa1)["total_volumes"]; n != 2 || got != "9" {
			t.Errorf("%d reports, the last with %s volumes", n, got)
		}
		if a.lines("blocked") != 1 || a.lines("low on memory") != 1 {
			t.Errorf("the log is\n%s", a.log)
		}
	})
}

func TestRefusedReportsArePublishedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, volume := newEnvironment(t)
		a := f.start(Options{RetryBackoff: 2 * time.Second})
		volume.report()
		a.bus.set(func(b *fakeBus) { b.refuse = errNack })
		a.Update(newSample(1, 1000))
		for range 10 {
			volume.report()
			time.Sleep(time.Minute)
		}
		st := a.state(t, fa1)
		if n := a.Status().Counters.Nacks; n < 20 || n > 60 || st.Failure == "" || time.Since(st.FailingSince) < 9*time.Minute {
			t.Errorf("%d attempts in ten minutes: %+v", n, st)
		}
		volume.report()
		a.bus.set(func(b *fakeBus) { b.refuse = nil })
		a.Update(newSample(2, 1000))
		synctest.Wait()
		if st := a.state(t, fa1); st.Failure != "" || !st.FailingSince.IsZero() || s.held(fa1)["total_volumes"] != "2" {
			t.Errorf("after the refusals: %+v", st)
		}
		if a.lines("not accepted") != 1 || a.lines("publishing resumed") != 1 {
			t.Errorf("the log is\n%s", a.log)
		}
	})
}

func TestRefusedReportIsRetriedBeforeNextSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, volume := newEnvironment(t)
		a := f.start(Options{})
		volume.report()
		a.bus.set(func(b *fakeBus) { b.refuse = errNack })
		a.Update(newSample(1, 1000))
		synctest.Wait()
		a.bus.set(func(b *fakeBus) { b.refuse = nil })
		time.Sleep(2 * time.Second)
		if got := s.held(fa1)["total_volumes"]; got != "1" {
			t.Error("a refused report waits for the next sample")
		}
	})
}

// TestStopWhilePublishingIsNoFailure stops an agent while the broker works.
func TestStopWhilePublishingIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _, volume := newEnvironment(t)
		a := f.start(Options{})
		volume.report()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		a.Update(newSample(1, 1000))
		synctest.Wait()
		failures := a.Status().Counters.Failures
		a.mu.Lock()
		a.publish(ctx, []dispatch{{backend: a.backends[fa1], report: published{set: newSample(1, 1).Capabilities}}})
		a.mu.Unlock()
		if st := a.state(t, fa1); st.Failure != "" || a.Status().Counters.Failures != failures || a.lines("not accepted") != 0 {
			t.Errorf("a stop is a failure: %+v\n%s", st, a.log)
		}
	})
}

func TestPublishOneBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _, _ := newEnvironment(t)
		a := f.start(Options{})
		open := a.Status().Session
		a.bus.state <- Session{State: Blocked, basesFrom: open.basesFrom}
		synctest.Wait()
		for i := range 100 {
			host := fmt.Sprintf("ctl1@fa%d", i)
			(&cinderVolume{exchange: f, host: host, total: 1000}).report()
			r := newSample(int64(i), 1000)
			r.Host = host
			a.Update(r)
		}
		synctest.Wait()
		a.bus.state <- open
		synctest.Wait()
		if n := len(a.bus.batches); n != 1 || a.Status().Counters.Overlays != 100 {
			t.Errorf("%d of 100 reports were published, in %d batches", a.Status().Counters.Overlays, n)
		}
	})
}

func TestOldSampleIsNotPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, volume := newEnvironment(t)
		a := f.start(Options{Interval: 15 * time.Second})
		a.Update(newSample(42, 1000))
		for range 5 {
			volume.report()
			time.Sleep(time.Minute)
		}
		if st := a.state(t, fa1); st.State != NoSample || s.held(fa1)["total_volumes"] != "1" {
			t.Errorf("a sample of 5 minutes ago is still overlaid: %+v", st)
		}
	})
}

func TestEffectiveEqualsScheduler(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(a *agent, v *cinderVolume)
		want bool // whether there is an effective report
	}{
		{"nothing published", func(a *agent, _ *cinderVolume) { a.Update(newSample(42, 1000)) }, false},
		{"the overlay", func(a *agent, v *cinderVolume) { a.Update(newSample(42, 1000)); v.report() }, true},
		{"cinder-volume alone, as the overlay is suspended", func(a *agent, v *cinderVolume) { a.Update(newSample(42, 5000)); v.report() }, true},
		{"the overlay of the second report", func(a *agent, v *cinderVolume) {
			a.Update(newSample(42, 1000))
			v.report()
			time.Sleep(time.Minute)
			v.report()
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, s, volume := newEnvironment(t)
				a := f.start(Options{})
				c.do(a, volume)
				time.Sleep(time.Second)
				effective := a.Effective()
				if (len(effective) == 1) != c.want {
					t.Fatalf("the effective reports are %v", effective)
				}
				if !c.want {
					return
				}
				known := s.held(fa1)
				if len(known) != len(effective[0].Capabilities) || effective[0].Host != fa1 || effective[0].Status != capability.OK {
					t.Errorf("the effective reports are %+v, the scheduler holds %v", effective[0], known)
				}
				for key, v := range effective[0].Capabilities {
					var w capability.Value
					if err := w.UnmarshalJSON([]byte(known[key])); err != nil || !v.Equal(w) {
						t.Errorf("%s is effective as %s, the scheduler holds %s", key, v, known[key])
					}
				}
			})
		})
	}
}

func TestOverlayIsPure(t *testing.T) {
	base := capability.Set{"total_volumes": capability.OfInt(1), "rack": capability.OfString("a")}
	r := newSample(42, 1000)
	r.Capabilities["provisioned_capacity_gb"] = capability.OfFloat(7)
	r.LiveKeys = append(r.LiveKeys, "provisioned_capacity_gb")
	plain, fixed := Overlay(base, r, false), Overlay(base, r, true)
	if n, _ := plain["total_volumes"].Int(); n != 42 || !plain["rack"].Equal(base["rack"]) {
		t.Errorf("the overlay is %v", plain)
	}
	if _, added := plain["provisioned_capacity_gb"]; added {
		t.Error("a key was added that the scheduler computes with")
	}
	if _, added := fixed["provisioned_capacity_gb"]; !added {
		t.Error("fix_provisioned_capacity has no effect")
	}
	if len(base) != 2 {
		t.Errorf("the base was changed: %v", base)
	}
}
