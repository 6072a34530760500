package placement

import "github.com/poolcast/poolcast/collector/capability/format"

// maxWords is how long an explanation may be, in characters: it quotes reports,
// which come from outside.
const maxWords = 1000

// Decision is an explained answer: what became of every backend and why. It is
// immutable and may be read from any goroutine. Words are made when they are
// read, from the snapshot the decision was made on.
type Decision struct {
	// Verdicts are all backends: those that fit, best first, then those that
	// were refused, in the order of the snapshot.
	Verdicts []Verdict
	// Fit is how many fit.
	Fit int
	// Chosen is the backend to use, nil if none fits. It is the first verdict
	// unless the profile selects by chance.
	Chosen *Verdict
	// SetAside are the preferences that no backend met. See [Prefer].
	SetAside []Condition

	filters []string
	plan    *plan
}

// Condition is a condition of a filter, in words.
type Condition struct {
	Filter string `json:"filter"`
	Text   string `json:"condition"`
}

// Verdict is what became of one backend.
type Verdict struct {
	Backend *Backend
	// Rank counts from 1; it is 0 for a backend that was refused.
	Rank int
	// Total is the sum of the weighted Scores.
	Total float64
	// Scores are the parts of the total, in the order of the profile; none of
	// a backend that was refused.
	Scores []Score
	// RefusedBy is the first filter that did not let the backend pass, "" if
	// it fits.
	RefusedBy string
	// Tied says that another backend weighs exactly the same, so that the
	// order of the snapshot decided between them.
	Tied bool

	stopped  int32 // position of the refusing filter in the profile
	decision *Decision
}

// Score is what one weigher added to a total.
type Score struct {
	Weigher    string
	Multiplier float64
	Raw        float64 // as weighed
	Normalised float64 // stretched to 0…1 over all that fit
	Weighted   float64 // times the multiplier
}

// Fits reports whether no filter refused the backend.
func (v *Verdict) Fits() bool { return v.RefusedBy == "" }

// Reason says what the filter compared that refused the backend; "" if none
// did, or if it does not say.
func (v *Verdict) Reason() string {
	if v.Fits() {
		return ""
	}
	return v.words(v.decision.plan.filters[v.stopped])
}

// ScoreReason says where the raw weight of Scores[k] comes from; "" if the
// weigher does not say.
func (v *Verdict) ScoreReason(k int) string { return v.words(v.decision.plan.weighers[k]) }

func (v *Verdict) words(plugin any) string {
	if e, ok := plugin.(Explainer); ok {
		return format.Shorten(e.Explain(v.decision.plan.request, v.Backend), maxWords)
	}
	return ""
}

// Stage is what one filter left over.
type Stage struct {
	Filter    string
	Survivors []*Backend // in the order of the snapshot
}

// Stages returns the survivors after each filter of the profile.
func (d *Decision) Stages() []Stage {
	stages := make([]Stage, len(d.filters))
	for k, name := range d.filters {
		stages[k].Filter = name
		for _, v := range d.inSnapshotOrder() {
			if v.Fits() || int(v.stopped) > k {
				stages[k].Survivors = append(stages[k].Survivors, v.Backend)
			}
		}
	}
	return stages
}

func (d *Decision) inSnapshotOrder() []*Verdict {
	ordered := make([]*Verdict, len(d.Verdicts))
	for i := range d.Verdicts {
		ordered[d.Verdicts[i].Backend.index] = &d.Verdicts[i]
	}
	return ordered
}

// Of returns the verdict on the backend of that ID, nil if there is none.
func (d *Decision) Of(id string) *Verdict {
	for i := range d.Verdicts {
		if d.Verdicts[i].Backend.id == id {
			return &d.Verdicts[i]
		}
	}
	return nil
}
