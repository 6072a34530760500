package python

import (
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
)

func TestStringOfNestedValues(t *testing.T) {
	var v capability.Value
	if err := v.UnmarshalJSON([]byte(`[null, true, 1.0, "it's", "a\"'\\\n\u0001é", {"b": [1e16], "a": {}}]`)); err != nil {
		t.Fatal(err)
	}
	want := `[None, True, 1.0, "it's", 'a"\'\\\n\x01é', {'a': {}, 'b': [1e+16]}]`
	if got := String(v); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
