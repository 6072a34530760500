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

// number weighs by a capability, refusing to guess when it is missing.
func number(key string) placement.WeigherFactory {
	return placement.NoArgs[placement.Weigher](placement.WeigherFunc(func(_ placement.Request, b *placement.Backend) (float64, error) {
		f, ok := b.Float(key)
		if !ok {
			return 0, fmt.Errorf("%s is not reported", key)
		}
		return f, nil
	}))
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

func registry(t *testing.T) *placement.Registry {
	t.Helper()
	reg := new(placement.Registry)
	for _, err := range []error{
		reg.AddFilter("ZoneFilter", placement.NoArgs[placement.Filter](sameZone("dc1"))),
		reg.AddFilter("LoadFilter", placement.NoArgs[placement.Filter](atMost{"load", 50})),
		reg.AddWeigher("FreeWeigher", number("free")),
		reg.AddWeigher("LoadWeigher", number("load")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return reg
}

func engine(t *testing.T, p placement.Profile) *placement.Engine {
	t.Helper()
	e, err := placement.New(registry(t), p)
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
	return placement.NewSnapshot(reports, placement.Options{})
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
	d, err := e.Decide(s, request{})
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

func TestStagesAreTheSurvivorsOfEachFilter(t *testing.T) {
	s := snapshot(row{"dc1", 10, 1}, row{"dc2", 0, 1}, row{"dc1", 99, 1})
	d, err := engine(t, everything).Decide(s, request{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, stage := range d.Stages() {
		line := stage.Filter
		for _, b := range stage.Survivors {
			line += " " + b.ID()
		}
		got = append(got, line)
	}
	if want := []string{"ZoneFilter a c", "LoadFilter a"}; !slices.Equal(got, want) {
		t.Errorf("stages %q, want %q", got, want)
	}
	if v := d.Of("c"); v.RefusedBy != "LoadFilter" || v.Reason() != "load 99 is not <= 50" {
		t.Errorf("c: %s %s", v.RefusedBy, v.Reason())
	}
}

func TestNoPoolErrorIsAHistogram(t *testing.T) {
	e := engine(t, everything)
	s := snapshot(row{"dc1", 91, 1}, row{"dc2", 0, 1}, row{"dc1", 91, 1})
	d, err := e.Decide(s, request{})
	if want := "0 of 3 backends fit: 2 LoadFilter (load 91 is not <= 50), 1 ZoneFilter (dc2 is not dc1)"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if !errors.Is(err, placement.ErrNoPool) || d == nil || d.Chosen != nil {
		t.Error("the error does not say that there is no pool, or there is no decision beside it")
	}
	if _, err := e.Choose(s, request{}); !errors.Is(err, placement.ErrNoPool) {
		t.Errorf("choose says %v", err)
	}
	many := snapshot(row{"dc1", 61, 1}, row{"dc1", 62, 1}, row{"dc1", 63, 1}, row{"dc1", 64, 1}, row{"dc1", 65, 1}, row{"dc1", 61, 1})
	_, err = e.Decide(many, request{})
	if want := "0 of 6 backends fit: 6 LoadFilter (load 61 is not <= 50; load 62 is not <= 50; load 63 is not <= 50; 2 more)"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	_, err = e.Decide(snapshot(), request{})
	if err == nil || err.Error() != "0 of 0 backends fit" {
		t.Errorf("without backends: %v", err)
	}
}

func TestPreferSetsAsideWhatNobodyMeets(t *testing.T) {
	busy := []row{{"dc1", 91, 1}, {"dc2", 0, 9}, {"dc1", 92, 5}}
	p := everything
	p.Policy = placement.Prefer
	e := engine(t, p)
	d, err := e.Decide(snapshot(busy...), request{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []placement.Condition{{Filter: "LoadFilter", Text: "load <= 50"}}; !slices.Equal(d.SetAside, want) || d.Fit != 2 || d.Chosen.Backend.ID() != "c" {
		t.Errorf("set %v aside and chose %s of %d", d.SetAside, d.Chosen.Backend.ID(), d.Fit)
	}
	if c, err := e.Choose(snapshot(busy...), request{}); err != nil || c.Backend.ID() != "c" {
		t.Errorf("chose %v, %v", c, err)
	}
	calm := append(slices.Clone(busy), row{"dc1", 50, 0})
	if d, err = e.Decide(snapshot(calm...), request{}); err != nil || d.SetAside != nil || d.Chosen.Backend.ID() != "d" {
		t.Errorf("one backend meets the condition, and yet %v is set aside (%v)", d.SetAside, err)
	}
	d, err = e.Decide(snapshot(row{"dc2", 91, 1}), request{})
	if err == nil || d.SetAside != nil || d.Of("a").RefusedBy != "ZoneFilter" {
		t.Errorf("setting conditions aside helps nobody here, and yet: %v, %v", d.SetAside, err)
	}
}

func TestBrokenPluginsEndTheDecision(t *testing.T) {
	reg := registry(t)
	broken := errors.New("out of order")
	for _, err := range []error{
		reg.AddFilter("Broken", placement.NoArgs[placement.Filter](placement.FilterFunc(func(placement.Request, *placement.Backend) (bool, error) { return false, broken }))),
		reg.AddFilter("Unprepared", placement.NoArgs[placement.Filter](placement.PerRequestFilter(func(placement.Request, *placement.Snapshot) (placement.Filter, error) { return nil, broken }))),
		reg.AddWeigher("Infinite", placement.WeigherFunc(func(_ placement.Request, b *placement.Backend) (float64, error) {
			return math.Inf(1 - 2*b.Index()), nil
		}).Factory()),
		reg.AddWeigher("Broken", placement.NoArgs[placement.Weigher](placement.WeigherFunc(func(placement.Request, *placement.Backend) (float64, error) { return 0, broken }))),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for want, p := range map[string]placement.Profile{
		"Broken on a: out of order": {Filters: []string{"Broken"}},
		"Unprepared: out of order":  {Filters: []string{"ZoneFilter", "Unprepared"}},
		"Infinite: weigh a backend: +Inf is not a finite number": {
			Weighers: []placement.Weight{{Weigher: "Infinite", Multiplier: 1}, {Weigher: "FreeWeigher", Multiplier: 1}},
		},
	} {
		e, err := placement.New(reg, p)
		if err != nil {
			t.Fatal(err)
		}
		d, err := e.Decide(snapshot(row{"dc1", 1, 1}, row{"dc1", 1, 1}), request{})
		if _, ok := errors.AsType[*placement.PluginError](err); !ok || d != nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestProfileFaultsComeAllAtOnce(t *testing.T) {
	_, err := placement.New(registry(t), placement.Profile{
		Filters:  []string{"ZonesFilter", "LoadFilter"},
		Weighers: []placement.Weight{{Weigher: "CapacityWeigher", Multiplier: 1}, {Weigher: "FreeWeigher", Multiplier: math.NaN()}},
		Args: map[string]capability.Set{
			"LoadFilter": {"limit": capability.OfInt(5)}, "Nobody": {},
		},
		Policy: 9,
	})
	if err == nil {
		t.Fatal("the profile is full of faults")
	}
	for _, want := range []string{
		"filter ZonesFilter is not known: did you mean ZoneFilter?",
		"weigher CapacityWeigher is not known: there are FreeWeigher, LoadWeigher",
		"weigher FreeWeigher: multiplier NaN",
		"filter LoadFilter: it takes no arguments, but got [limit]",
		"arguments are given for Nobody, which the profile does not use",
		"policy 9 does not exist",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing from\n%v", want, err)
		}
	}
}

func TestRegistryRefusesDuplicates(t *testing.T) {
	reg := registry(t)
	if err := reg.AddWeigher("FreeWeigher", number("x")); !errors.Is(err, placement.ErrDuplicate) {
		t.Errorf("got %v", err)
	}
	if err := reg.AddFilter("", nil); err == nil {
		t.Error("a filter without a name was registered")
	}
	if !slices.Equal(reg.Filters(), []string{"LoadFilter", "ZoneFilter"}) || !slices.Equal(reg.Weighers(), []string{"FreeWeigher", "LoadWeigher"}) {
		t.Error("names are missing", reg.Filters(), reg.Weighers())
	}
}

type bounded struct{ placement.WeigherFunc }

func (bounded) Bounds() (lo, hi float64) { return 0, math.NaN() }

func TestBoundsKeepSmallDifferencesSmall(t *testing.T) {
	reg := new(placement.Registry)
	w := bounded{func(_ placement.Request, b *placement.Backend) (float64, error) {
		f, _ := b.Float("free")
		return f, nil
	}}
	if err := reg.AddWeigher("W", placement.NoArgs[placement.Weigher](w)); err != nil {
		t.Fatal(err)
	}
	e, err := placement.New(reg, placement.Profile{Weighers: []placement.Weight{{Weigher: "W", Multiplier: 1}}})
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
