//go:build integration

package integration

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/outcome"
)

const (
	// loadLimit is the limit of the conditions in percent, and the upper limit of
	// load_class.
	loadLimit = 70
	// createEvery is the time between two creates of the virtual day.
	createEvery = 2 * time.Minute
)

// dayLoad is the load of an array over a day, of which each 30 seconds are a sample:
//
//	mean:  night, and day from 8 to 18 o'clock, with an hour of transition
//	noise: normal, standard deviation 8 points, correlated with the sample before
//	       by 0.5
//	peaks: 3 % of the samples of all arrays at the same time have 40 points more, as
//	       when many hosts start
type dayLoad struct{ night, day float64 }

// dayLoads are three arrays: one with little load, one whose percentile is near the limit
// by day, and one that is busy by day.
func dayLoads() []dayLoad { return []dayLoad{{25, 35}, {40, 57}, {40, 80}} }

func (l dayLoad) mean(hour float64) float64 {
	share := min(max(min(hour-8, 18-hour), 0), 1)
	return l.night + (l.day-l.night)*share
}

// daySeries are the samples of a day of each array, in percent.
func daySeries() [][]int64 {
	random := rand.New(rand.NewPCG(12, 3))
	loads := dayLoads()
	noise, series := make([]float64, len(loads)), make([][]int64, len(loads))
	for i := range 24 * 120 {
		peak := 0.0
		if random.Float64() < 0.03 {
			peak = 40
		}
		for a, l := range loads {
			noise[a] = 0.5*noise[a] + 8*math.Sqrt(1-0.25)*random.NormFloat64()
			series[a] = append(series[a], int64(math.Round(min(max(l.mean(float64(i)/120)+noise[a]+peak, 0), 98))))
		}
	}
	return series
}

// loadSource is an array with such a load. Latencies are those of a queue M/M/1.
type loadSource struct {
	begun  time.Time
	series []int64
}

func (s *loadSource) Close(context.Context) error { return nil }

func (s *loadSource) Sample(context.Context) (capability.Sample, error) {
	at := int(time.Since(s.begun) / (30 * time.Second))
	taken := s.begun.Add(time.Duration(at) * 30 * time.Second)
	load := s.series[at%len(s.series)]
	number := func(n int64) *int64 { return &n }
	usec := 250 * 100 / (100 - load)
	return capability.Sample{
		Identity: capability.Identity{ID: "id", Name: "array"},
		Space: &capability.Space{
			Capacity: number(100 << 40), TotalPhysical: number(20 << 40), TotalProvisioned: number(200 << 40),
		},
		Performance: &capability.Performance{
			Time: taken, Age: time.Since(taken), Resolution: 30 * time.Second,
			ReadsPerSec: number(2000), WritesPerSec: number(1000), UsecPerRead: number(usec), UsecPerWrite: number(usec),
			QueueUsecPerRead: number(usec * load / 100), QueueUsecPerWrite: number(usec * load / 100),
		},
	}, nil
}

// loadTarget is the backend of such an array, with the recommended settings.
func loadTarget(name string, s collector.Source) collector.Target {
	return collector.Target{
		Host: "ctl1@" + name, Backend: name, Pool: pool, Zone: zone, Source: s, Interval: 15 * time.Second,
		History: &collector.ClassLimits{Low: 30, High: loadLimit},
		Stanza: collector.Stanza{
			Protocol: "iSCSI", MaxOverSubscription: "20.0",
			Extra: capability.Set{
				capability.KeyLoadClass:         capability.OfString(capability.LoadNormal),
				capability.KeyHourlyLoadPercent: capability.OfInt(50),
			},
			Live: []string{capability.KeyLoadClass, capability.KeyHourlyLoadPercent},
		},
	}
}

// reportKeeper keeps the newest report of each backend.
type reportKeeper struct {
	mu     sync.Mutex
	newest map[string]capability.Report
}

func (k *reportKeeper) Update(r capability.Report) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.newest == nil {
		k.newest = map[string]capability.Report{}
	}
	k.newest[r.Host] = r
}

func (k *reportKeeper) Suspend(string, string) {}
func (k *reportKeeper) Remove(string)          {}

// recordLoad polls arrays with these series for a time, and returns the newest reports
// every createEvery.
func recordLoad(t *testing.T, series [][]int64, length time.Duration) (records []map[string]capability.Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		keeper := &reportKeeper{}
		c := collector.New(collector.Options{Observer: keeper})
		var targets []collector.Target
		for i, s := range series {
			targets = append(targets, loadTarget(fmt.Sprintf("array_%c", 'a'+i), &loadSource{begun: time.Now(), series: s}))
		}
		if err := c.Apply(targets); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		for range length / createEvery {
			time.Sleep(createEvery)
			synctest.Wait()
			keeper.mu.Lock()
			record := make(map[string]capability.Report, len(keeper.newest))
			for host, r := range keeper.newest {
				record[host] = r
			}
			keeper.mu.Unlock()
			records = append(records, record)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return records
}

// loadArm limits the load by a condition of the volume type or by a filter function.
type loadArm struct {
	name, key, value string
	function         string
}

// loadCounts are what Cinder's filters decided over the day.
type loadCounts struct {
	refused   int // decisions on one array that refused it
	within    int // of those, while the percentile was within the limit
	flips     int // from accepted to refused, or back
	noBackend int // creates for which all arrays were refused
}

// TestLoadClassVirtualDay counts the refusals of Cinder's own filters over a virtual day,
// with a limit on the load of the newest sample, on its percentile, and on its class.
func TestLoadClassVirtualDay(t *testing.T) {
	t.Parallel()
	records := recordLoad(t, daySeries(), 24*time.Hour)
	cinder, err := outcome.StartCinder(t.Context(), cmp.Or(os.Getenv("POOLCAST_PYTHON"), "/usr/bin/python3"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cinder.Close() }()
	arms := []loadArm{
		{name: "load_percent <= 70", key: "load_percent", value: "<= 70", function: "capabilities.load_percent <= 70"},
		{name: "hourly_load_percent <= 70", key: "hourly_load_percent", value: "<= 70", function: "capabilities.hourly_load_percent <= 70"},
		{name: "load_class low or normal", key: "load_class", value: "<or> low <or> normal", function: `capabilities.load_class != "high"`},
	}
	document, err := os.ReadFile("../OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	counts := make([]loadCounts, len(arms))
	for i, arm := range arms {
		counts[i] = countRefusals(t, cinder, loadArm{key: arm.key, value: arm.value}, records)
		if c := countRefusals(t, cinder, loadArm{function: arm.function}, records); c != counts[i] {
			t.Errorf("%s: %+v as a condition of the type, %+v as a function", arm.name, counts[i], c)
		}
		c := counts[i]
		row := fmt.Sprintf("| %s | %d | %d | %d | %d |", arm.name, c.refused, c.within, c.flips, c.noBackend)
		t.Log(row)
		if !strings.Contains(string(document), row) {
			t.Errorf("OPERATIONS.md lacks the row %s", row)
		}
	}
	raw, class := counts[0], counts[2]
	if class.flips*10 > raw.flips || class.within > raw.within || class.noBackend > 0 || raw.noBackend == 0 {
		t.Errorf("the newest sample %+v, the class %+v", raw, class)
	}
	if class.refused == 0 {
		t.Error("the class refused no array, though one is busy by day")
	}
}

// countRefusals runs the creates of the day, on all arrays and on each by itself.
func countRefusals(t *testing.T, cinder *outcome.Cinder, arm loadArm, records []map[string]capability.Report) (c loadCounts) {
	t.Helper()
	options := map[string]any{"scheduler_default_filters": []string{"AvailabilityZoneFilter", "CapacityFilter", "CapabilitiesFilter", "DriverFilter"}}
	specs := map[string]string{"volume_backend_name": pool}
	if arm.key != "" {
		specs[arm.key] = arm.value
	}
	refused := func(record map[string]capability.Report, hosts ...string) bool {
		var stamp time.Time
		for _, host := range hosts {
			set := record[host].Capabilities
			if arm.function != "" {
				set = set.Overlay(capability.Set{capability.KeyFilterFunction: capability.OfString(arm.function)})
			}
			stamp = record[host].CollectedAt
			cinder.Report(host, set, stamp)
		}
		chosen, _, err := cinder.Choose(stamp.Add(time.Minute), 1)
		if err != nil {
			t.Fatal(err)
		}
		return chosen == ""
	}
	start := func() {
		if err := cinder.Start(options, specs); err != nil {
			t.Fatal(err)
		}
	}
	hosts := []string{"ctl1@array_a", "ctl1@array_b", "ctl1@array_c"}
	for _, host := range hosts {
		start()
		before := false
		for _, record := range records {
			now := refused(record, host)
			percentile, _ := record[host].Capabilities.Number(capability.KeyHourlyLoadPercent)
			c.add(now, before, percentile <= loadLimit)
			before = now
		}
	}
	start()
	for _, record := range records {
		if refused(record, hosts...) {
			c.noBackend++
		}
	}
	return c
}

func (c *loadCounts) add(now, before, within bool) {
	if now {
		c.refused++
	}
	if now && within {
		c.within++
	}
	if now != before {
		c.flips++
	}
}
