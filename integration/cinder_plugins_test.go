//go:build integration

package integration

import (
	"cmp"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// TestEveryPluginOfCinderIsKnown makes an engine of each filter, weigher and handler that
// the installed Cinder has.
func TestEveryPluginOfCinderIsKnown(t *testing.T) {
	t.Parallel()
	python := cmp.Or(os.Getenv("POOLCAST_PYTHON"), "/usr/bin/python3")
	out, err := exec.CommandContext(t.Context(), python, "-W", "ignore", "cinder_plugins.py").Output()
	if err != nil {
		t.Fatalf("list the plug-ins of Cinder with %s: %v; apt-get install python3-cinder, or set POOLCAST_PYTHON to a Python that has it", python, err)
	}
	var plugins struct{ Filters, Weighers, Handlers []string }
	if err := json.Unmarshal(out, &plugins); err != nil {
		t.Fatal(err)
	}
	if len(plugins.Filters) != 9 || len(plugins.Weighers) != 5 || !slices.Equal(plugins.Handlers, []string{cinder.OrderedHandler, cinder.StochasticHandler}) {
		t.Errorf("Cinder has %+v", plugins)
	}
	if _, err := cinder.NewEngine(cinder.Options{Filters: plugins.Filters, Weighers: plugins.Weighers}); err != nil {
		t.Error(err)
	}
	for _, handler := range plugins.Handlers {
		if _, err := cinder.NewEngine(cinder.Options{Handler: handler}); err != nil {
			t.Error(err)
		}
	}
}
