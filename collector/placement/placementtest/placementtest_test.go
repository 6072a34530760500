package placementtest_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/placementtest"
)

// record keeps the errors of a suite.
type record struct {
	mu     sync.Mutex
	faults []string
}

func (r *record) Helper() {}

func (r *record) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

func (r *record) Fatalf(format string, args ...any) { r.Errorf(format, args...) }

type anyRequest struct{}

func (anyRequest) Seed() uint64 { return 1 }

func cloud() placementtest.Cloud {
	var c placementtest.Cloud
	for i := range 5 {
		c.Reports = append(c.Reports, capability.Report{
			Host: fmt.Sprintf("h@%d", i), Capabilities: capability.Set{"load": capability.OfInt(int64(i))},
		})
	}
	c.Requests = []placement.Request{anyRequest{}}
	return c
}

type unexplained struct{ placement.FilterFunc }

func (unexplained) Explain(placement.Request, *placement.Backend) string { return "" }

type stricter struct{ placement.FilterFunc }

func (stricter) Relax() (placement.Filter, []string) {
	return placement.FilterFunc(func(placement.Request, *placement.Backend) (bool, error) { return false, nil }), []string{"x"}
}

// onlyFirst is prepared to pass the first backend that it is called with.
func onlyFirst(placement.Request, *placement.Snapshot) (placement.Filter, error) {
	first := true
	return placement.FilterFunc(func(placement.Request, *placement.Backend) (bool, error) {
		pass := first
		first = false
		return pass, nil
	}), nil
}

func refuse(placement.Request, *placement.Backend) (bool, error) { return false, nil }
func pass(placement.Request, *placement.Backend) (bool, error)   { return true, nil }

func TestFilterSuiteFindsFaults(t *testing.T) {
	var calls atomic.Int64
	for name, c := range map[string]struct {
		filter placement.Filter
		want   string
	}{
		"correct":     {placement.FilterFunc(refuse), ""},
		"order":       {placement.FilterFunc(func(_ placement.Request, b *placement.Backend) (bool, error) { return b.Index() > 1, nil }), "in another order"},
		"random":      {placement.FilterFunc(func(placement.Request, *placement.Backend) (bool, error) { return calls.Add(1)%3 == 0, nil }), "request 0"},
		"unexplained": {unexplained{refuse}, "without an explanation"},
		"stricter":    {stricter{pass}, `not with ["x"] relaxed`},
		"fails to prepare": {placement.PerRequestFilter(func(placement.Request, *placement.Snapshot) (placement.Filter, error) {
			return nil, errOutOfOrder
		}), ""},
		"stateful": {placement.PerRequestFilter(onlyFirst), "prepared it returns false"},
	} {
		var r record
		placementtest.Filter(&r, c.filter, cloud())
		expect(t, name, &r, c.want)
	}
}

func TestFilterSuiteFindsChangedReport(t *testing.T) {
	var once sync.Once
	change := func(_ placement.Request, b *placement.Backend) (bool, error) {
		once.Do(func() { b.Report().Capabilities["load"] = capability.OfInt(99) })
		return true, nil
	}
	var r record
	placementtest.Filter(&r, placement.FilterFunc(change), cloud())
	expect(t, "changing", &r, "it changed the report of h@")
}

type reversed struct{ placement.WeigherFunc }

func (reversed) Bounds() (lo, hi float64) { return 1, 0 }

// adjusted weighs all backends as infinite.
type adjusted struct{ placement.WeigherFunc }

func (adjusted) Adjust(weights []float64) error {
	for i := range weights {
		weights[i] = math.Inf(1)
	}
	return nil
}

var errOutOfOrder = errors.New("out of order")

func TestWeigherSuiteFindsFaults(t *testing.T) {
	load := func(_ placement.Request, b *placement.Backend) (float64, error) {
		f, _ := b.Float("load")
		return f, nil
	}
	for name, c := range map[string]struct {
		weigher placement.Weigher
		want    string
	}{
		"correct": {placement.WeigherFunc(load), ""},
		"NaN":     {placement.WeigherFunc(func(placement.Request, *placement.Backend) (float64, error) { return math.NaN(), nil }), "a weight is NaN"},
		"prepared": {placement.PerRequestWeigher(func(placement.Request, *placement.Snapshot) (placement.Weigher, error) {
			return placement.WeigherFunc(load), nil
		}), ""},
		"order":                  {placement.WeigherFunc(func(_ placement.Request, b *placement.Backend) (float64, error) { return float64(b.Index()), nil }), "in another order"},
		"bounds":                 {reversed{load}, "its bounds are 1 to 0"},
		"infinite when adjusted": {adjusted{load}, "a weight is +Inf"},
		"fails":                  {placement.WeigherFunc(func(placement.Request, *placement.Backend) (float64, error) { return 0, errOutOfOrder }), ""},
		"fails to prepare": {placement.PerRequestWeigher(func(placement.Request, *placement.Snapshot) (placement.Weigher, error) {
			return nil, errOutOfOrder
		}), ""},
	} {
		var r record
		placementtest.Weigher(&r, c.weigher, cloud())
		expect(t, name, &r, c.want)
	}
}

func TestEmptyCloudIsAnError(t *testing.T) {
	var r record
	placementtest.Filter(&r, placement.FilterFunc(pass), placementtest.Cloud{})
	expect(t, "empty", &r, "no reports or no requests")
}

func expect(t *testing.T, name string, r *record, want string) {
	t.Helper()
	all := strings.Join(r.faults, "\n")
	if want == "" && all != "" || !strings.Contains(all, want) {
		t.Errorf("%s: want %q among the faults:\n%s", name, want, all)
	}
}
