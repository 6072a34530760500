package status

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"
)

// dashboard is what the tests read of a Grafana dashboard.
type dashboard struct {
	Panels []struct {
		Title   string
		Targets []struct{ Expr string }
	}
	Templating struct {
		List []struct{ Name, Definition string }
	}
}

// ruleFile is what the tests read of a file of alert or recording rules.
type ruleFile struct {
	Groups []struct {
		Rules []rule
	}
}

type rule struct {
	Alert, Record, Expr string
	Annotations         struct {
		Runbook string `yaml:"runbook_url"`
	}
}

func example(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// expressions are those of the examples, by where they stand.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal(example(t, "grafana/poolcast.json"), &d); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, p := range d.Panels {
		for i, target := range p.Targets {
			all["panel "+p.Title+" "+string(rune('A'+i))] = target.Expr
		}
	}
	for _, v := range d.Templating.List {
		if v.Definition != "" {
			all["variable "+v.Name] = v.Definition
		}
	}
	for _, r := range rules(t, "prometheus/alerts.yml") {
		all["alert "+r.Alert] = r.Expr
	}
	for _, r := range rules(t, "prometheus/rules.yml") {
		all["record "+r.Record] = r.Expr
	}
	if len(all) < 40 {
		t.Fatalf("only %d expressions were found", len(all))
	}
	return all
}

// rules are those of all groups of a file.
func rules(t *testing.T, name string) (all []rule) {
	t.Helper()
	var file ruleFile
	if err := yaml.Unmarshal(example(t, name), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// withoutRecorded removes the names that recording rules make; an unknown one is left.
func withoutRecorded(t *testing.T) *regexp.Regexp {
	t.Helper()
	var names []string
	for _, r := range rules(t, "prometheus/rules.yml") {
		names = append(names, regexp.QuoteMeta(r.Record))
	}
	return regexp.MustCompile(`\b(` + strings.Join(names, "|") + `)\b`)
}

// The dashboard, the alerts and the recording rules use metrics and labels that exist.
func TestExamplesUseMetricsThatExist(t *testing.T) {
	known, recorded := map[string][]string{}, withoutRecorded(t)
	for _, m := range Metrics() {
		known[m.Name] = m.Labels
	}
	metric := regexp.MustCompile(`\b(poolcast_[a-z_]+)(\{[^}]*\})?`)
	label := regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)\s*"`)
	used := map[string]bool{}
	for where, expr := range expressions(t) {
		if strings.Contains(where, "Memory") {
			continue // one of the process's own series, joined with ours
		}
		rest := recorded.ReplaceAllString(expr, "")
		found := metric.FindAllStringSubmatch(rest, -1)
		if len(found) == 0 && rest == expr {
			t.Errorf("%s has no metric of ours: %s", where, expr)
		}
		for _, m := range found {
			labels, ok := known[m[1]]
			if !ok {
				t.Errorf("%s: there is no %s", where, m[1])
			}
			for _, l := range label.FindAllStringSubmatch(m[2], -1) {
				if !slices.Contains(labels, l[1]) {
					t.Errorf("%s: %s has no label %s", where, m[1], l[1])
				}
			}
			used[m[1]] = true
		}
	}
	if len(used) < len(known)*3/4 {
		t.Errorf("the examples use %d of %d metrics", len(used), len(known))
	}
}

// The page that maps the metrics of the vendor's exporters to ours names metrics that
// exist, each of the exporters' once, and every metric of ours that has no report.
func TestExporterPageNamesMetricsThatExist(t *testing.T) {
	text := string(example(t, "exporter-metrics.md"))
	known := map[string]bool{}
	for _, m := range Metrics() {
		known[m.Name] = true
	}
	named := map[string]bool{}
	for _, name := range regexp.MustCompile(`poolcast_[a-z]+_[a-z_]+`).FindAllString(text, -1) {
		if !known[name] {
			t.Errorf("there is no %s", name)
		}
		named[name] = true
	}
	for _, m := range conditionMetrics() {
		if !named[m.Name] {
			t.Errorf("%s is not named", m.Name)
		}
	}
	_, tables, _ := strings.Cut(text, "## Metrics of the exporter\n")
	openMetrics, before, ok := strings.Cut(tables, "## Names of the exporter before it\n")
	row := regexp.MustCompile("(?m)^\\| `(purefa_[a-z_]+)` \\|")
	for table, want := range map[string]int{openMetrics: 60, before: 28} {
		rows := map[string]bool{}
		for _, m := range row.FindAllStringSubmatch(table, -1) {
			if rows[m[1]] {
				t.Errorf("%s has two rows", m[1])
			}
			rows[m[1]] = true
		}
		if !ok || len(rows) != want {
			t.Errorf("a table has %d metrics of an exporter, want %d", len(rows), want)
		}
	}
}

// An array costs Prometheus a bounded number of series, whatever it holds.
func TestSeriesPerArrayAreFew(t *testing.T) {
	registry := prometheus.NewRegistry()
	if err := registry.Register(newViewCollector(fixed(troubledView()))); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := 0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "backend" && l.GetValue() == "fa_01" {
					series++
				}
			}
		}
	}
	const (
		others    = 16 // info, polls, requests by status, ages, skews, virtual capacity
		condition = 24 // alerts by severity, two controllers, what occurs of each status
	)
	if limit := len(measured()) + others + condition; series == 0 || series > limit || limit > 60 {
		t.Errorf("%d series of one array, want at most %d and no more than 60", series, limit)
	}
}

// The chapter exists that an alert links to.
func TestRunbookLinks(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	plain := regexp.MustCompile(`[^a-z0-9 _-]`)
	anchors := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			anchor := plain.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			anchors[strings.ReplaceAll(anchor, " ", "-")] = true
		}
	}
	links := 0
	for _, r := range rules(t, "prometheus/alerts.yml") {
		if r.Annotations.Runbook == "" {
			continue
		}
		links++
		page, anchor, _ := strings.Cut(r.Annotations.Runbook, "#")
		if page != "https://github.com/poolcast/poolcast/blob/main/OPERATIONS.md" || !anchors[anchor] {
			t.Errorf("%s links to %s, which does not exist", r.Alert, r.Annotations.Runbook)
		}
	}
	if links < 4 {
		t.Errorf("%d alerts have a link", links)
	}
}
