package placementtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
)

// T is what the suites need of a [testing.T].
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// request adds the number of the request to every error.
type request struct {
	T
	number int
}

func (r request) Errorf(format string, args ...any) {
	r.Helper()
	r.T.Errorf("request %d: "+format, append([]any{r.number}, args...)...)
}

// Cloud is what a plug-in is tested with. The more the reports and requests differ,
// the better: leave keys out, and use unusual values.
type Cloud struct {
	Reports  []capability.Report
	Requests []placement.Request
	// Snapshot reads the reports; by default placement.NewSnapshot.
	Snapshot func([]capability.Report) *placement.Snapshot
}

// shuffles is how many orders of the backends are tried.
const shuffles = 4

func (c Cloud) snapshot(reports []capability.Report) *placement.Snapshot {
	if c.Snapshot != nil {
		return c.Snapshot(reports)
	}
	return placement.NewSnapshot(reports, placement.SnapshotOptions{})
}

// snapshots are the reports in several orders.
func (c Cloud) snapshots(t T) []*placement.Snapshot {
	t.Helper()
	if len(c.Reports) == 0 || len(c.Requests) == 0 {
		t.Fatalf("the cloud has no reports or no requests to test the plug-in with")
	}
	out := []*placement.Snapshot{c.snapshot(c.Reports)}
	order := rand.New(rand.NewPCG(1, 2))
	for range shuffles {
		reports := slices.Clone(c.Reports)
		order.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		out = append(out, c.snapshot(reports))
	}
	return out
}

// run compares the results of a plug-in in another order, and from other goroutines,
// with the first. It reads them also after volumes were placed.
func run[Result any](t T, c Cloud, same func(a, b Result) bool, results func(T, placement.Request, *placement.Snapshot) map[string]Result) {
	t.Helper()
	before, snapshots := c.copies(), c.snapshots(t)
	for i, r := range c.Requests {
		t := request{T: t, number: i}
		want := results(t, r, snapshots[0])
		compare := func(when string, s *placement.Snapshot) {
			got := results(t, r, s)
			for id := range want {
				if !same(got[id], want[id]) {
					t.Errorf("%s: %s, it returns %+v instead of %+v", id, when, got[id], want[id])
				}
			}
		}
		for _, s := range snapshots[1:] {
			compare("in another order", s)
		}
		results(t, r, consumed(snapshots[0]))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { compare("from another goroutine", snapshots[0]) })
		}
		wg.Wait()
	}
	c.unchanged(t, before)
}

// unchanged fails the test if the plug-in has changed a report.
func (c Cloud) unchanged(t T, before []capability.Set) {
	t.Helper()
	for i := range before {
		if !c.Reports[i].Capabilities.Equal(before[i]) {
			t.Errorf("it changed the report of %s", c.Reports[i].Host)
		}
	}
}

func (c Cloud) copies() []capability.Set {
	out := make([]capability.Set, len(c.Reports))
	for i := range c.Reports {
		out[i] = c.Reports[i].Capabilities.Clone()
	}
	return out
}

// consumed is the snapshot after a volume was placed on each backend.
func consumed(s *placement.Snapshot) *placement.Snapshot {
	for i := range s.Len() {
		s = s.Consume(s.At(i), placement.Consumption{GiB: 10, Volumes: 1})
	}
	return s
}

// prepareFilter returns what the engine calls: the prepared filter, nil if it lets
// every backend pass, or the filter itself.
func prepareFilter(f placement.Filter, r placement.Request, s *placement.Snapshot) (placement.Filter, error) {
	if prepare, ok := f.(placement.PerRequestFilter); ok {
		return prepare(r, s)
	}
	return f, nil
}

// prepareWeigher is prepareFilter for weighers.
func prepareWeigher(w placement.Weigher, r placement.Request, s *placement.Snapshot) (placement.Weigher, error) {
	if prepare, ok := w.(placement.PerRequestWeigher); ok {
		return prepare(r, s)
	}
	return w, nil
}

// Fleet returns the reports of n arrays of one pool in one zone, for benchmarks:
// each different from the others, with some forty keys, and with free capacity. They
// have a goodness_function unless it is "".
func Fleet(n int, goodness string) []capability.Report {
	reports := make([]capability.Report, n)
	for i := range reports {
		name := fmt.Sprintf("fa%04d", i)
		reports[i] = capability.Report{
			Host: "ctl1@" + name, Backend: name, Pool: "gold", Zone: "dc1",
			Capabilities: fleetArray(i, goodness),
		}
	}
	return reports
}

func fleetArray(i int, goodness string) capability.Set {
	set := capability.Set{
		capability.KeyVolumeBackendName:   capability.OfString("gold"),
		capability.KeyVendorName:          capability.OfString("Pure Storage"),
		capability.KeyStorageProtocol:     capability.OfString("iSCSI"),
		capability.KeyTotalCapacity:       capability.OfFloat(102400),
		capability.KeyFreeCapacity:        capability.OfFloat(51200 + float64(i)/7),
		capability.KeyProvisionedCapacity: capability.OfFloat(200000.5 - float64(i*7%1000)),
		capability.KeyAllocatedCapacity:   capability.OfInt(int64(10000 + i)),
		capability.KeyReservedPercentage:  capability.OfInt(5),
		capability.KeyMaxOverSubscription: capability.OfFloat(4.5),
		capability.KeyThinProvisioning:    capability.OfBool(true),
		capability.KeyMultiattach:         capability.OfBool(true),
		capability.KeyTotalVolumes:        capability.OfInt(int64(i % 800)),
		capability.KeyUsecPerWrite:        capability.OfInt(int64(100 + i%300)),
		capability.KeyLoadPercent:         capability.OfInt(int64(i % 100)),
		capability.KeyArrayModel:          capability.OfString("FA-X50R4"),
		capability.KeyReplicationType:     capability.OfStrings("async", "sync"),
	}
	for k := range 24 { // a report has some forty keys
		set[fmt.Sprintf("label_%c", 'a'+k)] = capability.OfInt(int64(k))
	}
	set.PutString(capability.KeyGoodnessFunction, goodness)
	return set
}
