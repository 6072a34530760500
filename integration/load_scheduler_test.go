//go:build integration

package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/publisher"
)

// TestLoadClassOnScheduler follows load_class in a real scheduler: while the history is
// young, the value of extra_capabilities, which cinder-volume reports; then the measured
// class; after a restart of the agent and after its end that value again.
func TestLoadClassOnScheduler(t *testing.T) {
	t.Parallel()
	s := newLoadTest(t)
	atAnyTime := map[string]string{"capabilities:load_class": "<or> low <or> normal"}
	o := publisherOptions(t, s.url)
	o.Interval = 10 * time.Second
	s.publisher = startPublisher(t, o)
	s.publisher.awaits(publisher.Ready)
	for host, set := range s.bases {
		s.cinder.Report(scheduler.Report{Host: host, Capabilities: set})
	}
	s.update(s.young)
	s.await(true, "normal", "normal", "normal")
	s.refuses(map[string]string{"load_class": "low"})
	s.places(atAnyTime, s.hosts...)

	s.update(s.grown)
	s.await(true, "low", "normal", "high")
	s.places(map[string]string{"load_class": "low"}, s.hosts[0])
	s.places(map[string]string{"capabilities:load_class": "high"}, s.hosts[2])
	s.places(map[string]string{"hourly_load_percent": "<= 20"}, s.hosts[0])
	s.places(atAnyTime, s.hosts[:2]...)

	s.update(s.young) // as after a restart
	s.await(true, "normal", "normal", "normal")
	s.places(atAnyTime, s.hosts...)

	s.update(s.grown)
	s.await(true, "low", "normal", "high")
	s.publisher.stop()
	s.await(false, "normal", "normal", "normal")
	s.places(atAnyTime, s.hosts...)
}

// loadTest has a real scheduler, and reports of a collector of a virtual hour.
type loadTest struct {
	t            *testing.T
	url          string // of the broker
	cinder       *scheduler.Scheduler
	publisher    *publisherRun
	hosts        []string
	young, grown map[string]capability.Report // after ten minutes, and after an hour
	bases        map[string]capability.Set    // of cinder-volume
}

func newLoadTest(t *testing.T) *loadTest {
	t.Helper()
	records := recordLoad(t, [][]int64{{10}, {50}, {90}}, time.Hour)
	s := &loadTest{t: t, young: records[4], grown: records[len(records)-1]}
	var backends []scheduler.Backend
	var reports []capability.Report
	for _, name := range []string{"array_a", "array_b", "array_c"} {
		s.hosts = append(s.hosts, "ctl1@"+name)
		backends = append(backends, scheduler.Backend{Host: "ctl1@" + name, Zone: zone})
		reports = append(reports, s.young["ctl1@"+name])
	}
	s.bases = cindertest.DriverReports(reports)
	for host := range s.bases {
		for key, v := range loadTarget("", nil).Stanza.Extra {
			s.bases[host][key] = v
		}
	}
	broker, _ := joinBroker(t)
	s.url = broker.URL()
	s.cinder = scheduler.Start(t, scheduler.Options{Broker: broker, Backends: backends, Settings: []string{"quota_volumes = -1", "quota_gigabytes = -1"}})
	return s
}

// update gives the publisher reports of now.
func (s *loadTest) update(reports map[string]capability.Report) {
	for _, r := range reports {
		r.CollectedAt = time.Now()
		s.publisher.Update(r)
	}
}

// await waits until the scheduler has these classes, in overlays or not.
func (s *loadTest) await(overlaid bool, classes ...string) {
	s.t.Helper()
	for i, host := range s.hosts {
		awaitCapabilities(s.t, s.cinder, host, func(got capability.Set) error {
			class, _ := got[capability.KeyLoadClass].Str()
			if _, marked := got[capability.KeyMetricsAgent]; marked != overlaid || class != classes[i] {
				return fmt.Errorf("load_class is %q, overlaid: %t", class, marked)
			}
			return nil
		})
	}
}

// places creates volumes and checks that only these hosts get them.
func (s *loadTest) places(specs map[string]string, hosts ...string) {
	s.t.Helper()
	for range 4 {
		host, _, _ := strings.Cut(s.create(specs), "#")
		if !slices.Contains(hosts, host) {
			s.t.Errorf("%v: a volume is on %q, want %q", specs, host, hosts)
		}
	}
}

func (s *loadTest) refuses(specs map[string]string) {
	s.t.Helper()
	if host := s.create(specs); host != "" {
		s.t.Errorf("%v: %s gets the volume", specs, host)
	}
}

func (s *loadTest) create(specs map[string]string) string {
	s.t.Helper()
	host, err := s.cinder.Create(scheduler.Volume{Size: 10, Zone: zone, ExtraSpecs: specs})
	if err != nil {
		s.t.Fatal(err)
	}
	return host
}
