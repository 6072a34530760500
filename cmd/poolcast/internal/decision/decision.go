package decision

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher/status"
)

// Engine decides as the scheduler of a configuration does, with one of the
// policies strict and prefer. Its error names the options, and wraps the one of the
// filter or weigher.
func Engine(s config.Scheduler, policy string) (*placement.Engine, error) {
	engine, err := cinder.NewEngine(options(s, policy))
	if err != nil {
		return nil, fmt.Errorf("scheduler_default_filters and scheduler_default_weighers: %w", err)
	}
	return engine, nil
}

func options(s config.Scheduler, policy string) cinder.Options {
	o := Options(s)
	if policy == "prefer" {
		o.Policy = placement.Prefer
	}
	return o
}

// Options are the scheduler's settings for the placement core.
func Options(s config.Scheduler) cinder.Options {
	o := cinder.Options{
		Filters: s.Filters, Weighers: s.Weighers,
		Multipliers: map[string]float64{
			cinder.CapacityWeigher:          s.CapacityMultiplier,
			cinder.AllocatedCapacityWeigher: s.AllocatedCapacityMultiplier,
			cinder.VolumeNumberWeigher:      s.VolumeNumberMultiplier,
		},
		MaxOverSubscriptionRatio: setup.RatioText(s.MaxOverSubscription),
	}
	if isLottery(s) {
		o.Select = placement.Lottery
	}
	return o
}

// isLottery reports whether the scheduler draws among the backends that fit.
func isLottery(s config.Scheduler) bool {
	return s.Handler == "cinder.scheduler.weights.stochastic.StochasticHostWeightHandler" || s.Handler == "StochasticHostWeightHandler"
}

// Draws reports whether anything is left to chance, so that a decision without
// it has no seed and is the same each time.
func Draws(s config.Scheduler) bool {
	return isLottery(s) || slices.ContainsFunc(s.Weighers, func(w string) bool {
		return w[strings.LastIndex(w, ".")+1:] == cinder.ChanceWeigher
	})
}

// decide returns a decision, also if no backend fits.
func decide(engine *placement.Engine, s *placement.Snapshot, request *cinder.Request) (*placement.Decision, error) {
	d, err := engine.DecideOn(s, request)
	if err != nil && !errors.Is(err, placement.ErrNoPool) {
		return nil, fmt.Errorf("decide: %w", err)
	}
	return d, nil
}

// ForPage decides on a volume that is described by the form of the status page or by
// a request to /v1/place.
func ForPage(c *Cloud, q status.Query) (status.Decision, error) {
	create := volumeapi.Create{Size: q.Size, Zone: q.Zone}
	if len(q.ExtraSpecs) > 0 {
		create.Type = &cinder.VolumeType{Name: "of the form", ExtraSpecs: cinder.ExtraSpecsOf(q.ExtraSpecs)}
	}
	if q.Policy != "strict" && q.Policy != "prefer" {
		return status.Decision{}, fmt.Errorf("policy %q: want strict or prefer", q.Policy)
	}
	request, err := c.API.Create(create)
	if err != nil {
		return status.Decision{}, err
	}
	answer, err := c.Place(request, 1, q.Policy)
	if err != nil {
		return status.Decision{}, err
	}
	d := answer.Last()
	now := time.Now()
	out := status.Decision{JSON: answer.JSON(now), Summary: d.Summary(), Fits: d.Chosen != nil, Basis: answer.Backends.Lines(now)}
	for i := range d.Verdicts {
		out.Rows = append(out.Rows, decisionRow(&d.Verdicts[i]))
	}
	return out, nil
}

func decisionRow(v *placement.Verdict) status.DecisionRow {
	row := status.DecisionRow{Backend: v.Backend.Report().Name()}
	if !v.Fits() {
		row.Reason = v.RefusedBy + ": " + v.Reason()
		return row
	}
	row.Rank, row.Weight = strconv.Itoa(v.Rank), placement.FormatWeight(v.Total)
	if v.Tied {
		row.Rank += " (tie)"
	}
	row.Reason = strings.Join(v.Lines(), "; ")
	return row
}
