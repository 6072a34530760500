package placement

// Request is what is to be placed. The engine reads nothing but the seed; the
// plug-ins of a profile assert its type (those of package cinder need a
// cinder.Request).
type Request interface {
	// Seed is the source of everything random in a decision. The same seed,
	// request and snapshot give the same decision.
	Seed() uint64
}

// Filter decides whether a backend may take the request. An error means that it
// could not decide. It ends the whole decision, so that a filter that fails is not
// mistaken for one that refuses.
//
// A filter is called from many goroutines at once and must not keep or change its
// arguments. It may also be an [Explainer], an [AllExplainer] and a [Relaxer].
type Filter interface {
	Filter(r Request, b *Backend) (pass bool, err error)
}

// Weigher rates a backend that passed every filter: more is better. Weights may
// have any unit; the engine normalises them to 0…1 over the backends that passed
// and multiplies by the profile's multiplier. An error ends the decision.
//
// The rules of [Filter] apply. A weigher may also be an [Explainer], and have
// [Bounds] or be an [Adjuster].
type Weigher interface {
	Weigh(r Request, b *Backend) (float64, error)
}

// FilterFunc makes a [Filter] of a function.
type FilterFunc func(r Request, b *Backend) (bool, error)

// Filter calls f.
func (f FilterFunc) Filter(r Request, b *Backend) (bool, error) { return f(r, b) }

// WeigherFunc makes a [Weigher] of a function.
type WeigherFunc func(r Request, b *Backend) (float64, error)

// Weigh calls f.
func (f WeigherFunc) Weigh(r Request, b *Backend) (float64, error) { return f(r, b) }

// PerRequestFilter is a [Filter] that is prepared once per request instead of once
// per backend: it compiles the request and fetches the columns that it reads. What
// it returns is used for this request and snapshot only, by one goroutine at a
// time, so it may have memory of its own; only its [Explainer] may be called later
// and from any goroutine. A nil filter lets every backend pass.
//
// A plug-in of a type with such a method is PerRequestFilter(x.Prepare).
type PerRequestFilter func(r Request, s *Snapshot) (Filter, error)

// Filter prepares a filter for one backend alone.
func (f PerRequestFilter) Filter(r Request, b *Backend) (bool, error) {
	prepared, err := f(r, b.snapshot)
	if err != nil || prepared == nil {
		return err == nil, err
	}
	return prepared.Filter(r, b)
}

// PerRequestWeigher is a [Weigher] that is prepared once per request, as
// [PerRequestFilter] is. A nil weigher weighs all backends alike.
type PerRequestWeigher func(r Request, s *Snapshot) (Weigher, error)

// Weigh prepares a weigher for one backend alone.
func (f PerRequestWeigher) Weigh(r Request, b *Backend) (float64, error) {
	prepared, err := f(r, b.snapshot)
	if err != nil || prepared == nil {
		return 0, err
	}
	return prepared.Weigh(r, b)
}

// Explainer is a plug-in that states what it compared: a filter, why it refused
// the backend ("total_volumes 912 is not <= 800"); a weigher, how the weight was
// computed. It is called only when a decision is read, so it may be slow, and must
// return the same at any time.
type Explainer interface {
	Explain(r Request, b *Backend) string
}

// AllExplainer is a filter of several conditions. ExplainAll states each one that the
// backend does not meet, where Explain states the first or sums them up. The rules of
// [Explainer] apply, and there is at least one if the filter refused the backend.
type AllExplainer interface {
	ExplainAll(r Request, b *Backend) []string
}

// Relaxer is a filter some of whose conditions are preferences. Relax returns the
// filter without them, nil if no condition is left, and the removed conditions as
// text. Without conditions there is nothing to relax. See [Prefer].
type Relaxer interface {
	Relax() (rest Filter, conditions []string)
}

// Bounds is a weigher with a known range of weights, so that a small difference is
// not stretched to the full range. Weights outside extend it. NaN leaves that end
// to the weights.
type Bounds interface {
	Bounds() (lo, hi float64)
}

// Random is a weigher whose weights may be drawn, all from the same distribution,
// whatever the backend. Random reports whether they are. The engine then says that a
// decision was drawn.
type Random interface {
	Random() bool
}

// Adjuster is a weigher that needs the weights of all backends before they are
// normalised, and may change them in place.
type Adjuster interface {
	Adjust(weights []float64) error
}

// Plugin is a filter or weigher under its name, for [New]. [WithFilter] and
// [WithWeigher] make one.
type Plugin struct {
	name    string
	filter  Filter
	weigher Weigher
}

// WithFilter adds a filter, which a profile uses by its name.
func WithFilter(name string, f Filter) Plugin { return Plugin{name: name, filter: f} }

// WithWeigher adds a weigher, which a profile uses by its name.
func WithWeigher(name string, w Weigher) Plugin { return Plugin{name: name, weigher: w} }
