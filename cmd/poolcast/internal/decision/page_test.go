package decision_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher/status"
)

// page decides for the status page on two equal backends and a third.
func page(t *testing.T, s config.Scheduler) (status.Decision, string) {
	t.Helper()
	var reports []capability.Report
	for _, c := range []struct{ name, volumes string }{{"fa1", "7"}, {"fa2", "7"}, {"fa3", "912"}} {
		set, err := capability.ParseSet([]byte(`{"total_capacity_gb":100,"free_capacity_gb":50,"total_volumes":` + c.volumes + `}`))
		if err != nil {
			t.Fatal(err)
		}
		reports = append(reports, capability.Report{Host: "ctl1@" + c.name, Backend: c.name, Capabilities: set})
	}
	s.CapacityMultiplier = 1
	cloud := decision.NewCloud(&config.Config{Scheduler: s}, &backends.Set{Reports: reports})
	q := status.Query{Size: 10, Policy: "strict", ExtraSpecs: map[string]string{"total_volumes": "<= 800", "array_model": "s!= X"}}
	if s.Filters == nil {
		delete(q.ExtraSpecs, "array_model")
	}
	d, err := decision.ForPage(cloud, q, nil)
	if err != nil {
		t.Fatal(err)
	}
	var written bytes.Buffer
	enc := json.NewEncoder(&written)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d.JSON); err != nil {
		t.Fatal(err)
	}
	return d, written.String()
}

// TestPageDecisionIsRepeatable: the same question has the same bytes, with conditions as
// they were given, and no seed.
func TestPageDecisionIsRepeatable(t *testing.T) {
	_, one := page(t, config.Scheduler{})
	_, two := page(t, config.Scheduler{})
	if one != two || strings.Contains(one, "seed") || strings.Contains(one, `\u003c`) || !strings.Contains(one, `"<= 800"`) {
		t.Errorf("the decisions are\n%s\n%s", one, two)
	}
}

func TestPageDecisionIsDrawn(t *testing.T) {
	d, written := page(t, config.Scheduler{Handler: cinder.StochasticHandler})
	if !strings.HasPrefix(d.Summary, "drawn: fa") || !strings.HasSuffix(d.Summary, " with a chance of 50 %; 2 backends fit") {
		t.Errorf("the summary is %s", d.Summary)
	}
	if !strings.HasPrefix(d.Rows[0].Reason, "chance 50 %; CapacityWeigher") || !strings.Contains(written, `"chance":0.5`) {
		t.Errorf("the rows are %+v\n%s", d.Rows, written)
	}
}

func TestPageDecisionIsIncomplete(t *testing.T) {
	d, written := page(t, config.Scheduler{Filters: []string{"ShardFilter", "CapabilitiesFilter"}})
	if !strings.HasSuffix(d.Summary, "; ShardFilter is not known here and was left out: the answer is incomplete") {
		t.Errorf("the summary is %s", d.Summary)
	}
	if !strings.Contains(written, `"left_out":[{"kind":"filter","name":"ShardFilter"}]`) {
		t.Errorf("it is not listed: %s", written)
	}
	last := d.Rows[len(d.Rows)-1]
	want := "CapabilitiesFilter: array_model is not reported; total_volumes 912 is not <= 800"
	if last.Backend != "fa3" || last.Reason != want {
		t.Errorf("the last row is %+v, want %s", last, want)
	}
}
