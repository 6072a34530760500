package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxReasons is how many different reasons of one filter an error quotes.
const maxReasons = 3

// NoPoolError says that no backend fits, and which filters refused how many of
// them. [errors.Is] finds [ErrNoPool] in it.
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
