package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/integration/openapi"
)

// published are three stanzas as published articles have them, with more lines of
// [poolcast].
func published(t *testing.T, poolcast string) (conf string) {
	t.Helper()
	text := "[DEFAULT]\nhost = ctl1\nenabled_backends = flasharray_x_01,flasharray_x_02,flasharray_x_03\ntransport_url = rabbit://u:p@127.0.0.1:1/\n"
	for _, n := range []string{"1", "2", "3"} {
		text += "[flasharray_x_0" + n + "]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\nvolume_backend_name = pure_performance\n" +
			"san_ip = 10.21.0.1" + n + "\npure_api_token = x\n" +
			`extra_capabilities = {"array_model": "FlashArray//X", "avg_latency_ms": 0.35, "dedupe_ratio": 4.5, "total_volumes": 5}` + "\n"
	}
	conf = t.TempDir() + "/cinder.conf"
	write(t, conf, text+"[poolcast]\npoll_interval = 3s\n"+poolcast)
	return conf
}

// types has one volume type, with conditions on labels and a filter function in none.
func labelTypes(t *testing.T) string {
	t.Helper()
	file := t.TempDir() + "/types.json"
	write(t, file, `{"volume_types":[{"name":"fast","extra_specs":{"volume_backend_name":"pure_performance","avg_latency_ms":"<= 0.5","total_volumes":"<= 800"}}]}`)
	return file
}

// onLabels runs a command on simulated arrays.
func onLabels(t *testing.T, conf string, args ...string) (stdout string, code int) {
	t.Helper()
	var out, errs strings.Builder
	root := newRootCommand()
	root.SetArgs(append(args, "--config-file", conf, "--simulate"))
	root.SetOut(&out)
	root.SetErr(&errs)
	err := root.ExecuteContext(t.Context())
	if !strings.Contains(errs.String(), "simulated arrays: the numbers are not those of your arrays") && args[0] != "check" {
		t.Errorf("%v does not say that the arrays are simulated: %s", args, &errs)
	}
	return strings.Join(strings.Fields(out.String()), " "), exitCode(err)
}

func TestLabelsAreMarkedInEveryAnswer(t *testing.T) {
	conf, types := published(t, ""), labelTypes(t)
	const (
		latency   = "avg_latency_ms 0.35 is a label of cinder.conf; measured: flasharray_x_01 0."
		oneOf     = "avg_latency_ms 0.35 of flasharray_x_01 is a label of cinder.conf; measured 0."
		volumes   = "total_volumes 5 is a label of cinder.conf; measured: flasharray_x_01 9"
		remedy    = "dd avg_latency_ms, total_volumes to live_capabilities in [poolcast], and the measurements count"
		simulated = "Simulated arrays: the numbers are not those of your arrays."
		property  = "avg_latency_ms=<= 0.5"
	)
	for name, c := range map[string]struct {
		args []string
		want []string
		no   string
	}{
		"place":      {[]string{"place", "--size", "1", "--types", types, "--type", "fast"}, []string{latency, volumes, remedy, simulated}, "dedupe_ratio"},
		"no label":   {[]string{"place", "--size", "1", "--property", "usec_per_read_op=<= 9000"}, []string{simulated}, "label of cinder.conf"},
		"negated":    {[]string{"place", "--size", "1", "--property", "avg_latency_ms=<= 0.1"}, []string{latency, "avg_latency_ms 0.35 is not <= 0.1"}, ""},
		"extend":     {[]string{"place", "--extend", "flasharray_x_01", "--from-size", "1", "--size", "2", "--property", property}, []string{oneOf}, "flasharray_x_02 0."},
		"migrate":    {[]string{"place", "--migrate-from", "flasharray_x_02", "--to", "flasharray_x_01", "--size", "1", "--property", property}, []string{oneOf}, ""},
		"retype":     {[]string{"place", "--retype-of", "flasharray_x_02", "--size", "1", "--types", types, "--type", "fast"}, []string{latency}, ""},
		"many":       {[]string{"place", "--size", "1", "--count", "2", "--property", property}, []string{latency}, ""},
		"json":       {[]string{"place", "--size", "1", "--property", property, "-o", "json"}, []string{`"labels": { "avg_latency_ms": { "value": 0.35, "measured": 0.`, `"simulated": true`, latency}, "dedupe_ratio"},
		"many json":  {[]string{"place", "--size", "1", "--count", "2", "--property", property, "-o", "json"}, []string{`"labels": { "avg_latency_ms": { "value": 0.35, "measured": 0.`}, ""},
		"rehearse":   {[]string{"rehearse", "--size", "1", "--types", types, "--type", "fast", "--settings", "current"}, []string{latency, volumes, remedy, simulated}, ""},
		"pools":      {[]string{"pools"}, []string{volumes, "add total_volumes to live_capabilities", simulated}, "avg_latency_ms"},
		"pools json": {[]string{"pools", "-o", "json"}, []string{`"total_volumes": { "value": 5, "measured": 9`, `"simulated": true`}, ""},
		"check":      {[]string{"check", "--types", types}, []string{"avg_latency_ms is pinned: flasharray_x_01 0.35 (measured 0.", latency, volumes, "A" + remedy, simulated}, "excludes none"},
		"prefer":     {[]string{"prefer", "--types", types}, []string{volumes, simulated}, "avg_latency_ms 0.35"},
		"dry run":    {[]string{"--dry-run"}, []string{`"labels": { "avg_latency_ms": { "value": 0.35, "measured": 0.`, `"simulated": true`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := onLabels(t, conf, c.args...)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("%v lacks %q:\n%s", c.args, want, got)
				}
			}
			if c.no != "" && strings.Contains(got, c.no) {
				t.Errorf("%v has %q:\n%s", c.args, c.no, got)
			}
		})
	}
}

// TestLabelAdviceIsApplied writes what the note says into [poolcast]: the measurement
// counts, and no label is left.
func TestLabelAdviceIsApplied(t *testing.T) {
	args := []string{"place", "--size", "1", "--types", labelTypes(t), "--type", "fast"}
	if before, code := onLabels(t, published(t, ""), args...); code != exit.OK || !strings.Contains(before, "add avg_latency_ms, total_volumes to live_capabilities in [poolcast]") {
		t.Errorf("before: %d: %s", code, before)
	}
	after, code := onLabels(t, published(t, "live_capabilities = avg_latency_ms, total_volumes\n"), args...)
	if code != exit.OK || strings.Contains(after, "label of cinder.conf") || !strings.Contains(after, "refused by CapabilitiesFilter: avg_latency_ms 0.") || !strings.Contains(after, "is not <= 800") {
		t.Errorf("after: %d: %s", code, after)
	}
}

// TestLabelsOfASavedRun: a saved dry run has the measurements; what the API lists has
// none, and cinder.conf of this host says which numbers are labels.
func TestLabelsOfASavedRun(t *testing.T) {
	conf := published(t, "")
	var out strings.Builder
	root := newRootCommand()
	root.SetArgs([]string{"--dry-run", "--simulate", "--config-file", conf})
	root.SetOut(&out)
	root.SetErr(new(strings.Builder))
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	saved := t.TempDir() + "/reports.json"
	write(t, saved, out.String())
	place := func(source string) string {
		var out, errs strings.Builder
		root := newRootCommand()
		root.SetArgs([]string{"place", "--size", "1", "--property", "avg_latency_ms=<= 0.5", "--config-file", conf, "--source", source})
		root.SetOut(&out)
		root.SetErr(&errs)
		if err := root.ExecuteContext(t.Context()); err != nil {
			t.Errorf("place --source %s: %v", source, err)
		}
		return strings.Join(strings.Fields(out.String()), " ")
	}
	if got := place(saved); !strings.Contains(got, "is a label of cinder.conf; measured: flasharray_x_01 0.") || !strings.Contains(got, "Simulated arrays:") {
		t.Errorf("on the saved run: %s", got)
	}
	types := labelTypes(t)
	for _, output := range []string{"table", "json"} {
		got, code := onLabels(t, conf, "diff", "--base", saved, "--types", types, "--output", output)
		if code != exit.OK || !strings.Contains(got, "avg_latency_ms 0.35 is a label of cinder.conf; measured: flasharray_x_01 0.") {
			t.Errorf("diff: %d %s", code, got)
		}
	}
	listed := t.TempDir() + "/pools.json"
	write(t, listed, `{"pools":[{"name":"ctl1@flasharray_x_01#pure_performance","capabilities":{"volume_backend_name":"pure_performance","total_capacity_gb":100.0,"free_capacity_gb":90.0,"avg_latency_ms":0.35}},
		{"name":"ctl1@flasharray_x_02#pure_performance","capabilities":{"volume_backend_name":"pure_performance","total_capacity_gb":100.0,"free_capacity_gb":90.0,"avg_latency_ms":0.31}}]}`)
	if got := place(listed); !strings.Contains(got, "avg_latency_ms 0.35 of flasharray_x_01 is a label of cinder.conf; what is measured is not known here") {
		t.Errorf("on the list: %s", got)
	}
}

// TestAgentMarksLabels asks a running agent: its page, its API, and place on it.
func TestAgentMarksLabels(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	e.configure(1, `extra_capabilities = {"avg_latency_ms": 0.01}`)
	conf, err := os.ReadFile(e.path("cinder.conf"))
	if err != nil {
		t.Fatal(err)
	}
	e.write("cinder.conf", strings.Replace(string(conf), "listen = off", "listen = 127.0.0.1:0", 1))
	log, _ := e.agent("--simulate")
	a := &apiClient{t: t, base: "http://" + e.pageAddress(log), client: &http.Client{Timeout: maxWait}}
	a.reported(e)
	_, _, text := a.get("/v1/openapi.yaml")
	spec, err := openapi.Parse(text, openapi.Options{})
	if err != nil {
		t.Fatal(err)
	}
	query := "?size=1&property=" + url.QueryEscape("avg_latency_ms=<= 0.05")
	for path, want := range map[string]string{
		"/v1/reports":       `"avg_latency_ms":{"value":0.01,"measured":0.`,
		"/v1/effective":     `"avg_latency_ms":{"value":0.01,"measured":0.`,
		"/v1/place" + query: `avg_latency_ms 0.01 of fa0 is a label of cinder.conf; measured 0.`,
		"/" + query:         "avg_latency_ms 0.01 of fa0 is a label of cinder.conf; measured 0.",
		"/":                 "Simulated arrays: the numbers are not those of your arrays.",
	} {
		code, kind, body := a.get(path)
		if got := strings.ReplaceAll(string(body), " ", ""); code != http.StatusOK || !strings.Contains(got, strings.ReplaceAll(want, " ", "")) {
			t.Errorf("%s: %d lacks %q: %s", path, code, want, body)
		}
		if strings.HasPrefix(path, "/v1/") {
			bare, _, _ := strings.Cut(path, "?")
			for _, fault := range spec.Faults(http.MethodGet, bare, code, kind, body) {
				t.Errorf("%s: %s", path, fault)
			}
		}
		if !json.Valid(body) && strings.HasPrefix(path, "/v1/") {
			t.Errorf("%s is no JSON", path)
		}
	}
	out, errs, code := e.command("place", "--size", "1", "--property", "avg_latency_ms=<= 0.05", "--agent", a.base)
	if got := strings.Join(strings.Fields(out), " "); code != exit.OK || !strings.Contains(got, "avg_latency_ms 0.01 of fa0 is a label of cinder.conf; measured 0.") || !strings.Contains(got, "Simulated arrays:") {
		t.Errorf("place --agent: %d %s\n%s", code, out, errs)
	}
}
