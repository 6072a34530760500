package fallback

import (
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/function"
)

// FuzzTranslate: a translated condition is met by the same integers as the extra spec, and
// what is not translated has a reason.
func FuzzTranslate(f *testing.F) {
	for _, text := range []string{"<= 800", ">= 1e3", "= 10", "== 10.5", "!= -3", "<= 800 more", "<=800", "< 5", "<= 1_0", "<= 1e400", "<or> 8", "", "s== 8"} {
		f.Add(text, int64(800))
	}
	f.Fuzz(func(t *testing.T, text string, x int64) {
		if x > 1<<53 || x < -1<<53 {
			return // the extra spec compares floats, and the function integers
		}
		c := translate(cinder.Spec("total_volumes", text), "total_volumes")
		if c.Function == "" {
			if c.Reason == "" {
				t.Fatalf("%q is not translated, without a reason", text)
			}
			return
		}
		fn, err := function.Compile(c.Function)
		if err != nil {
			t.Fatalf("%q: %s: %v", text, c.Function, err)
		}
		v, err := fn.Eval(function.Vars{function.ScopeCapabilities: {"total_volumes": capability.OfInt(x)}})
		if err != nil {
			t.Fatalf("%q: %s of %d: %v", text, c.Function, x, err)
		}
		require := cinder.CompileRequirement(text)
		if met, err := require.MatchCapability(capability.OfInt(x)); err != nil || met != v.Truth() {
			t.Errorf("%q of %d: %v (%v), and %s is %s", text, x, met, err, c.Function, v)
		}
	})
}
