package outcome

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"gonum.org/v1/gonum/stat"
)

// Study is what is compared: each scenario with each setting and arm, with the same
// seeds.
type Study struct {
	Scenarios []Scenario
	Settings  []Setting
	Seeds     int // 1 to this
	// Limit ends a study early: no seed is begun after it, but the first two. 0 is none.
	Limit time.Duration
}

// Case is a run of a study.
type Case struct {
	Scenario string
	Setting  Setting
	Arm      Arm
	Seed     uint64
}

// Results are the figures of all runs of a study.
type Results struct {
	Study
	Figures map[Case]Figures
	// Forecasts are those of the bursts, by case.
	Forecasts map[Case][]Forecast
}

// NewResults are those of a study before its first run.
func NewResults(s Study) Results {
	return Results{Study: s, Figures: map[Case]Figures{}, Forecasts: map[Case][]Forecast{}}
}

// Add adds a run.
func (r Results) Add(run Run) {
	c := Case{run.Scenario, run.Setting, run.Arm, run.Seed}
	r.Figures[c] = run.Figures()
	if run.Forecasts != nil {
		r.Forecasts[c] = run.Forecasts
	}
}

// Simulate runs a study in virtual time, with as many workers as there are schedulers.
// Each run is given to keep, which may be nil, one at a time. The study of the results
// has the seeds that were run.
func (s Study) Simulate(ctx context.Context, schedulers []Scheduler, keep func(Run)) (Results, error) {
	results := NewResults(s)
	var mu sync.Mutex
	var failures []error
	work := make(chan func(Scheduler) (Run, error))
	var workers sync.WaitGroup
	for _, scheduler := range schedulers {
		workers.Go(func() {
			for do := range work {
				run, err := do(scheduler)
				mu.Lock()
				if err != nil {
					failures = append(failures, err)
				} else {
					results.Add(run)
					if keep != nil {
						keep(run)
					}
				}
				mu.Unlock()
			}
		})
	}
	begin, completed := time.Now(), 0
	s.each(func(scenario Scenario, c Case) {
		if ctx.Err() == nil && s.source(c) == c {
			work <- func(x Scheduler) (Run, error) { return Simulate(ctx, scenario, c, x) }
		}
	}, func(seeds int) bool {
		completed = seeds
		return s.Limit > 0 && seeds > 1 && time.Since(begin) >= s.Limit
	})
	close(work)
	workers.Wait()
	results.Seeds = completed
	results.each(func(_ Scenario, c Case) { results.Figures[c] = results.Figures[s.source(c)] }, nil)
	if err := ctx.Err(); err != nil {
		failures = append(failures, fmt.Errorf("simulate: %w", err))
	}
	return results, errors.Join(failures...)
}

// source is the case that is run for a case: its twin, if the study has that too.
func (s Study) source(c Case) Case {
	if twin := c.twin(); slices.Contains(s.Settings, twin.Setting) {
		return twin
	}
	return c
}

// each calls f for every case, until enough, unless it is nil, is true of the number of
// seeds so far.
func (s Study) each(f func(Scenario, Case), enough func(seeds int) bool) {
	for seed := range s.Seeds {
		for _, scenario := range s.Scenarios {
			for _, setting := range s.Settings {
				for _, arm := range Arms() {
					f(scenario, Case{scenario.Name, setting, arm, uint64(seed) + 1})
				}
			}
		}
		if enough != nil && enough(seed+1) {
			return
		}
	}
}

// values are a measure by seed: the mean over scenarios.
func (r Results) values(scenarios []Scenario, setting Setting, arm Arm, m Measure) []float64 {
	values := make([]float64, r.Seeds)
	for i := range values {
		for _, s := range scenarios {
			values[i] += r.Figures[Case{s.Name, setting, arm, uint64(i) + 1}][m] / float64(len(scenarios))
		}
	}
	return values
}

// Row is a measure in the three arms.
type Row struct {
	Setting Setting
	Measure Measure
	Mean    map[Arm]float64
	Against map[Arm]Difference // of poolcast, to each stock arm
}

// Row compares a measure over some scenarios.
func (r Results) Row(scenarios []Scenario, setting Setting, m Measure) Row {
	row := Row{setting, m, map[Arm]float64{}, map[Arm]Difference{}}
	poolcast := r.values(scenarios, setting, Poolcast, m)
	for _, arm := range Arms() {
		values := r.values(scenarios, setting, arm, m)
		row.Mean[arm] = stat.Mean(values, nil)
		if arm != Poolcast {
			row.Against[arm] = Compare(values, poolcast)
		}
	}
	return row
}
