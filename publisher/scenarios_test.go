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

// world is a cloud twice over: one scheduler receives what cinder-volume and the
// agents publish, the other only what cinder-volume publishes. Both place the
// same volumes. Live metrics apart, the first must hold nothing that the second
// does not, for longer than one interval of cinder-volume.
type world struct {
	*fanout
	with, without *scheduler
	volume        *cinderVolume
	agent         *agent
	options       Options
	name          string                   // identity of the backend
	offer         func() capability.Report // what the array gives, nil while nothing is offered
	differs       time.Time                // since when the schedulers differ
	samples       int64
}

// scenario runs in virtual time: the body, and then three quiet intervals.
func scenario(t *testing.T, options Options, body func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, options)
		body(w)
		w.quiet(3)
		if st := w.agent.state(t, w.name); st.State != Overlaying {
			t.Errorf("in the end the agent is %+v", st)
		}
	})
}

func newWorld(t *testing.T, options Options) *world {
	w := &world{
		fanout: &fanout{t: t}, with: newScheduler(t, 0), without: newScheduler(t, 0), name: fa1, options: options,
	}
	w.schedulers = []*scheduler{w.with}
	w.volume = &cinderVolume{exchange: w.fanout, host: fa1, total: 1000, allocated: 100}
	w.options.Interval, w.options.StatsInterval = sampling, polling
	w.offer = func() capability.Report { return reading(w.samples, 1000) }
	w.agent = w.startAs(firstAgent, w.options)
	w.report()
	time.Sleep(time.Second)
	w.sample()
	w.check()
	return w
}

// report lets cinder-volume report now.
func (w *world) report() { w.deliver(w.volume.message(w.volume.capabilities(), w.volume.stamp())) }

// deliver brings a message of cinder-volume to everybody.
func (w *world) deliver(body []byte) {
	w.without.receive(body)
	w.cast(body)
	synctest.Wait()
}

// sample lets the agent read the array.
func (w *world) sample() {
	if w.offer != nil {
		w.samples++
		w.agent.Update(w.offer())
	}
	synctest.Wait()
}

// place lets both schedulers place a volume.
func (w *world) place(size float64) {
	time.Sleep(time.Millisecond)
	w.with.place(w.name, size)
	w.without.place(w.name, size)
	w.check()
}

// quiet lets some intervals of cinder-volume pass in which only reports and
// samples arrive.
func (w *world) quiet(intervals int) {
	for range intervals {
		w.wait(polling)
		w.report()
		w.check()
	}
}

// wait lets time pass. The agent samples the array.
func (w *world) wait(d time.Duration) {
	for ; d > 0; d -= sampling {
		time.Sleep(min(d, sampling))
		w.sample()
		w.check()
	}
}

// standby starts a second agent, which waits while the first publishes, and
// returns the first.
func (w *world) standby() *agent {
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
func (w *world) restartScheduler() {
	w.with.restart()
	w.without.restart()
	w.agent.bus.restarted()
	w.check()
	w.report()
	w.sample()
	w.check()
}

// check compares what the schedulers hold.
func (w *world) check() {
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

// same is check without any patience.
func (w *world) same(when string) {
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

func (w *world) difference() string {
	with, without := w.with.known(w.name), w.without.known(w.name)
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

// fresh checks that filters and functions read the newest sample.
func (w *world) fresh(when string) {
	w.t.Helper()
	if got, want := w.with.capability(w.name, "total_volumes"), fmt.Sprint(w.samples); got != want {
		w.t.Errorf("%s: filters read %q volumes, want %s", when, got, want)
	}
}

// TestNothingThatWasPlacedIsErased is the rule that everything else here serves:
// live metrics reach filters at once, and deductions stay.
func TestNothingThatWasPlacedIsErased(t *testing.T) {
	scenario(t, Options{}, func(w *world) {
		for range 20 {
			time.Sleep(time.Second)
			w.place(10)
			w.sample()
			w.same("after a placement and a sample")
			w.fresh("after a placement and a sample")
		}
	})
}

// TestOlderSampleKeepsTheCapacities has cinder-volume report after the array was
// polled: its capacities count what was created in between.
func TestOlderSampleKeepsTheCapacities(t *testing.T) {
	scenario(t, Options{}, func(w *world) {
		w.sample()
		time.Sleep(time.Second)
		w.report()
		if got := w.with.free(fa1); got != 500 {
			w.t.Errorf("%g GiB are free, want the 500 of the base report", got)
		}
		w.fresh("after a report that is newer than the sample")
		w.sample()
		if got := w.with.free(fa1); got != 400 {
			w.t.Errorf("%g GiB are free, want the 400 of the sample", got)
		}
	})
}

// TestStampsOfCinderVolume gives cinder-volume's reports every kind of stamp.
func TestStampsOfCinderVolume(t *testing.T) {
	at := func(w *world, offset time.Duration, text string) []byte {
		stamp := fmt.Sprintf("%q", time.Now().UTC().Add(offset).Format(stampFormat))
		return w.volume.message(strings.Replace(w.volume.capabilities(), `"rack"`, text+`"rack"`, 1), stamp)
	}
	for name, body := range map[string]func(w *world){
		"in the future": func(w *world) {
			w.volume.skew = time.Hour
			w.quiet(3)
			w.fresh("with a clock that is ahead")
		},
		"in the past": func(w *world) {
			w.volume.skew = -time.Hour
			w.quiet(62) // the schedulers ignore as many
			w.fresh("with a clock that is behind")
		},
		"from the future once": func(w *world) {
			w.deliver(at(w, time.Hour, `"odd":1,`))
			w.quiet(63)
			w.fresh("after it")
		},
		"late": func(w *world) {
			late := at(w, 0, `"late":1,`)
			w.wait(30 * time.Second)
			w.report()
			w.deliver(late)
			w.same("after a late report")
			w.sample()
			w.same("after a sample over a late report")
		},
		"delayed by an outage": func(w *world) {
			late := at(w, 0, `"late":1,`)
			w.wait(57 * time.Second)
			w.deliver(late)
			w.same("after a delayed report")
			w.fresh("after a delayed report")
		},
		"replayed": func(w *world) {
			old := at(w, 0, `"old":1,`)
			w.deliver(old)
			w.quiet(2)
			for range 3 {
				w.deliver(old)
				w.wait(sampling)
				w.same("after a replay")
			}
		},
		"the same again": func(w *world) {
			again := at(w, 0, `"again":1,`)
			for range 3 {
				w.deliver(again)
				w.sample()
				w.fresh("after a duplicate")
			}
		},
		"swapped": func(w *world) {
			first := at(w, 0, `"first":1,`)
			time.Sleep(300 * time.Millisecond)
			second := at(w, 0, `"second":1,`)
			w.deliver(second)
			w.deliver(first)
			w.sample()
			w.same("after two reports in the wrong order")
			w.fresh("after two reports in the wrong order")
		},
		"missing": func(w *world) {
			// The scheduler stamps it by its own clock.
			w.agent.onMessage(w.volume.message(w.volume.capabilities(), "null"))
			stamped := at(w, 0, `"unstamped":1,`)
			w.without.receive(stamped)
			w.with.receive(stamped)
			w.wait(45 * time.Second)
			w.same("after a report without a timestamp")
			if st := w.agent.state(w.t, w.name); st.Cause != UnreadableBase {
				w.t.Errorf("the agent is %+v", st)
			}
		},
		"of a clock set back": func(w *world) {
			w.volume.skew = -10 * time.Minute
			w.quiet(13)
			w.fresh("after the clock was set back")
		},
		"of a clock set forward": func(w *world) {
			w.volume.skew = 10 * time.Minute
			w.quiet(3)
			w.fresh("after the clock was set forward")
			w.place(10)
			w.sample()
			w.same("with stamps in the future, after a placement")
		},
		"of a clock set back and forward": func(w *world) {
			w.volume.skew = -5 * time.Minute
			w.quiet(2)
			w.volume.skew = 0
			w.quiet(2)
			w.fresh("after the clock was set")
		},
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, Options{}, func(w *world) {
				w.place(10)
				body(w)
				w.place(10)
				w.quiet(1)
			})
		})
	}
}

// TestClusterWithSkewedClocks has two cinder-volumes in one cluster, whose clocks
// differ by half a minute. The schedulers take the one that is ahead.
func TestClusterWithSkewedClocks(t *testing.T) {
	scenario(t, Options{}, func(w *world) {
		const cluster = "east@fa1"
		w.name = cluster
		plain := w.offer
		w.offer = func() capability.Report {
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
			w.place(10)
			w.wait(30 * time.Second)
			w.same("in a cluster with skewed clocks")
			w.fresh("in a cluster with skewed clocks")
		}
		w.volume.skew = 30 * time.Second // its clock is corrected
	})
}

func TestSchedulerRestarts(t *testing.T) {
	for name, body := range map[string]func(w *world){
		"alone": func(w *world) { w.restartScheduler() },
		"after a clock step": func(w *world) {
			w.volume.skew = -time.Hour
			w.report()
			w.sample()
			w.restartScheduler()
			w.same("after a restart behind a clock step")
			w.fresh("after a restart behind a clock step")
		},
		"with others that run on": func(w *world) {
			w.place(10)
			old, oldWithout := w.with, w.without
			w.with, w.without = newScheduler(w.t, 0), newScheduler(w.t, 0)
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
			w.fresh("after another scheduler has started")
		},
		"without a report at once": func(w *world) {
			w.with.restart()
			w.without.restart()
			w.agent.bus.restarted()
			w.wait(45 * time.Second)
			if got := w.with.known(w.name); len(got) != 0 {
				w.t.Errorf("an old base was published to a new scheduler: %v", got)
			}
			w.report()
		},
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, Options{}, func(w *world) {
				w.place(10)
				body(w)
				w.place(10)
			})
		})
	}
}

func TestAgentsComeAndGo(t *testing.T) {
	for name, body := range map[string]func(w *world){
		"restarted": func(w *world) {
			w.agent.stop()
			w.same("after a clean stop")
			w.agent = w.start(w.options)
			w.wait(30 * time.Second)
			w.same("after a restart, before a report of cinder-volume")
		},
		"killed and started": func(w *world) {
			w.agent.bus.set(func(b *fakeBus) { b.refuse, b.unbound, b.broken = errNotConnected, true, true })
			w.agent = w.start(w.options)
			w.wait(30 * time.Second)
		},
		"a standby takes over": func(w *world) {
			first := w.standby()
			w.place(10)
			first.stop()
			w.same("after the first agent has stopped")
			w.sample()
			w.same("after the second took over")
			w.fresh("after the second took over")
		},
		"a standby takes over from one that was killed": func(w *world) {
			first := w.standby()
			w.place(10)
			first.bus.set(func(b *fakeBus) { b.refuse, b.unbound, b.broken = errNotConnected, true, true })
			w.wait(60 * time.Second)
			w.fresh("a minute after the first agent was killed")
		},
		"the stanza is removed and added": func(w *world) {
			w.place(10)
			w.agent.Remove(fa1)
			synctest.Wait()
			w.same("after the stanza was removed")
			w.place(10)
			w.sample()
			w.same("after the stanza was added")
			w.fresh("after the stanza was added")
		},
		"withdrawn and back": func(w *world) {
			w.place(10)
			w.agent.Suspend(fa1, "the array does not answer")
			synctest.Wait()
			w.same("after the withdrawal")
			if got := w.with.known(fa1)["metrics_agent"]; got != "" {
				w.t.Error("the scheduler still holds an overlay")
			}
			w.place(10)
			w.sample()
			w.fresh("after the withdrawal has ended")
		},
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, Options{}, func(w *world) {
				w.place(10)
				body(w)
			})
		})
	}
}

func TestCleanStopLeavesCindersReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.place(10)
		w.sample()
		w.agent.stop()
		w.same("after a clean stop")
		for key := range w.with.known(fa1) {
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
				w := newWorld(t, Options{})
				good := w.offer
				w.with.place(fa1, 10)
				w.without.place(fa1, 10)
				time.Sleep(5 * time.Second)
				stale := func() {
					w.agent.Update(staleReading(drop))
					synctest.Wait()
					total := w.with.next(fa1).total
					if got := w.with.capability(fa1, "backend_state"); got != `"down"` || drop != (total == 0) {
						t.Errorf("the scheduler reads backend_state %s and a total of %g", got, total)
					}
				}
				stale()
				w.report() // cinder-volume does not know, or uses the secondary path
				time.Sleep(time.Second)
				stale()
				time.Sleep(20 * time.Minute) // cinder-volume hangs on the array
				stale()
				w.offer = good
				w.sample()
				if got := w.with.capability(fa1, "backend_state"); got != "" {
					t.Errorf("the array is back, and the scheduler reads %s", got)
				}
				w.report()
				w.sample()
				w.same("after the array is back")
				w.fresh("after the array is back")
			})
		})
	}
}

// TestBulkDelete has cinder-volume report after each of many deletions.
func TestBulkDelete(t *testing.T) {
	scenario(t, Options{}, func(w *world) {
		w.place(10)
		before := len(w.with.received())
		for range 50 {
			time.Sleep(20 * time.Millisecond)
			w.volume.allocated--
			w.report()
			w.same("during a bulk delete")
			w.fresh("during a bulk delete")
		}
		if n := len(w.with.received()) - before; n > 100 {
			w.t.Errorf("%d messages for 50 reports", n)
		}
	})
}

// TestSlowArrayStretchesTheInterval has cinder-volume take longer for its reports
// than its polling interval says.
func TestSlowArrayStretchesTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
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
		w := newWorld(t, Options{})
		w.agent.SetIntervals(sampling, 5*polling)
		for i := range 3 {
			w.wait(8 * polling)
			w.fresh(fmt.Sprintf("report %d", i))
			if st := w.agent.state(t, fa1); st.State != Overlaying {
				t.Errorf("report %d: %+v", i, st)
			}
			w.report()
		}
	})
}

// TestLostBinding takes the listening queue's binding away: the agent misses the
// reports of cinder-volume, and must not publish old ones.
func TestLostBinding(t *testing.T) {
	for name, broken := range map[string]bool{"bound again": false, "for good": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, Options{})
				w.agent.bus.set(func(b *fakeBus) { b.unbound, b.broken = true, broken })
				for i := range 10 {
					w.volume.allocated++
					w.report()
					w.wait(polling)
					if w.same("with a lost binding"); i > 1 && !broken {
						w.fresh("after binding again")
					}
				}
				if n := w.agent.bus.rebinds; n == 0 || n > 11 || !broken && n > 1 {
					t.Errorf("the queue was bound again %d times", n)
				}
				if n := w.agent.lines("binding the listening queue again"); n != 1 {
					t.Errorf("the log says so %d times:\n%s", n, w.agent.log)
				}
				if st := w.agent.state(t, fa1); broken != (st.Cause == NoRecentBase) {
					t.Errorf("the agent is %+v", st)
				}
			})
		})
	}
}

// TestDeadCinderVolume has one cinder-volume of two stop for good.
func TestDeadCinderVolume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		for range 10 {
			w.wait(polling)
			(&cinderVolume{exchange: w.fanout, host: "ctl1@fa2", total: 1}).report()
		}
		if st := w.agent.state(t, fa1); st.State != Suspended || st.Cause != NoRecentBase {
			t.Errorf("the agent is %+v", st)
		}
		w.same("with a dead cinder-volume")
		if got := w.with.known(fa1)["metrics_agent"]; got != "" {
			t.Error("an overlay is left")
		}
		if w.agent.bus.rebinds != 0 {
			t.Error("the queue was bound again although other reports were received")
		}
		w.report()
		w.sample()
		w.fresh("after cinder-volume has started again")
	})
}
