package advice

import (
	"cmp"
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
	for key, v := range parse(t, cmp.Or(changes, "{}")) {
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

// summary prints findings as the tables below expect them.
func summary(found []Finding) string {
	var lines []string
	for _, f := range found {
		lines = append(lines, fmt.Sprintf("%s %s: %s", f.Severity, f.Code, f.Problem))
	}
	return strings.Join(lines, "\n")
}

// expect compares findings with lines: one finding for each, with its text in
// the problem or the fix.
func expect(t *testing.T, found []Finding, want ...string) {
	t.Helper()
	for _, f := range found {
		if f.Where == "" || f.Problem == "" || f.Reason == "" || f.Topic.rank() < 0 || f.Severity.rank() < 0 {
			t.Errorf("a finding is incomplete: %+v", f)
		}
		if strings.Contains(f.Problem+f.Reason+f.Fix, "%!") {
			t.Errorf("a finding has a formatting error: %+v", f)
		}
	}
	got := summary(found)
	if len(found) != len(want) {
		t.Fatalf("found %d, want %d:\n%s", len(found), len(want), got)
	}
	for _, w := range want {
		code, text, _ := strings.Cut(w, "|")
		if !slices.ContainsFunc(found, func(f Finding) bool {
			return string(f.Severity)+" "+f.Code == code && strings.Contains(f.Problem+" "+f.Fix, text)
		}) {
			t.Errorf("found\n%s\nand not %q", got, w)
		}
	}
}

func TestSortByTopicAndSeverity(t *testing.T) {
	found := []Finding{
		{Severity: Note, Topic: PoolTopic},
		{Severity: Error, Topic: TypeTopic},
		{Severity: Note, Topic: ConfigurationTopic},
		{Severity: Warning, Topic: ConfigurationTopic},
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
		{"a list", "filter_function", "capabilities.labels == 1", three(t, "", "", ""), []string{"error unsupported-value|is a list"}},
		{"text against a number", "filter_function", `capabilities.metrics_status < 3`, three(t, "", "", ""), []string{"error function-fails|on fa1"}},
		{"nothing passes", "filter_function", "capabilities.load_percent < 10", three(t, "", "", ""), []string{"warning filter-refuses-all|all of its 3 arrays", nullable}},
		{"text as a rating", "goodness_function", "capabilities.metrics_status", three(t, "", "", ""), []string{"error goodness-not-a-number|is ok, which is not a number"}},
		{"outside the range", "goodness_function", "capabilities.total_volumes", three(t, "", "", `{"total_volumes":50}`), []string{"warning goodness-out-of-range|fa1 700 and fa2 700", nullable}},
		{"all equal", "goodness_function", "50", three(t, "", "", ""), []string{"note goodness-constant|all 3 arrays 50"}},
		{"zero looks perfect", "goodness_function", "100 - " + write + " / 10", three(t, "", `{"usec_per_write_op":300}`, ""), []string{"warning goodness-highest-at-zero|scores 100 ", nullable}},
		{"zero is guarded against", "goodness_function", `(capabilities.metrics_status == "ok") ? (100 - ` + write + ` / 10) : 0`, three(t, "", `{"usec_per_write_op":300}`, ""), []string{nullable}},
		{"depends on the type", "filter_function", "extra.limit > capabilities.rating", three(t, `{"rating":1}`, `{"rating":1}`, `{"rating":1}`), nil},
		{"no report", "filter_function", "load < 3", nil, []string{"error bare-word|"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, Functions([]Function{{Option: c.option, Text: c.text, Where: "cinder.conf:3", Reports: c.reports}}), c.want...)
		})
	}
}

// TestFixWorks applies a fix and checks the function again.
func TestFixWorks(t *testing.T) {
	reports := three(t, "", `{"usec_per_write_op":300}`, "")
	f := Function{Option: "goodness_function", Text: "100 * (1 / max(capabilities.usec_per_write_op, 1))", Where: "x", Reports: reports}
	for _, found := range Functions([]Function{f}) {
		if found.Code != "goodness-highest-at-zero" {
			continue
		}
		_, fixed, _ := strings.Cut(found.Fix, " = ")
		again := f
		again.Text = fixed
		for _, left := range Functions([]Function{again}) {
			if left.Severity != Note {
				t.Errorf("with %s there is %+v", fixed, left)
			}
		}
		old, err := function.Compile(f.Text)
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := function.Compile(fixed)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := rate(old, &reports[0]), rate(compiled, &reports[0]); a != b || a == 0 {
			t.Errorf("the fix changes the score from %g to %g", a, b)
		}
		return
	}
	t.Error("there was no finding")
}

// TestFunctionsThatCinderMisreads: Cinder accepts each of these and evaluates
// something else than is written.
func TestFunctionsThatCinderMisreads(t *testing.T) {
	for text, want := range map[string]string{
		"5 > volume.size and volume.size > 1": "word-as-function",
		"sqrt(volume.size) < 5":               "unknown-function",
		"notable < 5":                         "split-word",
		"(1 < 2) and (2 < 3) and (3 < 4)":     "ignored-operand",
		"1 < 2 ? 3 : 4 ? 5 : 6":               "ignored-operand",
	} {
		found := Functions([]Function{{Option: "filter_function", Text: text}})
		var codes []string
		for _, f := range found {
			codes = append(codes, f.Code)
			if f.Problem == "" || f.Reason == "" || f.Fix == "" {
				t.Errorf("%s: a finding is incomplete: %+v", text, f)
			}
		}
		if len(codes) == 0 || codes[0] != want {
			t.Errorf("%s: found %q, want %s first", text, codes, want)
		}
	}
}
