package placement

// Request is what is to be placed. The engine looks at nothing but the seed;
// the plug-ins of a profile know the type behind it and assert it (those of
// package cinder want a *cinder.Request).
type Request interface {
	// Seed drives everything random in a decision. The same seed, request and
	// snapshot give the same answer.
	Seed() uint64
}

// Filter decides whether a backend may take the request. An error means "could
// not decide" and ends the whole decision, because a filter that is broken
// must not look like one that said no.
//
// A filter is called from many goroutines at once and must not keep or change
// what it is handed. It may also implement [Preparer], [Explainer] and
// [Relaxer].
type Filter interface {
	Filter(r Request, b *Backend) (pass bool, err error)
}

// Weigher rates a backend that passed every filter: more is better. Weights
// may have any unit; the engine stretches them to 0…1 over the survivors and
// multiplies by the profile's multiplier. An error ends the decision.
//
// The rules of [Filter] hold. A weigher may also implement [Preparer],
// [Explainer], [Bounds] and [Adjuster].
type Weigher interface {
	Weigh(r Request, b *Backend) (float64, error)
}

// FilterFunc lets a function be a [Filter].
type FilterFunc func(r Request, b *Backend) (bool, error)

// Filter calls f.
func (f FilterFunc) Filter(r Request, b *Backend) (bool, error) { return f(r, b) }

// WeigherFunc lets a function be a [Weigher].
type WeigherFunc func(r Request, b *Backend) (float64, error)

// Factory makes a factory for a filter without settings.
func (f FilterFunc) Factory() FilterFactory { return NoArgs[Filter](f) }

// Weigh calls f.
func (f WeigherFunc) Weigh(r Request, b *Backend) (float64, error) { return f(r, b) }

// Factory makes a factory for a weigher without settings.
func (f WeigherFunc) Factory() WeigherFactory { return NoArgs[Weigher](f) }

// Preparer is a plug-in that does its thinking once per request instead of
// once per backend: it compiles the request and fetches the columns it will
// read. What it returns is used for this request and snapshot only, by one
// goroutine at a time, so it may have memory of its own; its [Explainer] alone
// may be called later and from any goroutine. A nil plug-in has nothing to say
// to this request: as a filter it lets everything pass, as a weigher it weighs
// everything alike.
type Preparer[Plugin any] interface {
	Prepare(r Request, s *Snapshot) (Plugin, error)
}

// PerRequestFilter lets a function that prepares a filter be a [Filter].
type PerRequestFilter func(r Request, s *Snapshot) (Filter, error)

// Prepare calls f.
func (f PerRequestFilter) Prepare(r Request, s *Snapshot) (Filter, error) { return f(r, s) }

// Filter prepares a filter for one backend alone.
func (f PerRequestFilter) Filter(r Request, b *Backend) (bool, error) {
	prepared, err := f(r, b.snapshot)
	if err != nil || prepared == nil {
		return err == nil, err
	}
	return prepared.Filter(r, b)
}

// Factory makes a factory for a filter without settings.
func (f PerRequestFilter) Factory() FilterFactory { return NoArgs[Filter](f) }

// PerRequestWeigher lets a function that prepares a weigher be a [Weigher].
type PerRequestWeigher func(r Request, s *Snapshot) (Weigher, error)

// Prepare calls f.
func (f PerRequestWeigher) Prepare(r Request, s *Snapshot) (Weigher, error) { return f(r, s) }

// Weigh prepares a weigher for one backend alone.
func (f PerRequestWeigher) Weigh(r Request, b *Backend) (float64, error) {
	prepared, err := f(r, b.snapshot)
	if err != nil || prepared == nil {
		return 0, err
	}
	return prepared.Weigh(r, b)
}

// Factory makes a factory for a weigher without settings.
func (f PerRequestWeigher) Factory() WeigherFactory { return NoArgs[Weigher](f) }

// Explainer is a plug-in that can say what it compared: of a filter, why it
// refused the backend ("total_volumes 912 is not <= 800"); of a weigher, where
// the weight comes from. It is asked only when somebody reads the decision, so
// it may take its time, and it must answer the same whenever it is asked.
type Explainer interface {
	Explain(r Request, b *Backend) string
}

// Relaxer is a filter some of whose conditions are preferences. Relax returns
// the filter without them, nil if nothing is left of it, and the conditions in
// words. No conditions means there was nothing to set aside. See [Prefer].
type Relaxer interface {
	Relax() (rest Filter, conditions []string)
}

// Bounds is a weigher that knows the range of its weights, so that a small
// difference is not stretched to the full range. Weights outside widen it. NaN
// leaves that end to the weights.
type Bounds interface {
	Bounds() (lo, hi float64)
}

// Adjuster is a weigher that must see the weights of all survivors before they
// are normalised, and may change them in place.
type Adjuster interface {
	Adjust(weights []float64) error
}
