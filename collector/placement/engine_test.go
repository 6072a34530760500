package placement_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
)

type request struct{ seed uint64 }

func (r request) Seed() uint64 { return r.seed }

// number weighs by a capability, and fails when it is missing.
func number(key string) placement.WeigherFunc {
	return func(_ placement.Request, b *placement.Backend) (float64, error) {
		f, ok := b.Float(key)
		if !ok {
			return 0, fmt.Errorf("%s is not reported", key)
		}
		return f, nil
	}
}

// atMost is a filter on a capability that is only a preference.
type atMost struct {
	key   string
	limit float64
}

func (f atMost) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	v, ok := b.Float(f.key)
	if !ok {
		return false, errors.New("it is not reported")
	}
	return v <= f.limit, nil
}

func (f atMost) Explain(_ placement.Request, b *placement.Backend) string {
	v, _ := b.Float(f.key)
	return fmt.Sprintf("%s %v is not <= %v", f.key, v, f.limit)
}

func (f atMost) Relax() (placement.Filter, []string) {
	return nil, []string{fmt.Sprintf("%s <= %v", f.key, f.limit)}
}

type sameZone string

func (z sameZone) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	return b.Report().Zone == string(z), nil
}

func (z sameZone) Explain(_ placement.Request, b *placement.Backend) string {
	return b.Report().Zone + " is not " + string(z)
}

// plugins are two filters and two weighers, and more.
func plugins(more ...placement.Plugin) []placement.Plugin {
	return append([]placement.Plugin{
		placement.WithFilter("ZoneFilter", sameZone("dc1")),
		placement.WithFilter("LoadFilter", atMost{"load", 50}),
		placement.WithWeigher("FreeWeigher", number("free")),
		placement.WithWeigher("LoadWeigher", number("load")),
	}, more...)
}

func engine(t *testing.T, p placement.Profile) *placement.Engine {
	t.Helper()
	e, err := placement.New(p, plugins()...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// row is zone, load and free.
type row struct {
	zone string
	load int64
	free float64
}

func snapshot(rows ...row) *placement.Snapshot {
	reports := make([]capability.Report, len(rows))
	for i, r := range rows {
		reports[i] = capability.Report{
			Host: string(rune('a' + i)), Zone: r.zone,
			Capabilities: capability.Set{"load": capability.OfInt(r.load), "free": capability.OfFloat(r.free)},
		}
	}
	return placement.NewSnapshot(reports, placement.SnapshotOptions{})
}

var everything = placement.Profile{
	Filters:  []string{"ZoneFilter", "LoadFilter"},
	Weighers: []placement.Weight{{Weigher: "FreeWeigher", Multiplier: 2}, {Weigher: "LoadWeigher", Multiplier: -1}},
}

func TestChooseRankAndDecideAgree(t *testing.T) {
	e := engine(t, everything)
	s := snapshot(row{"dc1", 10, 100}, row{"dc2", 0, 900}, row{"dc1", 20, 300}, row{"dc1", 99, 900}, row{"dc1", 20, 200})
	choice, err := e.Choose(s, request{})
	if err != nil {
		t.Fatal(err)
	}
	ranked, err := e.Rank(nil, s, request{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := e.DecideOn(s, request{})
	if err != nil {
		t.Fatal(err)
	}
	// c: 2 * 1 - 1 * 1; a: 2 * 0 - 1 * 0; e: 2 * 0.5 - 1 * 1
	var got []string
	for i, r := range ranked {
		v := d.Verdicts[i]
		got = append(got, fmt.Sprint(r.Backend.ID(), r.Weight))
		if v.Backend != r.Backend || v.Total != r.Weight || v.Rank != i+1 || !v.Fits() {
			t.Errorf("decided %+v, ranked %+v", v, r)
		}
	}
	if want := []string{"c1", "a0", "e0"}; !slices.Equal(got, want) {
		t.Errorf("ranked %v, want %v", got, want)
	}
	if choice.Backend.ID() != "c" || d.Chosen.Backend.ID() != "c" || choice.Fit != 3 || choice.Tied != 1 {
		t.Errorf("chose %+v and %s", choice, d.Chosen.Backend.ID())
	}
	if a, e := d.Of("a"), d.Of("e"); !a.Tied || !e.Tied || d.Of("c").Tied {
		t.Error("a and e weigh the same, and c does not")
	}
	if s := d.Of("e").Scores; s[0] != (placement.Score{Weigher: "FreeWeigher", Multiplier: 2, Raw: 200, Normalised: 0.5, Weighted: 1}) {
		t.Errorf("scores of e: %+v", s)
	}
}

func TestVerdictNamesFirstRefusingFilter(t *testing.T) {
	s := snapshot(row{"dc1", 10, 1}, row{"dc2", 0, 1}, row{"dc1", 99, 1})
	d, err := engine(t, everything).DecideOn(s, request{})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := d.Of("a"), d.Of("b"); !a.Fits() || b.RefusedBy != "ZoneFilter" || b.Reason() != "dc2 is not dc1" {
		t.Errorf("a: %+v, b: %+v", a, b)
	}
	if v := d.Of("c"); v.RefusedBy != "LoadFilter" || v.Reason() != "load 99 is not <= 50" {
		t.Errorf("c: %s %s", v.RefusedBy, v.Reason())
	}
}

func TestNoPoolErrorCountsRefusals(t *testing.T) {
	e := engine(t, everything)
	s := snapshot(row{"dc1", 91, 1}, row{"dc2", 0, 1}, row{"dc1", 91, 1})
	d, err := e.DecideOn(s, request{})
	if want := "0 of 3 backends fit: 2 LoadFilter (load 91 is not <= 50), 1 ZoneFilter (dc2 is not dc1)"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if !errors.Is(err, placement.ErrNoPool) || d == nil || d.Chosen != nil {
		t.Error("the error is not ErrNoPool, or there is no decision with it")
	}
	if _, err := e.Choose(s, request{}); !errors.Is(err, placement.ErrNoPool) {
		t.Errorf("Choose returns %v", err)
	}
	many := snapshot(row{"dc1", 61, 1}, row{"dc1", 62, 1}, row{"dc1", 63, 1}, row{"dc1", 64, 1}, row{"dc1", 65, 1}, row{"dc1", 61, 1})
	_, err = e.DecideOn(many, request{})
	if want := "0 of 6 backends fit: 6 LoadFilter (load 61 is not <= 50; load 62 is not <= 50; load 63 is not <= 50; 2 more)"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	_, err = e.DecideOn(snapshot(), request{})
	if err == nil || err.Error() != "0 of 0 backends fit" {
		t.Errorf("without backends: %v", err)
	}
}

func TestPreferRelaxesUnmetPreferences(t *testing.T) {
	busy := []row{{"dc1", 91, 1}, {"dc2", 0, 9}, {"dc1", 92, 5}}
	p := everything
	p.Policy = placement.Prefer
	e := engine(t, p)
	d, err := e.DecideOn(snapshot(busy...), request{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []placement.Condition{{Filter: "LoadFilter", Text: "load <= 50"}}; !slices.Equal(d.Relaxed, want) || d.Fit != 2 || d.Chosen.Backend.ID() != "c" {
		t.Errorf("relaxed %v and chose %s of %d", d.Relaxed, d.Chosen.Backend.ID(), d.Fit)
	}
	if c, err := e.Choose(snapshot(busy...), request{}); err != nil || c.Backend.ID() != "c" {
		t.Errorf("chose %v, %v", c, err)
	}
	idle := append(slices.Clone(busy), row{"dc1", 50, 0})
	if d, err = e.DecideOn(snapshot(idle...), request{}); err != nil || d.Relaxed != nil || d.Chosen.Backend.ID() != "d" {
		t.Errorf("one backend meets the condition, but %v is relaxed (%v)", d.Relaxed, err)
	}
	d, err = e.DecideOn(snapshot(row{"dc2", 91, 1}), request{})
	if err == nil || d.Relaxed != nil || d.Of("a").RefusedBy != "ZoneFilter" {
		t.Errorf("without the conditions no backend fits either, but: %v, %v", d.Relaxed, err)
	}
}

func TestFailingPluginEndsDecision(t *testing.T) {
	failure := errors.New("out of order")
	all := plugins(
		placement.WithFilter("Broken", placement.FilterFunc(func(placement.Request, *placement.Backend) (bool, error) { return false, failure })),
		placement.WithFilter("Unprepared", placement.PerRequestFilter(func(placement.Request, *placement.Snapshot) (placement.Filter, error) { return nil, failure })),
		placement.WithWeigher("Infinite", placement.WeigherFunc(func(_ placement.Request, b *placement.Backend) (float64, error) {
			return math.Inf(1 - 2*b.Index()), nil
		})),
		placement.WithWeigher("BrokenWeigher", placement.WeigherFunc(func(placement.Request, *placement.Backend) (float64, error) { return 0, failure })),
	)
	const infinite = "Infinite: weigh a backend: +Inf is not a finite number"
	for want, p := range map[string]placement.Profile{
		"Broken on a: out of order":        {Filters: []string{"Broken"}},
		"Unprepared: out of order":         {Filters: []string{"ZoneFilter", "Unprepared"}},
		"BrokenWeigher on a: out of order": {Weighers: []placement.Weight{{Weigher: "BrokenWeigher", Multiplier: 1}}},
		infinite: {
			Weighers: []placement.Weight{{Weigher: "Infinite", Multiplier: 1}, {Weigher: "FreeWeigher", Multiplier: 1}},
		},
	} {
		e, err := placement.New(p, all...)
		if err != nil {
			t.Fatal(err)
		}
		d, err := e.DecideOn(snapshot(row{"dc1", 1, 1}, row{"dc1", 1, 1}), request{})
		if _, ok := errors.AsType[*placement.PluginError](err); !ok || d != nil || err.Error() != want || want != infinite && !errors.Is(err, failure) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestNewReportsAllFaults(t *testing.T) {
	_, err := placement.New(placement.Profile{
		Filters:  []string{"ZonesFilter", "LoadFilter"},
		Weighers: []placement.Weight{{Weigher: "CapacityWeigher", Multiplier: 1}, {Weigher: "FreeWeigher", Multiplier: math.NaN()}},
		Policy:   9,
		Select:   9,
	}, plugins(placement.WithWeigher("FreeWeigher", number("x")), placement.WithFilter("ZoneFilter", sameZone("x")), placement.WithFilter("", nil))...)
	if err == nil {
		t.Fatal("the profile and its plug-ins have faults")
	}
	for _, want := range []string{
		"filter ZonesFilter is not known: did you mean ZoneFilter?",
		"weigher CapacityWeigher is not known: there are FreeWeigher, LoadWeigher",
		"weigher FreeWeigher: multiplier NaN",
		"add plug-in FreeWeigher: the name is taken",
		"add plug-in ZoneFilter: the name is taken",
		`add plug-in "": it needs a name`,
		"policy 9 does not exist",
		"select 9 does not exist",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing from\n%v", want, err)
		}
	}
}

type bounded struct{ placement.WeigherFunc }

func (bounded) Bounds() (lo, hi float64) { return 0, math.NaN() }

func TestBoundsKeepSmallDifferencesSmall(t *testing.T) {
	w := bounded{func(_ placement.Request, b *placement.Backend) (float64, error) {
		f, _ := b.Float("free")
		return f, nil
	}}
	e, err := placement.New(placement.Profile{Weighers: []placement.Weight{{Weigher: "W", Multiplier: 1}}}, placement.WithWeigher("W", w))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rows []row
		want []float64
	}{
		{[]row{{free: 99}, {free: 100}}, []float64{1, 0.99}},
		{[]row{{free: -50}, {free: 50}}, []float64{1, 0}},
		{[]row{{free: 5}, {free: 5}}, []float64{1, 1}},
	} {
		ranked, err := e.Rank(nil, snapshot(c.rows...), request{})
		if err != nil || ranked[0].Weight != c.want[0] || ranked[1].Weight != c.want[1] {
			t.Errorf("%v: ranked %v, want %v (%v)", c.rows, ranked, c.want, err)
		}
	}
}

func TestDecideReadsReports(t *testing.T) {
	reports := []capability.Report{
		{Host: "h@a", Backend: "a", Zone: "dc1", Capabilities: capability.Set{"load": capability.OfInt(1), "free": capability.OfInt(1234)}},
		{Host: "h@b", Backend: "b", Zone: "dc1", Capabilities: capability.Set{"load": capability.OfInt(1), "free": capability.OfInt(1234)}},
	}
	d, err := engine(t, everything).Decide(reports, request{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "a would take it: it weighs 0, and so does another; the order in which the scheduler received their reports decides"; d.Summary() != want {
		t.Errorf("got  %s\nwant %s", d.Summary(), want)
	}
	if text := d.String(); !strings.Contains(text, "  2 h@b  0 (tied)\n      FreeWeigher 1234 → 0 × 2 = 0\n") {
		t.Errorf("printed\n%s", text)
	}
}

// A plug-in that is prepared per request decides the same for one backend alone.
func TestPerRequestPluginsAlone(t *testing.T) {
	b := snapshot(row{zone: "dc1", load: 7}).At(0)
	failure := errors.New("out of order")
	for name, prepared := range map[string]struct {
		filter placement.Filter
		err    error
		pass   bool
	}{
		"filter":  {sameZone("dc1"), nil, true},
		"refuses": {sameZone("dc2"), nil, false},
		"none":    {nil, nil, true},
		"fails":   {nil, failure, false},
	} {
		f := placement.PerRequestFilter(func(placement.Request, *placement.Snapshot) (placement.Filter, error) {
			return prepared.filter, prepared.err
		})
		if pass, err := f.Filter(request{}, b); pass != prepared.pass || !errors.Is(err, prepared.err) {
			t.Errorf("%s: got %v, %v", name, pass, err)
		}
	}
	for name, prepared := range map[string]struct {
		weigher placement.Weigher
		err     error
		weight  float64
	}{
		"weigher": {number("load"), nil, 7},
		"none":    {nil, nil, 0},
		"fails":   {nil, failure, 0},
	} {
		w := placement.PerRequestWeigher(func(placement.Request, *placement.Snapshot) (placement.Weigher, error) {
			return prepared.weigher, prepared.err
		})
		if weight, err := w.Weigh(request{}, b); weight != prepared.weight || !errors.Is(err, prepared.err) {
			t.Errorf("%s: got %v, %v", name, weight, err)
		}
	}
}

func TestPolicyAsText(t *testing.T) {
	for _, p := range []placement.Policy{placement.Strict, placement.Prefer} {
		text, err := p.MarshalText()
		var read placement.Policy
		if err := errors.Join(err, read.UnmarshalText(text)); err != nil || read != p {
			t.Errorf("%d is %s, which is read as %d (%v)", p, text, read, err)
		}
	}
	if _, err := placement.Policy(9).MarshalText(); err == nil {
		t.Error("policy 9 is written")
	}
	var p placement.Policy
	if err := p.UnmarshalText([]byte("mild")); err == nil || !strings.Contains(err.Error(), "want strict or prefer") {
		t.Errorf("got %v", err)
	}
}
