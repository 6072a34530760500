package cinder

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/internal/vectors"
)

// TestCinderVectors compares the results of all vectors with Cinder's own.
// Package function has those of kind evaluate.
func TestCinderVectors(t *testing.T) {
	files, err := vectors.Read("testdata")
	if err != nil {
		t.Fatal(err)
	}
	checks := map[string]func(json.RawMessage) error{
		"decide": checkDecide, "sequence": checkSequence, "match": checkMatch,
	}
	agreed, total := map[string]int{}, map[string]int{}
	for _, f := range files {
		check := checks[f.Kind]
		if check == nil && f.Kind != "evaluate" {
			t.Errorf("%s: unknown kind %q", f.Name, f.Kind)
		}
		for i := 0; check != nil && i < len(f.Cases); i++ {
			total[f.Kind]++
			if err := check(f.Cases[i]); err != nil {
				t.Errorf("%s: %s %d: %v", f.Name, f.Kind, i, err)
				continue
			}
			agreed[f.Kind]++
		}
	}
	for kind := range checks {
		fmt.Printf("%s: %d of %d agree\n", kind, agreed[kind], total[kind])
		if total[kind] == 0 {
			t.Errorf("there are no vectors of kind %s", kind)
		}
	}
}

func checkMatch(raw json.RawMessage) error {
	var c struct {
		Value       capability.Value
		Requirement *string
		Expect      any
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	r := NullRequirement()
	if c.Requirement != nil {
		r = CompileRequirement(*c.Requirement)
	}
	got, err := r.match(c.Value)
	want, ok := c.Expect.(bool)
	switch {
	case ok && err != nil:
		return fmt.Errorf("%s: %w", raw, err)
	case ok && got != want:
		return fmt.Errorf("%s: got %v", raw, got)
	case !ok && (got || err == nil): // an error is expected
		return fmt.Errorf("%s: got %v, want %v", raw, got, c.Expect)
	}
	return nil
}

// vectorOptions are the scheduler's settings of a case.
type vectorOptions struct {
	Filters   []string `json:"scheduler_default_filters"`
	Weighers  []string `json:"scheduler_default_weighers"`
	Capacity  float64  `json:"capacity_weight_multiplier"`
	Allocated float64  `json:"allocated_capacity_weight_multiplier"`
	Ratio     string   `json:"max_over_subscription_ratio"`
}

// UnmarshalJSON starts from Cinder's defaults.
func (o *vectorOptions) UnmarshalJSON(data []byte) error {
	type plain vectorOptions
	defaults := plain{Capacity: 1, Allocated: -1}
	if err := json.Unmarshal(data, &defaults); err != nil {
		return err
	}
	*o = vectorOptions(defaults)
	return nil
}

func (o vectorOptions) engine() (*placement.Engine, error) {
	return NewEngine(Options{
		Filters: o.Filters, Weighers: o.Weighers, MaxOverSubscriptionRatio: o.Ratio,
		Multipliers: map[string]float64{CapacityWeigher: o.Capacity, AllocatedCapacityWeigher: o.Allocated},
	})
}

type vectorBackend struct {
	Host         string
	Cluster      string         `json:"cluster_name"`
	Zone         string         `json:"availability_zone"`
	Capabilities capability.Set `json:"capabilities"`
}

// vectorPlace is what decide and sequence have in common.
type vectorPlace struct {
	Options  vectorOptions
	Backends []vectorBackend
}

func (p *vectorPlace) start() (*placement.Engine, *placement.Snapshot, error) {
	engine, err := p.Options.engine()
	if err != nil {
		return nil, nil, err
	}
	reports := make([]capability.Report, len(p.Backends))
	for i, b := range p.Backends {
		reports[i] = capability.Report{Host: b.Host, Cluster: b.Cluster, Zone: b.Zone, Capabilities: b.Capabilities}
	}
	return engine, NewSnapshot(reports), nil
}

// pair is a JSON array of two.
type pair[A, B any] struct {
	first  A
	second B
}

func (p *pair[A, B]) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&p.first, &p.second})
}

func checkDecide(raw json.RawMessage) error {
	var c struct {
		vectorPlace
		Request Request
		Expect  struct {
			Survivors []pair[string, []string]
			Weighed   []pair[string, float64]
			Error     any
		}
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	d, err := c.decide(&c.Request)
	if c.Expect.Error != nil {
		if err == nil {
			return fmt.Errorf("got a decision, Cinder has %v", c.Expect.Error)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if err := compareSurvivors(d, c.Expect.Survivors); err != nil {
		return err
	}
	return compareWeights(d, c.Expect.Weighed)
}

func (p *vectorPlace) decide(r *Request) (*placement.Decision, error) {
	engine, snapshot, err := p.start()
	if err != nil {
		return nil, err
	}
	d, err := engine.DecideOn(snapshot, r)
	if errors.Is(err, placement.ErrNoPool) {
		err = nil
	}
	return d, err
}

func compareSurvivors(d *placement.Decision, want []pair[string, []string]) error {
	left := slices.Clone(d.Verdicts)
	slices.SortFunc(left, func(a, b placement.Verdict) int { return a.Backend.Index() - b.Backend.Index() })
	for _, stage := range want {
		left = slices.DeleteFunc(left, func(v placement.Verdict) bool { return v.RefusedBy == stage.first })
		ids := []string{}
		for _, v := range left {
			ids = append(ids, v.Backend.ID())
		}
		if !slices.Equal(ids, stage.second) {
			return fmt.Errorf("after %s %q, Cinder has %q", stage.first, ids, stage.second)
		}
	}
	if len(left) != d.Fit {
		return fmt.Errorf("%d fit, and %d after the filters of Cinder", d.Fit, len(left))
	}
	return nil
}

func compareWeights(d *placement.Decision, want []pair[string, float64]) error {
	if d.Fit != len(want) {
		return fmt.Errorf("%d fit, Cinder has %d", d.Fit, len(want))
	}
	for i, v := range d.Verdicts[:d.Fit] {
		near := math.Abs(v.Total-want[i].second) <= 1e-9*math.Max(1, math.Abs(want[i].second))
		if v.Backend.ID() != want[i].first || !near {
			return fmt.Errorf("rank %d is %s with %v, Cinder has %v", i+1, v.Backend.ID(), v.Total, want[i])
		}
	}
	return nil
}

func checkSequence(raw json.RawMessage) error {
	var c struct {
		vectorPlace
		Requests []Request
		Expect   struct {
			Chosen []*string
			Error  any
		}
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	chosen, err := c.choose(c.Requests)
	switch {
	case c.Expect.Error != nil && err == nil:
		return fmt.Errorf("got choices, Cinder has %v", c.Expect.Error)
	case c.Expect.Error != nil:
		return nil
	case err != nil:
		return err
	case len(chosen) != len(c.Expect.Chosen):
		return fmt.Errorf("%d requests, %d choices", len(chosen), len(c.Expect.Chosen))
	}
	for i, want := range c.Expect.Chosen {
		if got := chosen[i]; (want == nil) != (got == "") || want != nil && *want != got {
			return fmt.Errorf("request %d: got %q, Cinder has %s", i, got, orNull(want))
		}
	}
	return nil
}

// choose places each request with the capacity that those before it have left, and
// returns a pool for each, "" where none fits.
func (p *vectorPlace) choose(requests []Request) ([]string, error) {
	engine, snapshot, err := p.start()
	if err != nil {
		return nil, err
	}
	chosen := make([]string, len(requests))
	for i := range requests {
		choice, err := engine.Choose(snapshot, &requests[i])
		if err == nil {
			chosen[i] = choice.Backend.ID()
			snapshot = snapshot.Consume(choice.Backend, requests[i].Consumption())
		} else if !errors.Is(err, placement.ErrNoPool) {
			return nil, fmt.Errorf("request %d: %w", i, err)
		}
	}
	return chosen, nil
}

func orNull(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}
