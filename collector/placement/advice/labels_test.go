package advice_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/advice"
)

// labelled is a report with avg_latency_ms as a label; measured 0 is not known.
func labelled(name string, label, measured float64) capability.Report {
	l := capability.Label{Value: capability.OfFloat(label)}
	if measured != 0 {
		l.Measured = capability.OfFloat(measured)
	}
	return capability.Report{
		Host: "c@" + name, Backend: name, Labels: map[string]capability.Label{"avg_latency_ms": l},
		Capabilities: capability.Set{"avg_latency_ms": capability.OfFloat(label), "total_volumes": capability.OfInt(3)},
	}
}

func TestLabelNotes(t *testing.T) {
	const remedy = "add avg_latency_ms to live_capabilities in [poolcast], and the measurement counts"
	var many []capability.Report
	for n := range 9 {
		many = append(many, labelled(fmt.Sprintf("fa%d", n), 0.35, float64(n+1)))
	}
	replaced := labelled("fa1", 0.35, 1.67)
	replaced.Capabilities = capability.Set{"avg_latency_ms": capability.OfFloat(1.67)}
	for name, c := range map[string]struct {
		reports []capability.Report
		want    []string
	}{
		"none":    {[]capability.Report{{Host: "c@a"}, replaced}, nil},
		"one":     {[]capability.Report{labelled("fa1", 0.35, 1.6678)}, []string{"avg_latency_ms 0.35 of fa1 is a label of cinder.conf; measured 1.668", remedy}},
		"unknown": {[]capability.Report{labelled("fa1", 0.35, 0)}, []string{"avg_latency_ms 0.35 of fa1 is a label of cinder.conf; what is measured is not known here", remedy}},
		"all unknown": {
			[]capability.Report{labelled("fa1", 0.35, 0), labelled("fa2", 0.35, 0)},
			[]string{"avg_latency_ms 0.35 of fa1 and fa2 is a label of cinder.conf; what is measured is not known here", remedy},
		},
		"two values": {
			[]capability.Report{labelled("fa1", 0.35, 1.67), labelled("fa2", 0.2, 0.4), labelled("fa3", 0.35, 0.5)},
			[]string{"avg_latency_ms 0.35 is a label of cinder.conf; measured: fa1 1.67, fa3 0.5", "avg_latency_ms 0.2 of fa2 is a label of cinder.conf; measured 0.4", remedy},
		},
		"many": {many, []string{"avg_latency_ms 0.35 is a label of cinder.conf; measured: fa0 1, fa1 2, fa2 3, fa3 4, fa4 5, fa5 6, 3 more", remedy}},
	} {
		got := advice.LabelNotes(c.reports, func(*capability.Report) []string { return []string{"avg_latency_ms", "total_volumes"} })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
