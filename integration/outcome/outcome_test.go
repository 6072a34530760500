//go:build outcome

package outcome

import (
	"os"
	"strconv"
	"testing"
)

func TestTry(t *testing.T) {
	var schedulers []Scheduler
	for range 2 {
		c, err := StartCinder(t.Context(), os.Getenv("POOLCAST_PYTHON"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		schedulers = append(schedulers, c)
	}
	n, _ := strconv.Atoi(os.Getenv("SEEDS"))
	settings := AllSettings()
	if s := os.Getenv("SETTING"); s != "" {
		settings = []Setting{Setting(s)}
	}
	study := Study{Scenarios: Scenarios()[:1], Settings: settings, Seeds: n}
	if os.Getenv("ALL") != "" {
		study.Scenarios = Scenarios()
	}
	results, err := study.Simulate(t.Context(), schedulers, nil)
	if err != nil {
		t.Fatal(err)
	}
	results.write(os.Stdout, study.Scenarios, settings)
	if os.Getenv("ALL") != "" {
		results.WriteScenarios(os.Stdout)
	}
}
