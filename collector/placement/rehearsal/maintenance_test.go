package rehearsal

import (
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// fleet are the reports of two arrays.
func fleet() []capability.Report {
	var reports []capability.Report
	for _, name := range []string{"a", "b"} {
		reports = append(reports, capability.Report{Host: "ctl1@" + name, Backend: name, Capabilities: capability.Set{
			capability.KeyTotalCapacity:       capability.OfFloat(1000),
			capability.KeyFreeCapacity:        capability.OfFloat(600),
			capability.KeyProvisionedCapacity: capability.OfFloat(2000),
			capability.KeyMaxOverSubscription: capability.OfFloat(5),
			capability.KeyTotalReduction:      capability.OfFloat(5),
			capability.KeyThinProvisioning:    capability.OfBool(true),
			capability.KeyTotalVolumes:        capability.OfInt(700),
			capability.KeyUsecPerWrite:        capability.OfInt(300),
			capability.KeyReservedPercentage:  capability.OfInt(10),
			"tier":                            capability.OfString("gold"),
		}})
	}
	return reports
}

func TestMaintainAddsEmptyArrays(t *testing.T) {
	reports := fleet()
	f, err := Maintain(reports, []string{"ctl1@b"}, []string{"a", "a"}, 20)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(namesOf(f.Reports), " "); got != "a a-new a-new2" || strings.Join(f.Without, " ") != "b" {
		t.Errorf("backends %s, without %v", got, f.Without)
	}
	got := f.Reports[1]
	want := capability.Set{
		capability.KeyTotalCapacity:       capability.OfFloat(1000),
		capability.KeyFreeCapacity:        capability.OfFloat(1000),
		capability.KeyProvisionedCapacity: capability.OfFloat(0),
		capability.KeyMaxOverSubscription: capability.OfFloat(20),
		capability.KeyThinProvisioning:    capability.OfBool(true),
		capability.KeyTotalVolumes:        capability.OfInt(0),
		capability.KeyUsecPerWrite:        capability.OfInt(0),
		capability.KeyReservedPercentage:  capability.OfInt(10),
		"tier":                            capability.OfString("gold"),
	}
	if !got.Capabilities.Equal(want) || got.Host != "ctl1@a-new" {
		t.Errorf("%s reports %v", got.Host, got.Capabilities)
	}
	if !reports[0].Capabilities.Equal(fleet()[0].Capabilities) {
		t.Error("the report of the model has changed")
	}
}

func TestMaintainErrors(t *testing.T) {
	for want, c := range map[string][2][]string{
		"--without c: no report of such a backend; there are a and b": {{"c"}, nil},
		"--with ctl2@a: no report of such a backend":                  {nil, {"ctl2@a"}},
		"no backend is left": {{"a", "b", "a"}, nil},
	} {
		if _, err := Maintain(fleet(), c[0], c[1], 20); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", c, err, want)
		}
	}
}

func burstOf(count int, size int64) Burst {
	return Burst{Request: &cinder.Request{Size: size}, Count: count, Rate: 1, Interval: time.Minute, Schedulers: 1}
}

func changeOf(t *testing.T, without, with []string, b Burst, names ...string) (*Change, []Outcome) {
	t.Helper()
	f, err := Maintain(fleet(), without, with, 4)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := Catalogue{Ratio: 20, Goodness: DefaultGoodness}.Pick(names)
	if err != nil {
		t.Fatal(err)
	}
	outcomes, err := Compare(t.Context(), f.Reports, b, settings)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ChangeOf(t.Context(), f, b, outcomes)
	if err != nil {
		t.Fatal(err)
	}
	return c, outcomes
}

// TestChangeWithoutBackend: 25 volumes of 100 GiB fit on one array, and 50 on two.
func TestChangeWithoutBackend(t *testing.T) {
	b := burstOf(40, 100)
	b.Fill = 1 // so that the ratio does not grow
	c, outcomes := changeOf(t, []string{"a"}, nil, b, Current)
	if c.All <= c.Rest || c.Rest != outcomes[0].Placed || c.Taken != 20 {
		t.Errorf("change: %+v", c)
	}
	if text := strings.Join(c.Sentences(), " "); !strings.HasPrefix(text, "Without a ") || c.Flood != nil {
		t.Errorf("sentences: %s", text)
	}
}

// TestChangeShowsFlood: an empty array with the ratio 4 has 3,600 GiB of virtual free
// capacity, and the others 2,500. So the first twelve volumes of 100 GiB go there.
func TestChangeShowsFlood(t *testing.T) {
	b := burstOf(30, 100)
	b.Fill = 0.2 // keeps the reduction of the others at 5
	c, outcomes := changeOf(t, nil, []string{"a"}, b, Current, Stochastic, Ledger)
	f := c.Flood
	if f.Now.First < 10 || f.Now.First > 13 || f.Now.For != time.Duration(f.Now.First)*time.Second || f.Now.Equal != 10 {
		t.Errorf("flood: %+v %v", f.Now, outcomes[0].Order)
	}
	if f.Better == nil || f.Setting != Stochastic {
		t.Errorf("flood: %+v", f)
	}
	if text := f.String(); !strings.Contains(text, "go to a-new, and an equal share is 10; the first ") || !strings.Contains(text, "With StochasticHostWeightHandler it is ") {
		t.Errorf("sentence: %s", text)
	}
	if c, _ := changeOf(t, nil, nil, b, Current); c != nil {
		t.Errorf("nothing has changed, and the change is %+v", c)
	}
}

// TestEmptyArrayGetsLoad: an operation causes on an idle array what it causes on others.
func TestEmptyArrayGetsLoad(t *testing.T) {
	reports := fleet()
	for _, r := range reports {
		r.Capabilities[capability.KeyReadsPerSec], r.Capabilities[capability.KeyWritesPerSec] = capability.OfInt(500), capability.OfInt(500)
		r.Capabilities[capability.KeyLoadPercent] = capability.OfInt(20)
	}
	f, err := Maintain(reports, []string{"b"}, []string{"b"}, 20)
	if err != nil {
		t.Fatal(err)
	}
	b := burstOf(10, 10)
	b.Operations = 100
	settings, err := Catalogue{Ratio: 20}.Pick([]string{Current})
	if err != nil {
		t.Fatal(err)
	}
	o, err := Run(t.Context(), f.Reports, b, settings[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range o.Arrays {
		if load, _ := a.After.Number(capability.KeyLoadPercent); a.Backend == "b-new" && (a.Volumes != 10 || load != 20) {
			t.Errorf("%d volumes with 100 operations each cause a load of %v, want 20", a.Volumes, load)
		}
	}
}
