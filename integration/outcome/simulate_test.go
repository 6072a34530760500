package outcome

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// firstFree is a trivial scheduler: it chooses the host with the most of a key.
type firstFree struct {
	key      string
	sign     float64
	refuseAt int64 // GiB
	hosts    map[string]capability.Set
	stamps   map[string]time.Time
	reports  map[string][]time.Time // stamps, by host
	requests []time.Time
}

func (f *firstFree) Start(map[string]any, map[string]string) error {
	f.hosts, f.stamps, f.reports, f.requests = map[string]capability.Set{}, map[string]time.Time{}, map[string][]time.Time{}, nil
	return nil
}

func (f *firstFree) Report(host string, c capability.Set, stamp time.Time) {
	if !stamp.Before(f.stamps[host]) {
		f.hosts[host], f.stamps[host] = c, stamp
	}
	f.reports[host] = append(f.reports[host], stamp)
}

func (f *firstFree) Choose(now time.Time, gib int64) (host, refused string, err error) {
	f.requests = append(f.requests, now)
	if gib >= f.refuseAt && f.refuseAt > 0 {
		return "", "SizeFilter", nil
	}
	most := math.Inf(-1)
	for _, name := range sortedKeys(f.hosts) {
		if value, ok := f.hosts[name].Number(f.key); ok && f.sign*value > most {
			host, most = name, f.sign*value
		}
	}
	return host, "", nil
}

func hour() Scenario {
	return Scenario{
		Name: "hour", Length: time.Hour, Settle: 10 * time.Minute, Initial: 30, Waves: []Wave{{0, time.Hour, 1}},
		Arrays: []Array{{Name: "array-1"}, {Name: "array-2"}, {Name: "array-3", Joins: 30 * time.Minute}},
	}
}

func simulate(t *testing.T, s Scenario, arm Arm, f *firstFree) Run {
	t.Helper()
	run, err := Simulate(t.Context(), s, Case{s.Name, Allocated, arm, 1}, f)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestSimulateCountsVolumes(t *testing.T) {
	f := &firstFree{key: capability.KeyAllocatedCapacity, sign: -1, refuseAt: 5000}
	run := simulate(t, hour(), StockOldest, f)
	if len(run.Samples) != 61 || len(run.Samples[0].Arrays) != 2 || len(run.Samples[60].Arrays) != 3 {
		t.Errorf("there are %d samples", len(run.Samples))
	}
	if got := len(run.Chosen) + run.Refused["SizeFilter"]; got != len(f.requests) || run.Refused["SizeFilter"] == 0 {
		t.Errorf("%d chosen and %v refused of %d", len(run.Chosen), run.Refused, len(f.requests))
	}
	var late, added int
	for _, c := range run.Chosen {
		if run.volume(t, c).At > 31*time.Minute {
			late++
			if c.Array == "array-3" {
				added++
			}
		}
	}
	if late == 0 || added < late/2 {
		t.Errorf("the added array got %d of %d volumes", added, late)
	}
}

func (r Run) volume(t *testing.T, c Choice) Volume {
	t.Helper()
	return hour().Stream(r.Seed)[c.Volume]
}

// The stream, and with it the demand, is the same in every arm; an overlay has a stamp
// between the report of cinder-volume and the next.
func TestSimulateOverlays(t *testing.T) {
	f := &firstFree{key: capability.KeyAllocatedCapacity, sign: -1}
	stock := simulate(t, hour(), StockNewest, f)
	reports := len(f.reports[hostPrefix+"array-1"])
	overlaid := simulate(t, hour(), Poolcast, f)
	if got := len(f.reports[hostPrefix+"array-1"]); got <= reports {
		t.Errorf("%d reports with poolcast, %d without", got, reports)
	}
	if len(stock.Chosen) != len(overlaid.Chosen) {
		t.Errorf("%d and %d creates", len(stock.Chosen), len(overlaid.Chosen))
	}
	for host, stamps := range f.reports {
		for i := 1; i < len(stamps); i++ {
			if !stamps[i].After(stamps[i-1]) {
				t.Fatalf("%s: report %d has stamp %s after %s", host, i, stamps[i], stamps[i-1])
			}
		}
	}
	if _, ok := f.hosts[hostPrefix+"array-1"].Number(capability.KeyLoadPercent); !ok {
		t.Error("the overlay has no load")
	}
}

// cinder-volume's sample is an hour old where the array lists the oldest first.
func TestSimulateAgeOfSample(t *testing.T) {
	s := hour()
	s.Arrays[1].Changes = []Change{{10 * time.Minute, simulator.Disturbance{Operations: 0.7 * Limit}}}
	busy := func(arm Arm) float64 {
		f := &firstFree{key: capability.KeyUsecPerWrite, sign: -1}
		simulate(t, s, arm, f)
		usec, _ := f.hosts[hostPrefix+"array-2"].Number(capability.KeyUsecPerWrite)
		return usec
	}
	oldest, newest, overlaid := busy(StockOldest), busy(StockNewest), busy(Poolcast)
	if newest < 2*oldest || overlaid < 2*oldest {
		t.Errorf("a write takes %.0f, %.0f and %.0f µs", oldest, newest, overlaid)
	}
}

// So a setting that does not read performance has one run for both stock arms.
func TestSimulateOrderOfHistoryChangesPerformanceOnly(t *testing.T) {
	f := &firstFree{key: capability.KeyFreeCapacity, sign: 1}
	oldest, newest := simulate(t, hour(), StockOldest, f), simulate(t, hour(), StockNewest, f)
	if !slices.Equal(oldest.Chosen, newest.Chosen) {
		t.Error("the arms differ")
	}
}

// Reports that no decision uses are not computed. The decisions are the same.
func TestSimulateIsReproducible(t *testing.T) {
	f := &firstFree{key: capability.KeyFreeCapacity, sign: 1}
	first, again := simulate(t, hour(), Poolcast, f), simulate(t, hour(), Poolcast, f)
	if !slices.Equal(first.Chosen, again.Chosen) {
		t.Error("two runs of the same seed differ")
	}
}

func TestStudySharesRunsOfTwins(t *testing.T) {
	s := hour()
	s.Length, s.Waves = 15*time.Minute, []Wave{{0, 5 * time.Minute, 12}}
	study := Study{Scenarios: []Scenario{s}, Settings: []Setting{Goodness, DriverGoodness}, Seeds: 2}
	runs := 0
	results, err := study.Simulate(t.Context(), []Scheduler{&firstFree{key: capability.KeyFreeCapacity, sign: 1}}, func(Run) { runs++ })
	if err != nil {
		t.Fatal(err)
	}
	if runs != 8 || len(results.Figures) != 12 {
		t.Errorf("%d runs and %d figures", runs, len(results.Figures))
	}
	row := results.Row(study.Scenarios, Goodness, LoadSpread)
	if row.Mean[StockOldest] <= 0 || row.Against[StockOldest].Verdict == "" {
		t.Errorf("the row is %+v", row)
	}
	for c, forecasts := range results.Forecasts {
		if len(forecasts) != 1 || forecasts[0].Predicted < 1.0/3 || forecasts[0].Measured < 1.0/3 {
			t.Errorf("%v: the forecast is %+v", c, forecasts)
		}
	}
	if len(results.Forecasts) != 4 {
		t.Errorf("%d runs have forecasts", len(results.Forecasts))
	}
}

// A setting that is studied alone has runs of its own in all arms.
func TestStudyWithoutTheTwin(t *testing.T) {
	s := hour()
	s.Length, s.Waves = 15*time.Minute, []Wave{{0, 5 * time.Minute, 12}}
	study := Study{Scenarios: []Scenario{s}, Settings: []Setting{DriverGoodness}, Seeds: 2}
	results, err := study.Simulate(t.Context(), []Scheduler{&firstFree{key: capability.KeyFreeCapacity, sign: 1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	row := results.Row(study.Scenarios, DriverGoodness, LoadSpread)
	for _, arm := range Arms() {
		if row.Mean[arm] <= 0 {
			t.Errorf("%s has a load spread of %v", arm, row.Mean[arm])
		}
	}
}
