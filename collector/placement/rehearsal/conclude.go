package rehearsal

import (
	"fmt"
	"strconv"
	"strings"
)

// Conclude says in a line what the first of some outcomes means, and which of
// the others does better.
func Conclude(outcomes []Outcome) string {
	if len(outcomes) == 0 {
		return "nothing was rehearsed"
	}
	now := outcomes[0]
	text := "With " + now.Setting.With + ", "
	if now.Setting.Name == AsItIs {
		text = "With this configuration "
	}
	text += now.summary()
	if now.Failed == 0 && !now.uneven() {
		return text + "."
	}
	better := best(now, outcomes[1:])
	if better == nil {
		return text + "; no other setting that was tried does better."
	}
	return text + "; with " + better.Setting.With + ", " + better.summary() + "."
}

// fair is the evenness from which a burst counts as spread: of three arrays
// none then takes twice as much as another.
const fair = 0.9

func (o Outcome) uneven() bool { return o.Evenness != nil && *o.Evenness < fair }

// best is the first outcome that fails least and spreads fairly, or else the
// one that spreads best; nil if none beats what there is.
func best(now Outcome, others []Outcome) *Outcome {
	top := &now
	for i := range others {
		if o := &others[i]; o.beats(top) && (o.Failed < top.Failed || top.uneven()) {
			top = o
		}
	}
	if top == &now {
		return nil
	}
	return top
}

// noticeable is the least difference in evenness worth telling.
const noticeable = 0.02

func (o *Outcome) beats(other *Outcome) bool {
	switch {
	case o.Failed != other.Failed:
		return o.Failed < other.Failed
	case o.Evenness == nil || other.Evenness == nil:
		return false
	}
	return *o.Evenness > *other.Evenness+noticeable
}

// summary says where the volumes went and how many did not.
func (o Outcome) summary() string {
	count := o.Placed + o.Failed
	if o.Placed == 0 {
		return fmt.Sprintf("none of %d creates finds a backend: %v", count, o.Refused)
	}
	most := o.Busiest()
	text := fmt.Sprintf("%d of %d volumes go to %s", most.Volumes, count, most.Backend)
	if !o.stacked(most) {
		text = fmt.Sprintf("%d volumes go %s to %d arrays", o.Placed, o.Spread(), len(o.Arrays))
	}
	if o.Failed > 0 {
		text += fmt.Sprintf(" and %d find no backend (%v)", o.Failed, o.Refused)
	}
	return text
}

// stacked reports whether one array took more than half of what several could
// have.
func (o Outcome) stacked(most *ArrayOutcome) bool {
	return len(o.Arrays) == 1 || most.Volumes*2 > int64(o.Placed)
}

// listed is the number of arrays up to which each one's share is told.
const listed = 8

// Spread is the number of volumes of each array, as in 9/13/18, or the range of
// them where there are many arrays.
func (o Outcome) Spread() string {
	if len(o.Arrays) == 0 {
		return "-"
	}
	least, most := o.Arrays[0].Volumes, o.Arrays[0].Volumes
	var each []string
	for _, a := range o.Arrays {
		each = append(each, strconv.FormatInt(a.Volumes, 10))
		least, most = min(least, a.Volumes), max(most, a.Volumes)
	}
	if len(each) <= listed {
		return strings.Join(each, "/")
	}
	return fmt.Sprintf("%d to %d each", least, most)
}
