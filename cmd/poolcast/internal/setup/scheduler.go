package setup

import (
	"fmt"

	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
)

// Engine decides as the scheduler of a configuration does, with one of the
// policies strict and prefer. Its errors name the options.
func Engine(s config.Scheduler, policy string) (*placement.Engine, error) {
	engine, err := PlacementEngine(s, policy)
	if err != nil {
		return nil, fmt.Errorf("scheduler_default_filters and scheduler_default_weighers: %w", err)
	}
	return engine, nil
}

// PlacementEngine is [Engine] with the errors as the placement core has them.
func PlacementEngine(s config.Scheduler, policy string) (*placement.Engine, error) {
	o := SchedulerOptions(s)
	if policy == "prefer" {
		o.Policy = placement.Prefer
	}
	return cinder.NewEngine(o)
}

// SchedulerOptions are the scheduler's settings for the placement core.
func SchedulerOptions(s config.Scheduler) cinder.Options {
	o := cinder.Options{
		Filters: s.Filters, Weighers: s.Weighers,
		Multipliers: map[string]float64{
			cinder.CapacityWeigher:          s.CapacityMultiplier,
			cinder.AllocatedCapacityWeigher: s.AllocatedCapacityMultiplier,
			cinder.VolumeNumberWeigher:      s.VolumeNumberMultiplier,
		},
		MaxOverSubscriptionRatio: ratioText(s.MaxOverSubscription),
	}
	if IsLottery(s) {
		o.Select = placement.Lottery
	}
	return o
}

// IsLottery reports whether the scheduler draws among the backends that fit.
func IsLottery(s config.Scheduler) bool {
	return s.Handler == "cinder.scheduler.weights.stochastic.StochasticHostWeightHandler" || s.Handler == "StochasticHostWeightHandler"
}
