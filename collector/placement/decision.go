package placement

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// maxReason is the length of an explanation in characters: it quotes reports,
// which come from outside.
const maxReason = 1000

// Decision is the result for every backend, with the reasons. It is immutable and
// may be read from any goroutine. Reasons are computed when they are read, from the
// snapshot that the decision was made on.
type Decision struct {
	// Verdicts are all backends: those that fit, best first, then those that
	// were refused, in the order of the snapshot.
	Verdicts []Verdict
	// Fit is how many fit.
	Fit int
	// Chosen is the backend to use, nil if none fits. It is the first verdict
	// unless the profile selects by chance.
	Chosen *Verdict
	// Drawn says that the choice was left to chance: by Select, or by a weigher whose
	// weights are drawn. Another seed may choose another backend.
	Drawn bool
	// Relaxed are the preferences that were removed because no backend met
	// them. See [Prefer].
	Relaxed []Condition
	// LeftOut are the plug-ins of the profile that are not known, so that the
	// decision is incomplete. See [Profile.LeaveOutUnknown].
	LeftOut []LeftOut

	policy Policy
	plan   *plan
	names  []named[Filter] // of the plan's filters
}

// Condition is a condition of a filter, as text.
type Condition struct {
	Filter string `json:"filter"`
	Text   string `json:"condition"`
}

// Verdict is the result for one backend.
type Verdict struct {
	Backend *Backend
	// Rank counts from 1; it is 0 for a backend that was refused.
	Rank int
	// Total is the sum of the weighted Scores.
	Total float64
	// Scores are the parts of the total, in the order of the profile; a
	// backend that was refused has none.
	Scores []Score
	// RefusedBy is the first filter that refused the backend, "" if
	// it fits.
	RefusedBy string
	// Tied says that another backend has exactly the same total, so that the
	// order of the snapshot decided between them.
	Tied bool
	// Chance is how likely the backend was to be chosen, 0…1, where the decision was
	// drawn. It is nil where nothing was drawn, where the backend does not fit, and
	// where drawn weights are added to others, for which there is no formula.
	Chance *float64

	filter   int32 // position of the refusing filter in the profile
	later    []laterRefusal
	decision *Decision
}

// Score is what one weigher added to a total.
type Score struct {
	Weigher    string  `json:"weigher"`
	Raw        float64 `json:"raw"`        // as weighed
	Normalised float64 `json:"normalised"` // mapped to 0…1 over all that fit
	Multiplier float64 `json:"multiplier"`
	Weighted   float64 `json:"weighted"` // normalised times multiplier
}

// Fits reports whether no filter refused the backend.
func (v *Verdict) Fits() bool { return v.RefusedBy == "" }

// Reason is what the filter compared that refused the backend; "" if none did, or
// if the filter does not explain. [Verdict.Refusals] has every condition.
func (v *Verdict) Reason() string {
	if v.Fits() {
		return ""
	}
	return v.explain(v.decision.plan.filters[v.filter])
}

// ScoreReason is how the raw weight of Scores[k] was computed; "" if the weigher
// does not explain.
func (v *Verdict) ScoreReason(k int) string { return v.explain(v.decision.plan.weighers[k]) }

func (v *Verdict) explain(plugin any) string {
	if e, ok := plugin.(Explainer); ok {
		return format.Shorten(e.Explain(v.decision.plan.request, v.Backend), maxReason)
	}
	return ""
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

// ErrNoPool says that no backend fits. [Engine.Decide] gives the reasons.
var ErrNoPool = errors.New("no backend fits")

// PluginError says that a plug-in failed, which is not the same as a refusal.
type PluginError struct {
	Plugin  string
	Backend string // "" if it failed before the first
	Err     error
}

// Error names the plug-in and the backend.
func (e *PluginError) Error() string {
	if e.Backend == "" {
		return fmt.Sprintf("%s: %v", e.Plugin, e.Err)
	}
	return fmt.Sprintf("%s on %s: %v", e.Plugin, e.Backend, e.Err)
}

// Unwrap returns the plug-in's own error.
func (e *PluginError) Unwrap() error { return e.Err }

// maxReasons is how many different reasons of one filter an error lists.
const maxReasons = 3

// NoPoolError says that no backend fits, and how many each filter refused.
// [errors.Is] finds [ErrNoPool] in it.
type NoPoolError struct{ Decision *Decision }

// Unwrap returns [ErrNoPool].
func (e *NoPoolError) Unwrap() error { return ErrNoPool }

// Error is one line: the filters by the number of backends they refused, then
// by name, each with its reasons.
func (e *NoPoolError) Error() string {
	var tallies []*tally
	for i := range e.Decision.Verdicts {
		tallies = count(tallies, &e.Decision.Verdicts[i])
	}
	slices.SortStableFunc(tallies, func(a, b *tally) int {
		return cmp.Or(cmp.Compare(b.count, a.count), strings.Compare(a.filter, b.filter))
	})
	parts := make([]string, len(tallies))
	for i, t := range tallies {
		parts[i] = t.String()
	}
	line := fmt.Sprintf("0 of %d backends fit", len(e.Decision.Verdicts))
	if len(parts) == 0 {
		return line
	}
	return line + ": " + strings.Join(parts, ", ")
}

// tally counts the backends that one filter refused.
type tally struct {
	filter  string
	count   int
	reasons []string // different ones, at most maxReasons
	more    int      // backends refused for yet another reason
}

func count(tallies []*tally, v *Verdict) []*tally {
	if v.Fits() {
		return tallies
	}
	i := slices.IndexFunc(tallies, func(t *tally) bool { return t.filter == v.RefusedBy })
	if i < 0 {
		i, tallies = len(tallies), append(tallies, &tally{filter: v.RefusedBy})
	}
	tallies[i].add(v.Reason())
	return tallies
}

func (t *tally) add(reason string) {
	t.count++
	switch {
	case reason == "" || slices.Contains(t.reasons, reason):
	case len(t.reasons) < maxReasons:
		t.reasons = append(t.reasons, reason)
	default:
		t.more++
	}
}

func (t *tally) String() string {
	text := fmt.Sprintf("%d %s", t.count, t.filter)
	if len(t.reasons) == 0 {
		return text
	}
	text += " (" + strings.Join(t.reasons, "; ")
	if t.more > 0 {
		text += fmt.Sprintf("; %d more", t.more)
	}
	return text + ")"
}
