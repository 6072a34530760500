package review

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/function"
)

// report is a backend of the pool gold in dc1; the JSON changes its
// capabilities, and null removes one.
func report(t testing.TB, name, changes string) capability.Report {
	t.Helper()
	set := parse(t, `{"volume_backend_name":"gold","vendor_name":"Pure Storage","storage_protocol":"iSCSI",
		"thin_provisioning_support":true,"multiattach":true,"total_capacity_gb":1000.0,"free_capacity_gb":500.0,
		"provisioned_capacity_gb":3000.0,"max_over_subscription_ratio":6.0,"total_reduction":6.0,"reserved_percentage":0,
		"data_reduction":4.0,"data_reduction_percent":400,"load_percent":20,"usec_per_read_op":300,"usec_per_write_op":200,
		"total_volumes":700,"array_model":"FA-X70R4","metrics_status":"ok","rack":{"row":"a"},"labels":["a","b"]}`)
	set["array_id"] = capability.OfString("id of " + name)
	for key, v := range parse(t, orText(changes, "{}")) {
		if set[key] = v; v.IsNull() {
			delete(set, key)
		}
	}
	pool, _ := set["volume_backend_name"].Str()
	return capability.Report{Host: "ctl1@" + name, Backend: name, Pool: pool, Zone: "dc1", Status: capability.OK, Capabilities: set}
}

func parse(t testing.TB, text string) capability.Set {
	t.Helper()
	set, err := capability.ParseSet([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func three(t testing.TB, a, b, c string) []capability.Report {
	return []capability.Report{report(t, "fa1", a), report(t, "fa2", b), report(t, "fa3", c)}
}

// told prints findings as the tables below expect them.
func told(found []Finding) string {
	var lines []string
	for _, f := range found {
		lines = append(lines, fmt.Sprintf("%s %s: %s", f.Severity, f.Code, f.What))
	}
	return strings.Join(lines, "\n")
}

// expect wants one finding for each line, holding the line's text.
func expect(t *testing.T, found []Finding, want ...string) {
	t.Helper()
	for _, f := range found {
		if f.Where == "" || f.What == "" || f.Why == "" || f.Topic.rank() < 0 || f.Severity.rank() < 0 {
			t.Errorf("a finding says too little: %+v", f)
		}
		if strings.Contains(f.What+f.Why+f.Do, "%!") {
			t.Errorf("a finding is garbled: %+v", f)
		}
	}
	got := told(found)
	if len(found) != len(want) {
		t.Fatalf("found %d, want %d:\n%s", len(found), len(want), got)
	}
	for _, w := range want {
		code, text, _ := strings.Cut(w, "|")
		if !slices.ContainsFunc(found, func(f Finding) bool {
			return string(f.Severity)+" "+f.Code == code && strings.Contains(f.What+" "+f.Do, text)
		}) {
			t.Errorf("found\n%s\nand not %q", got, w)
		}
	}
}

func TestFindingsAreToldByTopicAndSeverity(t *testing.T) {
	found := []Finding{
		{Severity: Note, Topic: PoolTopic},
		{Severity: Error, Topic: TypeTopic},
		{Severity: Note, Topic: Configuration},
		{Severity: Warning, Topic: Configuration},
	}
	Sort(found)
	var got []string
	for _, f := range found {
		got = append(got, string(f.Topic)+" "+string(f.Severity))
	}
	if text := strings.Join(got, ", "); text != "configuration warning, configuration note, volume types error, pools note" {
		t.Errorf("the order is %s", text)
	}
	if Count(found, Note) != 2 || Count(found, Error) != 1 {
		t.Errorf("counted %d notes and %d errors", Count(found, Note), Count(found, Error))
	}
}

func TestJoin(t *testing.T) {
	for n, want := range []string{"none", "a", "a and b", "a, b and c", "a, b, c and d", "a, b, c and 2 more"} {
		if got := join([]string{"a", "b", "c", "d", "e"}[:n]); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

func TestFunctions(t *testing.T) {
	const (
		nullable = "note nullable-key|"
		write    = "capabilities.usec_per_write_op"
	)
	for _, c := range []struct {
		name, option, text string
		reports            []capability.Report
		want               []string
	}{
		{"a good filter", "filter_function", "stats.free_capacity_gb > volume.size", three(t, "", "", ""), nil},
		{"a good rating", "goodness_function", "100 - capabilities.rating", three(t, `{"rating":1}`, `{"rating":2}`, `{"rating":3}`), nil},
		{"a misspelt key", "filter_function", "capabilities.load_percnt < 80", three(t, "", "", ""), []string{"error unknown-key|did you mean load_percent?"}},
		{"an unknown key", "filter_function", "capabilities.xyzzy < 80", three(t, "", "", ""), []string{"error unknown-key|poolcast --dry-run"}},
		{"a key that one lacks", "filter_function", "capabilities.rating < 80", three(t, `{"rating":1}`, "", ""), []string{"error unknown-key|(on fa2 and fa3)"}},
		{"a key absent now", "filter_function", "capabilities.load_percent < 80", three(t, `{"load_percent":null}`, "", ""), []string{"warning absent-key|(on fa1)"}},
		{"a key on request", "goodness_function", "capabilities.avg_throughput_mbps", three(t, "", "", ""), []string{"error absent-key|live_capabilities = avg_throughput_mbps"}},
		{"what cinder-volume counts", "filter_function", "capabilities.allocated_capacity_gb < 10", three(t, "", "", ""), nil},
		{"a cut float", "filter_function", "capabilities.avg_latency_ms < 1", three(t, `{"avg_latency_ms":0.35}`, `{"avg_latency_ms":0.5}`, `{"avg_latency_ms":0.4}`), []string{"warning truncated-float|avg_latency_ms is 0.35, and Cinder reads 0"}},
		{"a large float", "filter_function", "capabilities.free_capacity_gb > 100", three(t, `{"free_capacity_gb":500.7}`, "", ""), []string{nullable + "free_capacity_gb"}},
		{"a digit in a name", "filter_function", "capabilities.p99_usec < 3", three(t, "", "", ""), []string{"error function-syntax|digit in the name capabilities.p99_usec in column 17"}},
		{"a bare word", "filter_function", "load_percent < 80", three(t, "", "", ""), []string{"error bare-word|Write capabilities.load_percent"}},
		{"another scope", "filter_function", "capability.load_percent < 80", three(t, "", "", ""), []string{"error unknown-scope|Write capabilities.load_percent"}},
		{"a list", "filter_function", "capabilities.labels == 1", three(t, "", "", ""), []string{"error unusable-value|is a list"}},
		{"text against a number", "filter_function", `capabilities.metrics_status < 3`, three(t, "", "", ""), []string{"error function-fails|on fa1"}},
		{"nothing passes", "filter_function", "capabilities.load_percent < 10", three(t, "", "", ""), []string{"warning filter-refuses-all|all of its 3 arrays", nullable}},
		{"text as a rating", "goodness_function", "capabilities.metrics_status", three(t, "", "", ""), []string{"error goodness-no-number|gives ok"}},
		{"outside the range", "goodness_function", "capabilities.total_volumes", three(t, "", "", `{"total_volumes":50}`), []string{"warning goodness-out-of-range|fa1 700 and fa2 700", nullable}},
		{"all alike", "goodness_function", "50", three(t, "", "", ""), []string{"note goodness-constant|all 3 arrays 50"}},
		{"zero looks perfect", "goodness_function", "100 - " + write + " / 10", three(t, "", `{"usec_per_write_op":300}`, ""), []string{"warning zero-looks-perfect|scores 100 ", nullable}},
		{"zero is guarded against", "goodness_function", `(capabilities.metrics_status == "ok") ? (100 - ` + write + ` / 10) : 0`, three(t, "", `{"usec_per_write_op":300}`, ""), []string{nullable}},
		{"depends on the type", "filter_function", "extra.limit > capabilities.rating", three(t, `{"rating":1}`, `{"rating":1}`, `{"rating":1}`), nil},
		{"no report", "filter_function", "load < 3", nil, []string{"error bare-word|"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, Functions([]Function{{Option: c.option, Text: c.text, Where: "cinder.conf:3", Reports: c.reports}}), c.want...)
		})
	}
}

// TestAdviceWorks types what the advice says and looks whether it helps.
func TestAdviceWorks(t *testing.T) {
	reports := three(t, "", `{"usec_per_write_op":300}`, "")
	f := Function{Option: "goodness_function", Text: "100 * (1 / max(capabilities.usec_per_write_op, 1))", Where: "x", Reports: reports}
	for _, found := range Functions([]Function{f}) {
		if found.Code != "zero-looks-perfect" {
			continue
		}
		_, advised, _ := strings.Cut(found.Do, " = ")
		again := f
		again.Text = advised
		for _, still := range Functions([]Function{again}) {
			if still.Severity != Note {
				t.Errorf("with %s there is still %+v", advised, still)
			}
		}
		old, err := function.Compile(f.Text)
		if err != nil {
			t.Fatal(err)
		}
		mended, err := function.Compile(advised)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := rate(old, &reports[0]), rate(mended, &reports[0]); a != b || a == 0 {
			t.Errorf("the advice changes the score from %g to %g", a, b)
		}
		return
	}
	t.Error("there was no advice")
}
