//go:build integration

package integration

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/publisher"
)

const (
	// bursts is how many are run without poolcast, and then with it.
	bursts = 5
	// burstVolumes is the size of one burst.
	burstVolumes = 45
	// burstPace is the time between two creates of a burst.
	burstPace = time.Second / 6
)

// TestBurstPlacement creates volumes faster than cinder-volume reports. A scheduler that
// weighs by allocated capacity then counts what it has placed since the last report,
// and chooses three equal arrays in turn. Overlays with new metrics must not change
// that.
func TestBurstPlacement(t *testing.T) {
	t.Parallel()
	s := newBurstEnvironment(t, "AllocatedCapacityWeigher")
	var rows []string
	burst := func(name string, agent bool) {
		s.marker++
		s.reportAll(nil)
		s.awaitBases(agent)
		s.setFrame(s.marker) // the overlays during this burst must have the new numbers
		begun := time.Now()
		chosen := s.burst()
		rows = append(rows, fmt.Sprintf("%s %d: %s at %.1f/s, longest run %d: %s", name, s.marker,
			s.counts(chosen), burstVolumes/time.Since(begun).Seconds(), longestRun(chosen), initials(chosen)))
		if !inTurn(chosen) {
			t.Errorf("the arrays are not chosen in turn: %s", rows[len(rows)-1])
		}
		if agent {
			s.awaitMetrics()
		}
	}
	for range bursts {
		burst("without poolcast, burst", false)
	}
	a := s.startAgent()
	a.awaitLog(0, "session", string(publisher.Ready))
	for range bursts {
		burst("with poolcast, burst", true)
	}
	a.finish()
	t.Logf("%d creates a burst:\n%s", burstVolumes, strings.Join(rows, "\n"))
}

// burstEnvironment has three equal arrays and a real scheduler. The test sends the
// reports of cinder-volume.
type burstEnvironment struct {
	*environment
	cinder *scheduler.Scheduler
	base   capability.Set // what cinder-volume reports of each array
	marker int            // number of the current base reports
}

func newBurstEnvironment(t *testing.T, weigher string) *burstEnvironment {
	t.Helper()
	var fixtures []simulator.Fixture
	for i := range 3 {
		f := builtin(t, "flasharray-x-01")
		f.Name = fmt.Sprintf("flasharray-%c", 'a'+i)
		fixtures = append(fixtures, f)
	}
	broker, transport := startBroker(t)
	s := &burstEnvironment{environment: newEnvironment(t, fixtures, transport)}
	s.reportSeldom()
	s.cinder = scheduler.Start(t, scheduler.Options{Broker: broker, Backends: s.backends(), Settings: []string{
		"scheduler_default_filters = AvailabilityZoneFilter,CapacityFilter,CapabilitiesFilter,DriverFilter",
		"scheduler_default_weighers = " + weigher,
		"quota_volumes = -1", "quota_gigabytes = -1",
	}})
	s.base = s.dryRun("--backend", stanza(fixtures[0].Name))[0].Capabilities.Clone()
	for _, key := range []string{
		capability.KeyMetricsAgent, capability.KeyMetricsStatus, capability.KeyMetricsAge,
		capability.KeyLoadPercent, capability.KeyBackendState, capability.KeyArrayID,
	} {
		delete(s.base, key)
	}
	s.base[capability.KeyAllocatedCapacity] = capability.OfInt(0)
	return s
}

// reportSeldom gives cinder-volume a long reporting interval, so that a base report does
// not expire during a burst, however long that takes on a busy machine.
func (s *burstEnvironment) reportSeldom() {
	s.t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(s.config, strings.Replace(string(text), "[DEFAULT]\n", "[DEFAULT]\nbackend_stats_polling_interval = 600\n", 1))
}

// reportAll sends cinder-volume's report of every backend, with some keys replaced. The
// scheduler then no longer counts what it has placed before.
func (s *burstEnvironment) reportAll(replaced capability.Set) {
	s.t.Helper()
	for _, a := range s.arrays {
		set := s.base.Overlay(replaced).Overlay(capability.Set{"marker": capability.OfInt(int64(s.marker))})
		s.cinder.Report(scheduler.Report{Host: hostName(a.Name()), Capabilities: set})
	}
}

// awaitBases waits until the scheduler has the last reports of cinder-volume, and with
// an agent, an overlay of each.
func (s *burstEnvironment) awaitBases(agent bool) {
	s.t.Helper()
	s.awaitEach(fmt.Sprintf("report %d, overlaid: %t", s.marker, agent), func(_ *simulator.Array, got capability.Set) error {
		_, marked := got[capability.KeyMetricsAgent]
		if n, _ := got["marker"].Int(); n != int64(s.marker) || marked != agent {
			return fmt.Errorf("it has report %d, overlaid: %t", n, marked)
		}
		return nil
	})
}

// awaitMetrics waits until the scheduler has the present number of volumes of each
// array.
func (s *burstEnvironment) awaitMetrics() {
	s.t.Helper()
	want := s.dryRun("--backend", stanza(s.arrays[0].Name()))[0].Capabilities["total_volumes"]
	s.awaitEach(fmt.Sprintf("%s volumes", want), func(_ *simulator.Array, got capability.Set) error {
		if v := got["total_volumes"]; !v.Equal(want) {
			return fmt.Errorf("it has %s", v)
		}
		return nil
	})
}

func (s *burstEnvironment) awaitEach(what string, check func(*simulator.Array, capability.Set) error) {
	s.t.Helper()
	process.Await(s.t, pollBound, "the scheduler to have "+what+" of each array", func() error {
		pools, err := s.cinder.Pools()
		if err != nil {
			return err
		}
		for _, a := range s.arrays {
			if err := check(a, find(pools, hostName(a.Name()))); err != nil {
				return fmt.Errorf("%s: %w", a.Name(), err)
			}
		}
		return nil
	})
}

// burst creates volumes one after another and returns the array of each.
func (s *burstEnvironment) burst() (chosen []int) {
	s.t.Helper()
	pace := time.NewTicker(burstPace)
	defer pace.Stop()
	for range burstVolumes {
		chosen = append(chosen, s.create(nil))
		<-pace.C
	}
	return chosen
}

// create creates a volume and returns its array, or -1 if none fits.
func (s *burstEnvironment) create(specs map[string]string) int {
	s.t.Helper()
	host, err := s.cinder.Create(scheduler.Volume{Size: 10, Zone: zone, ExtraSpecs: specs})
	if err != nil {
		s.t.Fatal(err)
	}
	return slices.IndexFunc(s.arrays, func(a *simulator.Array) bool { return hostName(a.Name())+"#"+pool == host })
}

// counts is how many volumes each array has got.
func (s *burstEnvironment) counts(chosen []int) string {
	n := make([]int, len(s.arrays))
	for _, i := range chosen {
		if i < 0 {
			return "a volume has no array"
		}
		n[i]++
	}
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(n)), "/"), "[]")
}

// inTurn says whether three arrays were chosen in turn.
func inTurn(chosen []int) bool {
	first := slices.Clone(chosen[:3])
	slices.Sort(first)
	for i, c := range chosen {
		if c != chosen[i%3] {
			return false
		}
	}
	return slices.Equal(first, []int{0, 1, 2})
}

// longestRun is the greatest number of volumes in a row on one array.
func longestRun(chosen []int) int {
	longest, run := 0, 0
	for i, c := range chosen {
		if i == 0 || c != chosen[i-1] {
			run = 0
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// initials is a sequence of arrays as text, such as ABCABC.
func initials(chosen []int) string {
	text := ""
	for _, c := range chosen {
		text += string(rune('A' + c))
	}
	return text
}

// TestDecisionUsesNewMetrics changes one array and creates volumes: a condition of a
// volume type, a filter function and a goodness function use the new metric as soon as
// the scheduler has it, although the scheduler has placed a volume on that array since
// cinder-volume's last report.
func TestDecisionUsesNewMetrics(t *testing.T) {
	t.Parallel()
	s := newBurstEnvironment(t, "GoodnessWeigher")
	a := s.startAgent()
	a.awaitLog(0, "session", string(publisher.Ready))
	// The frames of the recording before and after the change.
	const before, after = 0, 3
	for _, c := range []struct {
		reader string
		specs  map[string]string
		base   capability.Set
	}{
		{
			reader: "CapabilitiesFilter", // 912 volumes become 915
			specs:  map[string]string{"capabilities:total_volumes": "<= 913"},
		},
		{
			reader: "DriverFilter", // 19500 become 21471
			base:   capability.Set{capability.KeyFilterFunction: capability.OfString("capabilities.writes_per_sec < 20500")},
		},
		{
			reader: "GoodnessWeigher", // 25 becomes 27
			base:   capability.Set{capability.KeyGoodnessFunction: capability.OfString("100 - capabilities.load_percent")},
		},
	} {
		s.setFrame(before)
		s.marker++
		s.reportAll(c.base)
		s.awaitBases(true)
		s.awaitMetrics()
		first := s.create(c.specs)
		if first < 0 {
			t.Fatalf("%s: no array fits", c.reader)
		}
		s.awaitChange(c.reader+" to avoid the array", c.specs, first, after, func(chosen int) bool { return chosen != first && chosen >= 0 })
		s.awaitChange(c.reader+" to take the array again", c.specs, first, before, func(chosen int) bool { return chosen == first })
	}
	a.finish()
}

// awaitChange puts an array into another frame and creates volumes until they are placed
// as they should be, and then some more. From when the scheduler has the new number of
// volumes, each placement must be right.
func (s *burstEnvironment) awaitChange(what string, specs map[string]string, array, frame int, right func(chosen int) bool) {
	s.t.Helper()
	polls := func() int { return s.arrays[array].Requests()["GET arrays/performance"] }
	s.arrays[array].SetFrame(frame)
	want := s.dryRun("--backend", stanza(s.arrays[array].Name()))[0].Capabilities[capability.KeyTotalVolumes]
	changed, before, creates := time.Now(), polls(), 0
	process.Await(s.t, pollBound, what, func() error {
		pools, err := s.cinder.Pools()
		if err != nil {
			return err
		}
		received := find(pools, hostName(s.arrays[array].Name()))[capability.KeyTotalVolumes].Equal(want)
		creates++
		chosen := s.create(specs)
		if right(chosen) {
			return nil
		}
		if received {
			s.t.Errorf("waiting for %s: volume %d was placed on array %d, although the scheduler has the new number", what, creates, chosen)
		}
		return fmt.Errorf("volume %d was placed on array %d", creates, chosen)
	})
	s.t.Logf("%s: %.1f s, %d creates and %d polls after the change", what, time.Since(changed).Seconds(), creates, polls()-before)
	for range 3 {
		if chosen := s.create(specs); !right(chosen) {
			s.t.Errorf("waiting for %s: a later volume was placed on array %d", what, chosen)
		}
	}
}
