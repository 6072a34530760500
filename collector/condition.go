package collector

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

// logCondition logs a change of why parts of the array's condition cannot be read. It
// makes no sample partial: the scheduler receives nothing of it.
func (p *poller) logCondition(c capability.Condition) {
	causes := make([]string, len(c.Faults))
	texts := make([]string, len(c.Faults))
	for i, f := range c.Faults {
		causes[i], texts[i] = p.options.Cause(f.Err), fmt.Sprintf("%s (%v)", f.Part, f.Err)
	}
	slices.Sort(causes)
	cause := strings.Join(slices.Compact(causes), ", ")
	if cause == p.conditionCause {
		return
	}
	p.conditionCause = cause
	if cause == "" {
		p.options.Log.Info().Str("host", p.host).Msg("condition of the array is complete again")
		return
	}
	p.options.Log.Warn().Str("host", p.host).Msg("condition of the array is not complete, metrics are missing: " + strings.Join(texts, ", "))
}
