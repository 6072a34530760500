package publisher

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// polling is the interval of cinder-volume and of the agents in these tests.
const (
	polling  = time.Minute
	sampling = 15 * time.Second
)

// firstAgent and secondAgent are names of agents; the first one publishes.
const (
	firstAgent  = "1111111111111111"
	secondAgent = "2222222222222222"
)

// simulation has two schedulers: one receives what cinder-volume and the
// agents publish, the other only what cinder-volume publishes. Both place the
// same volumes. Live metrics apart, the first must hold nothing that the second
// does not, for longer than one interval of cinder-volume.
type simulation struct {
	*fanout
	with, without *scheduler
	volume        *cinderVolume
	agent         *agent
	options       Options
	name          string                   // identity of the backend
	newReport     func() capability.Report // of a poll, nil while polls fail
	differs       time.Time                // since when the schedulers differ
	samples       int64
}

// scenario runs in virtual time: the body, and then three intervals.
func scenario(t *testing.T, body func(w *simulation)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t)
		body(w)
		w.pass(3)
		if st := w.agent.state(t, w.name); st.State != Overlaying {
			t.Errorf("in the end the agent is %+v", st)
		}
	})
}

func newSimulation(t *testing.T) *simulation {
	w := &simulation{
		fanout: &fanout{t: t}, with: newScheduler(t), without: newScheduler(t), name: fa1,
	}
	w.schedulers = []*scheduler{w.with}
	w.volume = &cinderVolume{exchange: w.fanout, host: fa1, total: 1000, allocated: 100}
	w.options.Interval, w.options.StatsInterval = sampling, polling
	w.newReport = func() capability.Report { return newSample(w.samples, 1000) }
	w.agent = w.startAs(firstAgent, w.options)
	w.report()
	time.Sleep(time.Second)
	w.sample()
	w.check()
	return w
}

// report makes cinder-volume report now.
func (w *simulation) report() { w.deliver(w.volume.message(w.volume.capabilities(), w.volume.stamp())) }

// deliver brings a message of cinder-volume to all schedulers and agents.
func (w *simulation) deliver(body []byte) {
	w.without.receive(body)
	w.send(body)
	synctest.Wait()
}

// sample makes the agent poll the array.
func (w *simulation) sample() {
	if w.newReport != nil {
		w.samples++
		w.agent.Update(w.newReport())
	}
	synctest.Wait()
}

// place makes both schedulers place a volume of 10 GiB.
func (w *simulation) place() {
	time.Sleep(time.Millisecond)
	w.with.place(w.name, 10)
	w.without.place(w.name, 10)
	w.check()
}

// pass lets some intervals of cinder-volume pass in which only reports and
// samples arrive.
func (w *simulation) pass(intervals int) {
	for range intervals {
		w.wait(polling)
		w.report()
		w.check()
	}
}

// wait waits while the agent polls the array.
func (w *simulation) wait(d time.Duration) {
	for ; d > 0; d -= sampling {
		time.Sleep(min(d, sampling))
		w.sample()
		w.check()
	}
}

// standby starts a second agent, which waits while the first publishes, and
// returns the first.
func (w *simulation) standby() *agent {
	first, second := w.agent, w.startAs(secondAgent, w.options)
	w.report()
	for _, a := range []*agent{first, second, first, second} {
		w.agent = a
		w.sample()
	}
	if st := second.state(w.t, w.name); st.State != Standby {
		w.t.Fatalf("the second agent is %+v", st)
	}
	return first
}

// restartScheduler ends the scheduler and starts a new one, which asks every
// cinder-volume for a report.
func (w *simulation) restartScheduler() {
	w.with.restart()
	w.without.restart()
	w.agent.bus.restarted()
	w.check()
	w.report()
	w.sample()
	w.check()
}

// check compares what the schedulers hold.
func (w *simulation) check() {
	w.t.Helper()
	difference := w.difference()
	switch {
	case difference == "":
		w.differs = time.Time{}
	case w.differs.IsZero():
		w.differs = time.Now()
	case time.Since(w.differs) > polling:
		w.t.Fatalf("for %s the scheduler has held what it would not have: %s", time.Since(w.differs), difference)
	}
}

// mustMatch is check without a grace period.
func (w *simulation) mustMatch(when string) {
	w.t.Helper()
	if d := w.difference(); d != "" {
		w.t.Errorf("%s: %s", when, d)
	}
}

// live reports whether a key may differ: it is measured, or it is a mark.
func live(key string) bool {
	switch key {
	case "free_capacity_gb", "total_volumes", "usec_per_read_op", "array_id", "metrics_age_seconds", "metrics_status", "metrics_agent":
		return true
	}
	return false
}

func (w *simulation) difference() string {
	with, without := w.with.held(w.name), w.without.held(w.name)
	for key, value := range without {
		if with[key] != value && !live(key) && key != "rack" {
			return fmt.Sprintf("%s is %s instead of %s", key, with[key], value)
		}
	}
	for key := range with {
		if _, there := without[key]; !there && !live(key) {
			return fmt.Sprintf("%s is %s and was never reported", key, with[key])
		}
	}
	if a, b := w.with.allocated(w.name), w.without.allocated(w.name); a != b {
		return fmt.Sprintf("%g GiB are allocated instead of %g", a, b)
	}
	if a, b := w.with.provisioned(w.name), w.without.provisioned(w.name); a != b {
		return fmt.Sprintf("%g GiB are provisioned instead of %g", a, b)
	}
	return ""
}

// mustBeFresh checks that filters and functions read the newest sample.
func (w *simulation) mustBeFresh(when string) {
	w.t.Helper()
	if got, want := w.with.capability(w.name, "total_volumes"), fmt.Sprint(w.samples); got != want {
		w.t.Errorf("%s: filters read %q volumes, want %s", when, got, want)
	}
}

// TestOverlayKeepsPlacements is the rule behind the other tests here:
// live metrics reach filters at once, and deductions stay.
func TestOverlayKeepsPlacements(t *testing.T) {
	scenario(t, func(w *simulation) {
		for range 20 {
			time.Sleep(time.Second)
			w.place()
			w.sample()
			w.mustMatch("after a placement and a sample")
			w.mustBeFresh("after a placement and a sample")
		}
	})
}

// TestOlderSampleKeepsCapacities has cinder-volume report after the array was
// polled: its capacities count what was created in between.
func TestOlderSampleKeepsCapacities(t *testing.T) {
	scenario(t, func(w *simulation) {
		w.sample()
		time.Sleep(time.Second)
		w.report()
		if got := w.with.free(fa1); got != 500 {
			w.t.Errorf("%g GiB are free, want the 500 of the base report", got)
		}
		w.mustBeFresh("after a report that is newer than the sample")
		w.sample()
		if got := w.with.free(fa1); got != 400 {
			w.t.Errorf("%g GiB are free, want the 400 of the sample", got)
		}
	})
}

// TestBaseStamps gives cinder-volume's reports every kind of stamp.
func TestBaseStamps(t *testing.T) {
	at := func(w *simulation, offset time.Duration, text string) []byte {
		stamp := fmt.Sprintf("%q", time.Now().UTC().Add(offset).Format(stampFormat))
		return w.volume.message(strings.Replace(w.volume.capabilities(), `"rack"`, text+`"rack"`, 1), stamp)
	}
	for name, body := range map[string]func(w *simulation){
		"in the future": func(w *simulation) {
			w.volume.skew = time.Hour
			w.pass(3)
			w.mustBeFresh("with a clock that is ahead")
		},
		"in the past": func(w *simulation) {
			w.volume.skew = -time.Hour
			w.pass(62) // the schedulers ignore as many
			w.mustBeFresh("with a clock that is behind")
		},
		"from the future once": func(w *simulation) {
			w.deliver(at(w, time.Hour, `"once":1,`))
			w.pass(63)
			w.mustBeFresh("after it")
		},
		"late": func(w *simulation) {
			late := at(w, 0, `"late":1,`)
			w.wait(30 * time.Second)
			w.report()
			w.deliver(late)
			w.mustMatch("after a late report")
			w.sample()
			w.mustMatch("after a sample over a late report")
		},
		"delayed by an outage": func(w *simulation) {
			late := at(w, 0, `"late":1,`)
			w.wait(57 * time.Second)
			w.deliver(late)
			w.mustMatch("after a delayed report")
			w.mustBeFresh("after a delayed report")
		},
		"replayed": func(w *simulation) {
			old := at(w, 0, `"old":1,`)
			w.deliver(old)
			w.pass(2)
			for range 3 {
				w.deliver(old)
				w.wait(sampling)
				w.mustMatch("after a replay")
			}
		},
		"the same again": func(w *simulation) {
			again := at(w, 0, `"again":1,`)
			for range 3 {
				w.deliver(again)
				w.sample()
				w.mustBeFresh("after a duplicate")
			}
		},
		"swapped": func(w *simulation) {
			first := at(w, 0, `"first":1,`)
			time.Sleep(300 * time.Millisecond)
			second := at(w, 0, `"second":1,`)
			w.deliver(second)
			w.deliver(first)
			w.sample()
			w.mustMatch("after two reports in the wrong order")
			w.mustBeFresh("after two reports in the wrong order")
		},
		"missing": func(w *simulation) {
			// The scheduler stamps it by its own clock.
			w.agent.onMessage(w.volume.message(w.volume.capabilities(), "null"))
			stamped := at(w, 0, `"unstamped":1,`)
			w.without.receive(stamped)
			w.with.receive(stamped)
			w.wait(45 * time.Second)
			w.mustMatch("after a report without a timestamp")
			if st := w.agent.state(w.t, w.name); st.Cause != UnreadableBase {
				w.t.Errorf("the agent is %+v", st)
			}
		},
		"of a clock set back": func(w *simulation) {
			w.volume.skew = -10 * time.Minute
			w.pass(13)
			w.mustBeFresh("after the clock was set back")
		},
		"of a clock set forward": func(w *simulation) {
			w.volume.skew = 10 * time.Minute
			w.pass(3)
			w.mustBeFresh("after the clock was set forward")
			w.place()
			w.sample()
			w.mustMatch("with stamps in the future, after a placement")
		},
		"of a clock set back and forward": func(w *simulation) {
			w.volume.skew = -5 * time.Minute
			w.pass(2)
			w.volume.skew = 0
			w.pass(2)
			w.mustBeFresh("after the clock was set")
		},
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(w *simulation) {
				w.place()
				body(w)
				w.place()
				w.pass(1)
			})
		})
	}
}

// TestClusterWithSkewedClocks has two cinder-volumes in one cluster, whose clocks
// differ by half a minute. The schedulers take the one that is ahead.
func TestClusterWithSkewedClocks(t *testing.T) {
	scenario(t, func(w *simulation) {
		const cluster = "east@fa1"
		w.name = cluster
		plain := w.newReport
		w.newReport = func() capability.Report {
			r := plain()
			r.Cluster = cluster
			return r
		}
		ahead := &cinderVolume{exchange: w.fanout, host: "ctl2@fa1", cluster: cluster, total: 1000, allocated: 100, skew: 30 * time.Second}
		w.volume.cluster = cluster
		for range 5 {
			w.report()
			w.wait(30 * time.Second)
			w.deliver(ahead.message(strings.Replace(ahead.capabilities(), `"rack"`, `"second":1,"rack"`, 1), ahead.stamp()))
			w.place()
			w.wait(30 * time.Second)
			w.mustMatch("in a cluster with skewed clocks")
			w.mustBeFresh("in a cluster with skewed clocks")
		}
		w.volume.skew = 30 * time.Second // its clock is corrected
	})
}

func TestSchedulerRestarts(t *testing.T) {
	for name, body := range map[string]func(w *simulation){
		"alone": func(w *simulation) { w.restartScheduler() },
		"after a clock step": func(w *simulation) {
			w.volume.skew = -time.Hour
			w.report()
			w.sample()
			w.restartScheduler()
			w.mustMatch("after a restart behind a clock step")
			w.mustBeFresh("after a restart behind a clock step")
		},
		"with others that run on": func(w *simulation) {
			w.place()
			old, oldWithout := w.with, w.without
			w.with, w.without = newScheduler(w.t), newScheduler(w.t)
			w.schedulers = []*scheduler{old, w.with}
			w.agent.bus.restarted()
			w.sample()
			if n := len(w.with.received()); n != 0 {
				w.t.Errorf("a scheduler that has just started received %d overlays of an old base", n)
			}
			body := w.volume.message(w.volume.capabilities(), w.volume.stamp())
			oldWithout.receive(body)
			w.deliver(body)
			w.sample()
			w.mustBeFresh("after another scheduler has started")
		},
		"without a report at once": func(w *simulation) {
			w.with.restart()
			w.without.restart()
			w.agent.bus.restarted()
			w.wait(45 * time.Second)
			if got := w.with.held(w.name); len(got) != 0 {
				w.t.Errorf("an old base was published to a new scheduler: %v", got)
			}
			w.report()
		},
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(w *simulation) {
				w.place()
				body(w)
				w.place()
			})
		})
	}
}

func TestAgentRestartAndStandby(t *testing.T) {
	for name, body := range map[string]func(w *simulation){
		"restarted": func(w *simulation) {
			w.agent.stop()
			w.mustMatch("after a clean stop")
			w.agent = w.start(w.options)
			w.wait(30 * time.Second)
			w.mustMatch("after a restart, before a report of cinder-volume")
		},
		"killed and started": func(w *simulation) {
			w.agent.bus.set(func(b *fakeBus) { b.refuse, b.unbound, b.broken = errNotConnected, true, true })
			w.agent = w.start(w.options)
			w.wait(30 * time.Second)
		},
		"a standby takes over": func(w *simulation) {
			first := w.standby()
			w.place()
			first.stop()
			w.mustMatch("after the first agent has stopped")
			w.sample()
			w.mustMatch("after the second took over")
			w.mustBeFresh("after the second took over")
		},
		"a standby takes over from one that was killed": func(w *simulation) {
			first := w.standby()
			w.place()
			first.bus.set(func(b *fakeBus) { b.refuse, b.unbound, b.broken = errNotConnected, true, true })
			w.wait(60 * time.Second)
			w.mustBeFresh("a minute after the first agent was killed")
		},
		"the stanza is removed and added": func(w *simulation) {
			w.place()
			w.agent.Remove(fa1)
			synctest.Wait()
			w.mustMatch("after the stanza was removed")
			w.place()
			w.sample()
			w.mustMatch("after the stanza was added")
			w.mustBeFresh("after the stanza was added")
		},
		"suspended and updated": func(w *simulation) {
			w.place()
			w.agent.Suspend(fa1, "the array is down")
			synctest.Wait()
			w.mustMatch("after the suspension")
			if got := w.with.held(fa1)["metrics_agent"]; got != "" {
				w.t.Error("the scheduler still holds an overlay")
			}
			w.place()
			w.sample()
			w.mustBeFresh("after the suspension has ended")
		},
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(w *simulation) {
				w.place()
				body(w)
			})
		})
	}
}

func TestCleanStopRestoresBase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t)
		w.place()
		w.sample()
		w.agent.stop()
		w.mustMatch("after a clean stop")
		for key := range w.with.held(fa1) {
			if strings.HasPrefix(key, "metrics_") || key == "array_id" {
				t.Errorf("%s is left", key)
			}
		}
		if got := w.with.free(fa1); got != 390 {
			t.Errorf("%g GiB are free, want the 400 that were measured before less the 10 placed since", got)
		}
	})
}

// TestStaleArrays reports an array as down, and without capacity, after a
// placement, which must be taken, and the end of it.
func TestStaleArrays(t *testing.T) {
	for _, drop := range []bool{false, true} {
		t.Run(fmt.Sprintf("drop %t", drop), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newSimulation(t)
				good := w.newReport
				w.with.place(fa1, 10)
				w.without.place(fa1, 10)
				time.Sleep(5 * time.Second)
				stale := func() {
					w.agent.Update(newStaleSample(drop))
					synctest.Wait()
					total := w.with.next(fa1).total
					if got := w.with.capability(fa1, "backend_state"); got != `"down"` || drop != (total == 0) {
						t.Errorf("the scheduler reads backend_state %s and a total of %g", got, total)
					}
				}
				stale()
				w.report() // cinder-volume reaches the array, perhaps on another path
				time.Sleep(time.Second)
				stale()
				time.Sleep(20 * time.Minute) // cinder-volume hangs on the array
				stale()
				w.newReport = good
				w.sample()
				if got := w.with.capability(fa1, "backend_state"); got != "" {
					t.Errorf("the array is back, and the scheduler reads %s", got)
				}
				w.report()
				w.sample()
				w.mustMatch("after the array is back")
				w.mustBeFresh("after the array is back")
			})
		})
	}
}

// TestBulkDelete has cinder-volume report after each of many deletions.
func TestBulkDelete(t *testing.T) {
	scenario(t, func(w *simulation) {
		w.place()
		before := len(w.with.received())
		for range 50 {
			time.Sleep(20 * time.Millisecond)
			w.volume.allocated--
			w.report()
			w.mustMatch("during a bulk delete")
			w.mustBeFresh("during a bulk delete")
		}
		if n := len(w.with.received()) - before; n > 100 {
			w.t.Errorf("%d messages for 50 reports", n)
		}
	})
}

// TestSlowArrayStretchesTheInterval has cinder-volume take longer for its reports
// than its polling interval.
func TestSlowArrayStretchesTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t)
		for i := range 5 {
			w.wait(150 * time.Second)
			if st := w.agent.state(t, fa1); i > 0 && st.State != Overlaying {
				t.Errorf("report %d: %+v", i, st)
			}
			w.report()
			w.sample()
		}
	})
}

// TestNewIntervals has a reload change how often cinder-volume reports: a base is
// then usable for longer, and what was received stays.
func TestNewIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t)
		w.agent.SetIntervals(sampling, 5*polling)
		for i := range 3 {
			w.wait(8 * polling)
			w.mustBeFresh(fmt.Sprintf("report %d", i))
			if st := w.agent.state(t, fa1); st.State != Overlaying {
				t.Errorf("report %d: %+v", i, st)
			}
			w.report()
		}
	})
}

// TestLostBinding removes the binding of the listening queue: the agent misses the
// reports of cinder-volume, and must not publish old ones.
func TestLostBinding(t *testing.T) {
	for name, broken := range map[string]bool{"bound again": false, "for good": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newSimulation(t)
				w.agent.bus.set(func(b *fakeBus) { b.unbound, b.broken = true, broken })
				for i := range 10 {
					w.volume.allocated++
					w.report()
					w.wait(polling)
					if w.mustMatch("with a lost binding"); i > 1 && !broken {
						w.mustBeFresh("after binding again")
					}
				}
				if n := w.agent.bus.rebinds; n == 0 || n > 11 || !broken && n > 1 {
					t.Errorf("the queue was bound again %d times", n)
				}
				if n := w.agent.lines("binding the listening queue again"); n != 1 {
					t.Errorf("the log has %d such lines:\n%s", n, w.agent.log)
				}
				if st := w.agent.state(t, fa1); broken != (st.Cause == NoRecentBase) {
					t.Errorf("the agent is %+v", st)
				}
			})
		})
	}
}

// TestStoppedCinderVolume has one cinder-volume of two stop for good.
func TestStoppedCinderVolume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t)
		for range 10 {
			w.wait(polling)
			(&cinderVolume{exchange: w.fanout, host: "ctl1@fa2", total: 1}).report()
		}
		if st := w.agent.state(t, fa1); st.State != Suspended || st.Cause != NoRecentBase {
			t.Errorf("the agent is %+v", st)
		}
		w.mustMatch("with a stopped cinder-volume")
		if got := w.with.held(fa1)["metrics_agent"]; got != "" {
			t.Error("an overlay is left")
		}
		if w.agent.bus.rebinds != 0 {
			t.Error("the queue was bound again although other reports were received")
		}
		w.report()
		w.sample()
		w.mustBeFresh("after cinder-volume has started again")
	})
}
