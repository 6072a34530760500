//go:build integration

package integration

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// TestStochasticChances compares the chances of a decision with the shares in which
// Cinder's own handler chooses each backend over a grid of all draws.
func TestStochasticChances(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	cases := [][]float64{{10, 30, 60}, {-10, -30}, {-10, 30, -5, 25}, {-30, 10, -80}, {0, 0}, {-1, 3, -2}, {1e-9, 1}, {7}}
	for range 60 {
		weights := make([]float64, 2+random.IntN(6))
		for i := range weights {
			weights[i] = random.NormFloat64()*50 + random.Float64()*100
		}
		cases = append(cases, weights)
	}
	const steps = 20000 // of stochastic.py
	for n, shares := range stochasticShares(t, cases) {
		for i, chance := range chancesOf(t, cases[n]) {
			if limit := float64(len(shares)+1) / steps; math.Abs(chance-shares[i]) > limit {
				t.Errorf("%v: backend %d has a chance of %v, Cinder chooses it in a share of %v", cases[n], i, chance, shares[i])
			}
		}
	}
}

func stochasticShares(t *testing.T, cases [][]float64) [][]float64 {
	t.Helper()
	question, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	python := cmp.Or(os.Getenv("POOLCAST_PYTHON"), "/usr/bin/python3")
	cmd := exec.CommandContext(t.Context(), python, "-W", "ignore", "stochastic.py")
	var errs strings.Builder
	cmd.Stdin, cmd.Stderr = bytes.NewReader(question), &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run Cinder's handler with %s: %v; apt-get install python3-cinder, or set POOLCAST_PYTHON to a Python that has it\n%s", python, err, errs.String())
	}
	var shares [][]float64
	if err := json.Unmarshal(out, &shares); err != nil {
		t.Fatal(err)
	}
	return shares
}

// chancesOf are those of backends with these weights under the handler.
func chancesOf(t *testing.T, weights []float64) []float64 {
	t.Helper()
	given := placement.WeigherFunc(func(_ placement.Request, b *placement.Backend) (float64, error) { return weights[b.Index()], nil })
	o := cinder.Options{Filters: []string{}, Weighers: []string{"Given"}, Handler: cinder.StochasticHandler}
	engine, err := cinder.NewEngine(o, placement.WithWeigher("Given", given))
	if err != nil {
		t.Fatal(err)
	}
	reports := make([]capability.Report, len(weights))
	for i := range reports {
		reports[i].Host = "h@" + string(rune('a'+i))
	}
	d, err := engine.Decide(reports, cinder.Request{Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	chances := make([]float64, len(weights))
	for i := range d.Verdicts {
		v := &d.Verdicts[i]
		switch {
		case v.Chance != nil:
			chances[v.Backend.Index()] = *v.Chance
		case len(weights) == 1:
			chances[0] = 1
		default:
			t.Fatalf("%v: %s has no chance", weights, v.Backend.ID())
		}
	}
	return chances
}
