package config

// Scheduler is what [DEFAULT] tells cinder-scheduler, so that a local answer
// is the one that this cloud's scheduler would give. It is true only where
// poolcast and the scheduler read the same file.
type Scheduler struct {
	Filters  []string // scheduler_default_filters
	Weighers []string // scheduler_default_weighers
	Handler  string   // scheduler_weight_handler

	CapacityMultiplier          float64 // capacity_weight_multiplier
	AllocatedCapacityMultiplier float64
	VolumeNumberMultiplier      float64

	// MaxOverSubscription is for backends that report no ratio.
	MaxOverSubscription OverSubscription
}

func (r *reader) scheduler() Scheduler {
	s := r.scopeOf(sectionDefault)
	volume := scope{reader: r, name: sectionDefault, kind: SectionBackend}
	return Scheduler{
		Filters:                     s.list("scheduler_default_filters").v,
		Weighers:                    s.list("scheduler_default_weighers").v,
		Handler:                     s.text("scheduler_weight_handler").v,
		CapacityMultiplier:          s.number("capacity_weight_multiplier").v,
		AllocatedCapacityMultiplier: s.number("allocated_capacity_weight_multiplier").v,
		VolumeNumberMultiplier:      s.number("volume_number_multiplier").v,
		MaxOverSubscription:         volume.overSubscription("max_over_subscription_ratio"),
	}
}
