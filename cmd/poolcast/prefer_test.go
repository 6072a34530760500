package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
)

// typesFile writes volume types as the openstack client lists them.
func typesFile(t *testing.T, types map[string]map[string]string) string {
	t.Helper()
	var rows []map[string]any
	for name, specs := range types {
		rows = append(rows, map[string]any{"Name": name, "Properties": specs})
	}
	data, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "types.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func goldType(t *testing.T, specs ...string) string {
	t.Helper()
	all := map[string]string{"volume_backend_name": "pure_performance", "capabilities:total_volumes": "<= 301", "writes_per_sec": "<= 40000"}
	for i := 0; i < len(specs); i += 2 {
		all[specs[i]] = specs[i+1]
	}
	return typesFile(t, map[string]map[string]string{"gold": all})
}

func TestPreferPrints(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"prefer":          {[]string{"prefer", "--types", goldType(t)}, exit.OK},
		"prefer-separate": {[]string{"prefer", "--types", goldType(t), "--type", "gold", "--separate"}, exit.OK},
		"prefer-not":      {[]string{"prefer", "--types", goldType(t, "usec_per_write_op", "<1000")}, exit.Partial},
		"prefer-json":     {[]string{"prefer", "--types", goldType(t), "--output", "json"}, exit.OK},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := onExamples(t, c.args...)
			if code != c.code {
				t.Errorf("exit code %d, want %d: %s", code, c.code, stderr)
			}
			golden(t, name+".golden", stdout)
		})
	}
}

func TestPreferUsageErrors(t *testing.T) {
	plain := typesFile(t, map[string]map[string]string{"plain": {"volume_backend_name": "pure_performance"}})
	for want, c := range map[string]struct {
		args []string
		code int
	}{
		"at least one of the flags in the group [types os-cloud]":     {[]string{"prefer"}, exit.Usage},
		"[os-cloud types] were all set":                               {[]string{"prefer", "--types", plain, "--os-cloud", "prod"}, exit.Usage},
		"--type: unknown type golt: the list has gold":                {[]string{"prefer", "--types", goldType(t), "--type", "golt"}, exit.Usage},
		"no condition on a live metric in type plain":                 {[]string{"prefer", "--types", plain, "--type", "plain"}, exit.Usage},
		"no condition on a live metric in 1 volume type; there is no": {[]string{"prefer", "--types", plain}, exit.Usage},
		"--size 0: want a whole number of GiB":                        {[]string{"prefer", "--types", plain, "--size", "0"}, exit.Usage},
		"no such file":                                                {[]string{"prefer", "--types", "absent.json"}, exit.Usage},
	} {
		if _, stderr, code := onExamples(t, c.args...); code != c.code || !strings.Contains(stderr, want) {
			t.Errorf("%v ended with %d and %q, want %d and %q", c.args, code, stderr, c.code, want)
		}
	}
}

// TestPlaceNamesPrefer: the next step is named only where limits on live metrics are the
// reason.
func TestPlaceNamesPrefer(t *testing.T) {
	const next = "poolcast prefer --types"
	types := goldType(t, "capabilities:total_volumes", "<= 7")
	_, stderr, code := onExamples(t, "place", "--size", "100", "--types", types, "--type", "gold")
	if code != exit.NoFit || !strings.Contains(stderr, next+" "+types+" --type gold prints settings") {
		t.Errorf("ended with %d: %s", code, stderr)
	}
	_, stderr, code = onExamples(t, "place", "--size", "99999999", "--types", types, "--type", "gold")
	if code != exit.NoFit || strings.Contains(stderr, next) {
		t.Errorf("without room it ended with %d: %s", code, stderr)
	}
}

// TestWithoutReport: a disabled backend is not in the scheduler's list, and the settings
// leave it out.
func TestWithoutReport(t *testing.T) {
	cfg := &config.Config{Backends: []config.Backend{{Host: "c@fa1", Stanza: "fa1"}, {Host: "c@fa2", Cluster: "k@fa2", Stanza: "fa2"}, {Host: "c@fa3", Stanza: "fa3"}}}
	set := &backends.Set{Reports: []capability.Report{{Host: "c@fa1"}, {Host: "k@fa2"}}}
	if got := set.WithoutReport(cfg); len(got) != 1 || !strings.HasPrefix(got[0], "fa3 is configured here") {
		t.Errorf("the limits are %q", got)
	}
}
