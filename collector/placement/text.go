package placement

import (
	"fmt"
	"strings"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// String tells the decision in plain text, the answer first, then a line for
// each backend and each of its scores.
func (d *Decision) String() string {
	var b strings.Builder
	if d.Chosen == nil {
		fmt.Fprintln(&b, &NoPoolError{Decision: d})
	} else {
		fmt.Fprintf(&b, "%s: best of %d that fit, out of %d\n", d.Chosen.Backend.ID(), d.Fit, len(d.Verdicts))
	}
	for _, c := range d.SetAside {
		fmt.Fprintf(&b, "set aside: %s %s\n", c.Filter, c.Text)
	}
	for i := range d.Verdicts {
		d.Verdicts[i].tell(&b)
	}
	return b.String()
}

func (v *Verdict) tell(b *strings.Builder) {
	if !v.Fits() {
		fmt.Fprintf(b, "  - %s  %s: %s\n", v.Backend.ID(), v.RefusedBy, v.Reason())
		return
	}
	fmt.Fprintf(b, "%3d %s  %s", v.Rank, v.Backend.ID(), short(v.Total))
	if v.Tied {
		b.WriteString(" (tied)")
	}
	b.WriteByte('\n')
	for k, s := range v.Scores {
		fmt.Fprintf(b, "      %s %s -> %s x %s = %s", s.Weigher, short(s.Raw), short(s.Normalised), short(s.Multiplier), short(s.Weighted))
		if why := v.ScoreReason(k); why != "" {
			b.WriteString("  " + why)
		}
		b.WriteByte('\n')
	}
}

func short(f float64) string { return format.Significant(f, 6) }
