package rehearsal_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/rehearsal"
)

const (
	tb = 1024 // GiB
	// minute is the interval between reports in these tests.
	minute = time.Minute
)

// arrayWith is a 100 TB array that holds 50 TB; provisioned is in TB.
func arrayWith(n int, provisioned float64) capability.Report {
	name := fmt.Sprintf("fa%d", n)
	return capability.Report{
		Host: "ctl1@" + name, Backend: name, Pool: "gold", Zone: "dc1",
		Capabilities: capability.Set{
			capability.KeyVolumeBackendName:   capability.OfString("gold"),
			capability.KeyThinProvisioning:    capability.OfBool(true),
			capability.KeyTotalCapacity:       capability.OfFloat(100 * tb),
			capability.KeyFreeCapacity:        capability.OfFloat(50 * tb),
			capability.KeyProvisionedCapacity: capability.OfFloat(provisioned * tb),
			capability.KeyMaxOverSubscription: capability.OfFloat(provisioned / 50),
			capability.KeyTotalReduction:      capability.OfFloat(provisioned / 50),
			capability.KeyReservedPercentage:  capability.OfInt(0),
			capability.KeyTotalVolumes:        capability.OfInt(100),
			capability.KeyReadsPerSec:         capability.OfInt(600),
			capability.KeyWritesPerSec:        capability.OfInt(400),
			capability.KeyLoadPercent:         capability.OfInt(20),
		},
	}
}

// unequal are three arrays that differ by a few percent.
func unequal() []capability.Report {
	return []capability.Report{arrayWith(0, 300), arrayWith(1, 290), arrayWith(2, 280)}
}

// withRatio gives arrays a ratio that is not their reduction.
func withRatio(ratio float64, reports ...capability.Report) []capability.Report {
	for _, r := range reports {
		r.Capabilities[capability.KeyMaxOverSubscription] = capability.OfFloat(ratio)
	}
	return reports
}

// equal are n arrays with the same numbers.
func equal(n int) []capability.Report {
	var reports []capability.Report
	for i := range n {
		reports = append(reports, arrayWith(i, 300))
	}
	return reports
}

// slow are 40 volumes of 2 TB, one in each interval.
func slow() rehearsal.Burst {
	return rehearsal.Burst{
		Request: &cinder.Request{Size: 2 * tb}, Count: 40, Rate: 1.0 / 60, Interval: minute, Schedulers: 1,
	}
}

func pick(t *testing.T, names ...string) []rehearsal.Setting {
	t.Helper()
	c := rehearsal.Catalogue{Ratio: 20, Goodness: rehearsal.DefaultGoodness}
	settings, err := c.Pick(names)
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

func run(t *testing.T, reports []capability.Report, b rehearsal.Burst, setting string) *rehearsal.Outcome {
	t.Helper()
	o, err := rehearsal.Run(t.Context(), reports, b, pick(t, setting)[0])
	if err != nil {
		t.Fatal(err)
	}
	return &o
}

func TestAutomaticRatioConcentratesVolumes(t *testing.T) {
	for setting, want := range map[string]string{
		rehearsal.Current:    "40/0/0",
		rehearsal.AutoRatio:  "40/0/0",
		rehearsal.FixedRatio: "9/13/18",
		rehearsal.Allocated:  "9/13/18",
		rehearsal.Number:     "14/13/13",
	} {
		o := run(t, unequal(), slow(), setting)
		if got := o.Distribution(); got != want || o.Failed != 0 {
			t.Errorf("%s: %s with %d failed, want %s", setting, got, o.Failed, want)
		}
	}
}

func TestFilledVolumesRaiseNoRatio(t *testing.T) {
	b := slow()
	b.Fill = 0.2 // more than the arrays' 1/6
	o := run(t, unequal(), b, rehearsal.Current)
	if o.Distribution() == "40/0/0" {
		t.Errorf("%s: volumes that fill their array are placed like empty ones", o.Distribution())
	}
}

func TestReportsAheadOfTheClockConcentrateVolumes(t *testing.T) {
	b := rehearsal.Burst{
		Request: &cinder.Request{Size: 100}, Count: 9, Rate: 1, Interval: minute, Schedulers: 1,
	}
	for skew, want := range map[time.Duration]string{
		0: "3/3/3", 3 * time.Second: "5/2/2", 5 * time.Second: "7/1/1", 30 * time.Second: "9/0/0",
	} {
		b.Skew = skew
		if got := run(t, equal(3), b, rehearsal.FixedRatio).Distribution(); got != want {
			t.Errorf("%s ahead: %s, want %s", skew, got, want)
		}
	}
	b.Skew = 30 * time.Second
	if got := run(t, equal(3), b, rehearsal.Ledger).Distribution(); got != "3/3/3" {
		t.Errorf("with a ledger: %s, want 3/3/3", got)
	}
}

// TestReportsBehindTheClockKeepDeductions: a report with a timestamp before
// a deduction does not drop it, so no volume is counted twice.
func TestReportsBehindTheClockKeepDeductions(t *testing.T) {
	b := rehearsal.Burst{
		Request: &cinder.Request{Size: 100}, Count: 90, Rate: 1, Interval: 10 * time.Second, Schedulers: 1, Skew: -5 * time.Second,
	}
	if got := run(t, equal(3), b, rehearsal.FixedRatio).Distribution(); got != "30/30/30" {
		t.Errorf("got %s, want 30/30/30", got)
	}
}

// TestSchedulersHerd: schedulers with the same reports choose the same array;
// the better of two random ones spreads them.
func TestSchedulersHerd(t *testing.T) {
	b := rehearsal.Burst{
		Request: &cinder.Request{Size: 100}, Count: 30, Rate: 1, Interval: time.Hour, Schedulers: 30,
	}
	if got := run(t, equal(3), b, rehearsal.FixedRatio).Distribution(); got != "30/0/0" {
		t.Errorf("each scheduler's first choice: %s, want 30/0/0", got)
	}
	if o := run(t, equal(3), b, rehearsal.TwoChoices); *o.Evenness < 0.8 {
		t.Errorf("the better of two: %s", o.Distribution())
	}
}

func TestLedgerCountsVolumes(t *testing.T) {
	below := &cinder.VolumeType{ExtraSpecs: cinder.ExtraSpecs{cinder.Spec("capabilities:total_volumes", "<= 102")}}
	b := rehearsal.Burst{
		Request: &cinder.Request{Size: 10, Type: below}, Count: 12, Rate: 1, Interval: minute, Schedulers: 1,
	}
	// Each array may get three more; Cinder counts them with the next report.
	if o := run(t, equal(3), b, rehearsal.Current); o.Failed != 0 {
		t.Errorf("Cinder refuses %d", o.Failed)
	}
	o := run(t, equal(3), b, rehearsal.Ledger)
	if o.Failed != 3 || o.Distribution() != "3/3/3" || o.Refused == nil {
		t.Errorf("%s and %d failed (%v), want 3/3/3 and 3", o.Distribution(), o.Failed, o.Refused)
	}
	if o := run(t, equal(3), b, rehearsal.PreferLive); o.Failed != 0 {
		t.Errorf("with policy prefer %d fail", o.Failed)
	}
}

func TestOutcomeBeforeAndAfter(t *testing.T) {
	b := slow()
	b.Fill, b.Operations = 0.5, 100
	o := run(t, equal(1), b, rehearsal.FixedRatio)
	a := o.Arrays[0]
	for key, want := range map[string][2]float64{
		capability.KeyProvisionedCapacity: {300 * tb, 380 * tb},
		capability.KeyFreeCapacity:        {50 * tb, 10 * tb},
		capability.KeyTotalVolumes:        {100, 140},
		capability.KeyReadsPerSec:         {600, 2600},
		capability.KeyLoadPercent:         {20, 100},
		capability.KeyMaxOverSubscription: {20, 20},
	} {
		before, _ := a.Before[key].Float()
		after, _ := a.After[key].Float()
		if before != want[0] || after != want[1] {
			t.Errorf("%s went from %v to %v, want %v", key, before, after, want)
		}
	}
	if o.Evenness != nil || o.TiedShare() != 0 {
		t.Error("a single array has an evenness or ties")
	}
}

// A goodness function may read the times instead of the load.
func TestTimesGrowWithTheLoad(t *testing.T) {
	reports := equal(3)
	for _, r := range reports {
		r.Capabilities[capability.KeyUsecPerWrite] = capability.OfInt(500)
		r.Capabilities[capability.KeyQueueUsecPerWrite] = capability.OfInt(100)
		r.Capabilities[capability.KeyGoodnessFunction] = capability.OfString(
			"100 - 100 * capabilities.queue_usec_per_write_op / capabilities.usec_per_write_op")
	}
	b := slow()
	b.Operations = 20
	o := run(t, reports, b, rehearsal.Goodness)
	for _, a := range o.Arrays {
		if a.Volumes < 12 || a.Volumes > 15 {
			t.Errorf("%s got %d of 40 volumes, want a third", a.Backend, a.Volumes)
		}
	}
	b.Operations = 1e6 // above every limit
	o = run(t, reports[:1], b, rehearsal.Current)
	after := o.Arrays[0].After
	total, _ := after[capability.KeyUsecPerWrite].Int()
	wait, _ := after[capability.KeyQueueUsecPerWrite].Int()
	if total != 20_000 || wait != 19_600 {
		t.Errorf("a write takes %d µs and waits %d of them, want 20000 and 19600", total, wait)
	}
}

func TestOutcomesAreReproducible(t *testing.T) {
	reports, b := unequal(), slow()
	b.Rate, b.Schedulers, b.Skew = 3, 3, time.Second
	settings := rehearsal.Catalogue{Ratio: 20, Goodness: rehearsal.DefaultGoodness}.Settings()
	first, err := rehearsal.Compare(t.Context(), reports, b, settings)
	if err != nil {
		t.Fatal(err)
	}
	again, err := rehearsal.Compare(t.Context(), reports, b, settings)
	if err != nil {
		t.Fatal(err)
	}
	for i := range first {
		if first[i].Distribution() != again[i].Distribution() || first[i].Tied != again[i].Tied {
			t.Errorf("%s: %s, then %s", settings[i].Name, first[i].Distribution(), again[i].Distribution())
		}
	}
	if !reflect.DeepEqual(reports, unequal()) {
		t.Error("the rehearsal changed the reports it was given")
	}
}

func TestHostsOfAClusterAreOneArray(t *testing.T) {
	reports := equal(2)
	for i := range reports {
		reports[i].Cluster = "c@fa"
	}
	o := run(t, reports, slow(), rehearsal.FixedRatio)
	if len(o.Arrays) != 1 || o.Arrays[0].Volumes != 40 {
		t.Errorf("got %d arrays", len(o.Arrays))
	}
}

func TestBurstCheckReturnsAllFaults(t *testing.T) {
	err := rehearsal.Burst{Rate: -1, Fill: 2}.Check()
	if err == nil {
		t.Fatal("an empty burst was accepted")
	}
	want := "request: missing\ncount 0: want 1 to 10000\nrate -1: want creates per second, such as 0.5\n" +
		"interval 0s: want a second or more\nschedulers 0: want 1 to 100\nfill 2: want a share between 0 and 1"
	if err.Error() != want {
		t.Errorf("got %q", err)
	}
	if err := slow().Check(); err != nil {
		t.Error(err)
	}
}

func TestSummary(t *testing.T) {
	b := slow()
	full, quick := slow(), slow()
	quick.Rate = 10
	full.Request = &cinder.Request{Size: 5000 * tb}
	for _, c := range []struct {
		name    string
		reports []capability.Report
		burst   rehearsal.Burst
		want    string
	}{
		{"concentrated", unequal(), b, "With this configuration 40 of 40 volumes go to fa0, 31 more than it takes to even out what is provisioned on the arrays, as its over-subscription ratio grows with each (from 6 to 7.6); with a fixed over-subscription ratio of 20, 40 of 40 volumes go 9/13/18 to 3 arrays."},
		{"one array", equal(1), b, "With this configuration 40 of 40 volumes go to fa0, the only array that fits."},
		{"an empty array fills up", withRatio(20, arrayWith(0, 300), arrayWith(1, 300), arrayWith(2, 100)), quick, "With this configuration 40 of 40 volumes go to fa2, which evens out what is provisioned on the arrays."},
		{"no room", equal(2), full, "With this configuration none of 40 creates finds a backend: 0 of 2 backends fit: 2 CapacityFilter (provisioned ratio 8.83333 > 6: (provisioned 307200 + 5120000 GiB) / 614400 GiB); no other setting that was tried does better."},
	} {
		outcomes, err := rehearsal.Compare(t.Context(), c.reports, c.burst, pick(t, rehearsal.Current, rehearsal.FixedRatio))
		if err != nil {
			t.Fatal(err)
		}
		if got := rehearsal.Summary(outcomes); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	settings := rehearsal.Catalogue{Ratio: 20, Goodness: rehearsal.DefaultGoodness}.Settings()
	for _, n := range []int{3, 100} {
		b.Run(fmt.Sprintf("%d settings/200 volumes/%d arrays", len(settings), n), func(b *testing.B) {
			reports, burst := equal(n), slow()
			burst.Count = 200
			for b.Loop() {
				if _, err := rehearsal.Compare(b.Context(), reports, burst, settings); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
