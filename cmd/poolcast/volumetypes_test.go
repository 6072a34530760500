package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
)

// withoutSource is a decision without what it was made on, which has ages.
func withoutSource(t *testing.T, text string) map[string]any {
	t.Helper()
	var d map[string]any
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("read a decision: %v\n%s", err, text)
	}
	delete(d, "source")
	return d
}

// TestVolumeTypesOfThePage: a request with a type of the file volume_types has the same
// decision as poolcast place --types; the file is read again when it changes, and one
// with a fault leaves the types as they were.
func TestVolumeTypesOfThePage(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 2)
	e.configure(2)
	page := e.listenOnFreePort()
	e.edit("[poolcast]", "default_volume_type = silver\n[poolcast]\nvolume_types = "+e.path("types.json"))
	write := func(types string) { e.write("types.json", types) }
	write(`[{"Name":"gold","Properties":{"volume_backend_name":"gold","capabilities:total_volumes":"<= 1000000"}},
		{"Name":"none","Properties":{"volume_backend_name":"nowhere","thin_provisioning_support":"<is> True"}},
		{"Name":"silver","Properties":{"capabilities:total_volumes":"<= 6"}},
		{"Name":"martian","Properties":{"RESKEY:availability_zones":"mars"}}]`)
	log, _ := e.agent()
	e.await("a report of each array", func() bool {
		_, text := e.get(page + "/v1/reports")
		return strings.Count(text, `"collected_at"`) == 2
	})
	for name, args := range map[string][]string{
		"gold":                {"--type", "gold"},
		"gold and more":       {"--type", "gold", "--property", "capabilities:total_volumes=<= 5"},
		"refused":             {"--type", "none"},
		"refused by the API":  {"--type", "martian"},
		"default_volume_type": nil,
		"property alone":      {"--property", "volume_backend_name=gold"},
	} {
		query := url.Values{"size": {"10"}}
		for i := 0; i < len(args); i += 2 {
			query.Set(map[string]string{"--type": "volume_type", "--property": "property"}[args[i]], args[i+1])
		}
		code, got := e.get(page + "/v1/place?" + query.Encode())
		command := append([]string{"place", "--agent", page, "--types", e.path("types.json"), "--size", "10", "--output", "json"}, args...)
		want, stderr, end := e.command(command...)
		if code != http.StatusOK || end != exit.OK && end != exit.NoFit {
			t.Fatalf("%s: %d %s; the command ended with %d: %s", name, code, got, end, stderr)
		}
		want = strings.ReplaceAll(want, `"of --property"`, `"of the form"`)
		if diff := cmp.Diff(withoutSource(t, want), withoutSource(t, got)); diff != "" {
			t.Errorf("%s (-poolcast place +/v1/place):\n%s", name, diff)
		}
	}
	if code, text := e.get(page + "/v1/place?size=1&volume_type=glod"); code != http.StatusBadRequest || !strings.Contains(text, "did you mean gold?") {
		t.Errorf("an unknown type: %d %s", code, text)
	}

	write("+----+")
	e.await("the fault on the page", func() bool {
		_, text := e.get(page + "/")
		return strings.Contains(text, "it is a table: add -f json") && strings.Contains(text, "<option>martian</option>")
	})
	e.await("the fault in the log", log.has("volume_types cannot be used, the types that were read before stay"))
	if err := os.Remove(e.path("types.json")); err != nil {
		t.Fatal(err)
	}
	write(`[{"Name":"copper","Properties":{}}]`)
	e.await("the new types", func() bool {
		_, text := e.get(page + "/?size=1&volume_type=copper#place")
		return strings.Contains(text, "<option selected>copper</option>") && !strings.Contains(text, "add -f json")
	})
}
