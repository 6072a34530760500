package advice

import (
	"fmt"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

func TestCompareKeys(t *testing.T) {
	base := parse(t, `{"total_volumes":5,"tier":"gold","free_capacity_gb":7,"rack":"b","data_reduction":null}`)
	ours := parse(t, `{"total_volumes":6,"tier":"silver","free_capacity_gb":7.0,"load_percent":3,"provisioned_capacity_gb":9.0,"data_reduction":2.0}`)
	sent := parse(t, `{"total_volumes":6,"tier":"gold","free_capacity_gb":7.0,"rack":"b","load_percent":3,"data_reduction":2.0}`)
	show := func(partial bool) string {
		var lines []string
		for _, c := range CompareKeys(base, ours, sent, partial) {
			old, now := "-", "-"
			if c.Old != nil {
				old = c.Old.String()
			}
			if c.New != nil {
				now = c.New.String()
			}
			lines = append(lines, fmt.Sprintf("%s %s %s>%s %t %s", c.Change, c.Key, old, now, c.Sent, c.Unit))
		}
		return strings.Join(lines, "\n")
	}
	const want = `changed data_reduction None>2.0 true ratio
added load_percent ->3 true %
added provisioned_capacity_gb ->9.0 false GiB
missing rack b>- false 
changed tier gold>silver false 
changed total_volumes 5>6 true `
	if got := show(false); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := show(true); strings.Contains(got, "added") {
		t.Errorf("with a partial base keys are added:\n%s", got)
	}
}

func TestEffects(t *testing.T) {
	before := three(t, "", `{"max_over_subscription_ratio":9.0}`, "")
	after := three(t, `{"max_over_subscription_ratio":20.0}`, `{"provisioned_capacity_gb":9000.0}`, "")
	questions := []Question{{Name: "any", Request: &cinder.Request{Size: 10}}}
	effects, err := Effects(engine(t), before, after, questions)
	if err != nil {
		t.Fatal(err)
	}
	show := func(results []Result) string {
		var parts []string
		for _, a := range results {
			parts = append(parts, fmt.Sprintf("%s:%d%s", a.Backend, a.Rank, a.Refused[:min(len(a.Refused), 8)]))
		}
		return strings.Join(parts, " ")
	}
	e := effects[0]
	if show(e.Before) != "fa2:1 fa1:2 fa3:3" || show(e.After) != "fa1:1 fa3:2 fa2:0Capacity" || e.Same() {
		t.Errorf("before %s, after %s", show(e.Before), show(e.After))
	}
	same, err := Effects(engine(t), before, before, questions)
	if err != nil || !same[0].Same() {
		t.Errorf("equal reports have an effect: %+v %v", same, err)
	}
	fewer, err := Effects(engine(t), before[:2], before, questions)
	if err != nil || fewer[0].Same() {
		t.Errorf("one backend more has no effect: %+v %v", fewer, err)
	}
	broken := []capability.Report{report(t, "fa1", `{"reserved_percentage":"many"}`)}
	if _, err := Effects(engine(t), broken, before, questions); err == nil || !strings.Contains(err.Error(), "on the base, any") {
		t.Errorf("a base without a decision: %v", err)
	}
}
