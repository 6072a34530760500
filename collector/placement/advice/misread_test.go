package advice_test

import (
	"testing"

	"github.com/poolcast/poolcast/collector/placement/advice"
)

// Each of these is accepted by Cinder and means something else than it says.
func TestFunctionsThatCinderMisreads(t *testing.T) {
	for text, want := range map[string]string{
		"5 > volume.size and volume.size > 1": "word-as-function",
		"sqrt(volume.size) < 5":               "unknown-function",
		"notable < 5":                         "split-word",
		"(1 < 2) and (2 < 3) and (3 < 4)":     "ignored-operand",
		"1 < 2 ? 3 : 4 ? 5 : 6":               "ignored-operand",
	} {
		found := advice.Functions([]advice.Function{{Option: "filter_function", Text: text}})
		var codes []string
		for _, f := range found {
			codes = append(codes, f.Code)
			if f.Problem == "" || f.Reason == "" || f.Fix == "" {
				t.Errorf("%s: a finding leaves something unsaid: %+v", text, f)
			}
		}
		if len(codes) == 0 || codes[0] != want {
			t.Errorf("%s: found %q, want %s first", text, codes, want)
		}
	}
}
