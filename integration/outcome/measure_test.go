package outcome

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestFiguresAfterSettling(t *testing.T) {
	r := Run{
		Settle:  time.Minute,
		Refused: map[string]int{"CapacityFilter": 2, "CapabilitiesFilter": 1},
		Samples: []Sample{
			{At: 0, Arrays: []State{{Used: 1, Latency: 9999, Operations: 1}, {}}},
			{At: time.Minute, Arrays: []State{
				{Used: 0.5, Provisioned: 2, Load: 0.75, Latency: 1000, Operations: 300},
				{Used: 0.25, Provisioned: 1, Load: 0.25, Latency: 400, Operations: 100},
			}},
			{At: 2 * time.Minute, Arrays: []State{{Used: 0.5, Provisioned: 2, Load: 0.5, Latency: 500}, {Used: 0.5, Provisioned: 2, Load: 0.5, Latency: 400}}},
		},
	}
	want := Figures{
		UsedSpread: 12.5, ProvisionedSpread: 50, LoadSpread: 25, BusiestMedian: 500, BusiestHigh: 1000, MeanLatency: 850,
		RefusedCreates: 3,
	}
	got := r.Figures()
	for _, m := range Measures() {
		if math.Abs(got[m]-want[m]) > 1e-9 {
			t.Errorf("%s is %v, want %v", m, got[m], want[m])
		}
	}
}

func TestFiguresWithoutSamples(t *testing.T) {
	got := Run{Settle: time.Hour, Samples: []Sample{{}}}.Figures()
	if _, known := got[UsedSpread]; known || got[RefusedCreates] != 0 {
		t.Errorf("a run without samples has %v", got)
	}
}

func TestCompareVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		stock, poolcast []float64
		want            Verdict
	}{
		"certainly lower":       {[]float64{10, 20, 30}, []float64{8, 18, 28.1}, Better},
		"certainly higher":      {[]float64{10, 20, 30}, []float64{12, 22, 32.1}, Worse},
		"uncertain":             {[]float64{10, 20, 30}, []float64{5, 27, 29}, Equal},
		"certain but too small": {[]float64{100, 200, 300}, []float64{99, 199, 299.01}, Equal},
		"the same":              {[]float64{1, 2}, []float64{1, 2}, Equal},
		"one seed":              {[]float64{10}, []float64{1}, Equal},
	} {
		if got := Compare(c.stock, c.poolcast); got.Verdict != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// The interval of 1, 2, 3 is 2 ± 4.303 × 1 / √3, from a table of Student's t.
func TestHalfInterval(t *testing.T) {
	if got := halfInterval([]float64{1, 2, 3}); math.Abs(got-2.484) > 0.001 {
		t.Errorf("got %v", got)
	}
}

func TestMarkdownAligns(t *testing.T) {
	want := "| a    | µs |\n| ---- | -- |\n| long | 1  |\n"
	if got := markdown([][]string{{"a", "µs"}, {"long", "1"}}); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestDifferenceString(t *testing.T) {
	for want, d := range map[string]Difference{
		"equal":             {Verdict: Equal},
		"better -1.2 ± 0.3": {Mean: -1.2, Half: 0.3, Verdict: Better},
	} {
		if got := d.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestStreamIsReproducible(t *testing.T) {
	for _, s := range append(Scenarios(), Confirmation()) {
		first, again, other := s.Stream(1), s.Stream(1), s.Stream(2)
		if len(first) != len(again) || first[len(first)-1] != again[len(again)-1] {
			t.Errorf("%s: the same seed draws two streams", s.Name)
		}
		if len(other) == len(first) && other[len(other)-1] == first[len(first)-1] {
			t.Errorf("%s: two seeds draw the same stream", s.Name)
		}
		initial := 0
		for i, v := range first {
			if v.Number != i || i > 0 && v.At < first[i-1].At {
				t.Fatalf("%s: volume %d has number %d and time %s", s.Name, i, v.Number, v.At)
			}
			if (v.At < 0) != (v.Array != "") {
				t.Errorf("%s: volume %d is created at %s on %q", s.Name, i, v.At, v.Array)
			}
			if v.Array != "" {
				initial++
			}
		}
		if initial != s.Initial {
			t.Errorf("%s: there are %d initial volumes", s.Name, initial)
		}
	}
}

func TestFunctionsReadKeysOfTheirArm(t *testing.T) {
	for _, s := range AllSettings() {
		for _, arm := range Arms() {
			if arm != Poolcast && strings.Contains(s.goodness(arm), "load_percent") {
				t.Errorf("%s, %s: cinder-volume does not report load_percent", s, arm)
			}
		}
	}
}
