package rehearsal

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

// Summary says in a line what the first of some outcomes means, and which of
// the others does better.
func Summary(outcomes []Outcome) string {
	if len(outcomes) == 0 {
		return "nothing was rehearsed"
	}
	now := outcomes[0]
	text := "With " + now.Setting.With + ", "
	if now.Setting.Name == Current {
		text = "With this configuration "
	}
	text += now.summary()
	if now.good() {
		return text + "."
	}
	better := best(now, outcomes[1:])
	if better == nil {
		return text + "; no other setting that was tried does better."
	}
	return text + "; with " + better.Setting.With + ", " + better.summary() + "."
}

// tolerated is the share of volumes that may be misplaced before anybody need
// care. When arrays are alike, whole volumes cannot spread evenly.
const tolerated = 0.1

func (o *Outcome) good() bool { return o.Failed == 0 && o.misplaced() <= tolerated }

// misplaced is the share of volumes that are; 0 if it cannot be said.
func (o *Outcome) misplaced() float64 {
	if o.Excess == nil || o.Placed == 0 {
		return 0
	}
	return float64(*o.Excess) / float64(o.Placed)
}

// best is the first outcome that fails least and misplaces next to nothing, or
// else the one that misplaces least; nil if none beats what there is.
func best(now Outcome, others []Outcome) *Outcome {
	top := &now
	for i := range others {
		if others[i].beats(top) {
			top = &others[i]
		}
	}
	if top == &now {
		return nil
	}
	return top
}

func (o *Outcome) beats(other *Outcome) bool {
	if o.Failed != other.Failed {
		return o.Failed < other.Failed
	}
	return other.misplaced() > tolerated && o.misplaced() < other.misplaced()-tolerated/2
}

// summary says where the volumes went and how many did not.
func (o *Outcome) summary() string {
	count := o.Placed + o.Failed
	if o.Placed == 0 {
		return fmt.Sprintf("none of %d creates finds a backend: %v", count, o.Refused)
	}
	most := o.Busiest()
	text := fmt.Sprintf("%d of %d volumes go to %s", most.Volumes, count, most.Backend)
	switch {
	case len(o.Arrays) == 1:
		text += ", the only array that fits"
	case most.Volumes*2 > int64(o.Placed):
		text += o.judge(most)
	default:
		text = fmt.Sprintf("%d of %d volumes go %s to %d arrays", o.Placed, count, o.Spread(), len(o.Arrays))
	}
	if o.Failed > 0 {
		text += fmt.Sprintf(" and %d find no backend (%v)", o.Failed, o.Refused)
	}
	return text
}

// judge says of an array that took most of the volumes why, and whether it
// should have.
func (o *Outcome) judge(most *ArrayOutcome) string {
	if o.Excess == nil {
		return ""
	}
	if o.misplaced() <= tolerated {
		return ", which evens out what is provisioned on the arrays"
	}
	text := fmt.Sprintf(", %d more than it takes to even out what is provisioned on the arrays", *o.Excess)
	before, ok := finite(most.Before, capability.KeyMaxOverSubscription)
	after, okAfter := finite(most.After, capability.KeyMaxOverSubscription)
	if ok && okAfter && after > before {
		text += fmt.Sprintf(", as its over-subscription ratio grows with each (from %.3g to %.3g)", before, after)
	}
	return text
}

// listed is the number of arrays up to which each one's share is told.
const listed = 8

// Spread is the number of volumes of each array, as in 9/13/18, or the range of
// them where there are many arrays.
func (o *Outcome) Spread() string {
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
