//go:build integration

package integration

import (
	"encoding/json"
	"os"
	"testing"
)

// TestOperatorAdviceMatchesCinder lets Cinder's own operators judge what poolcast
// says to write instead of a condition without an operator.
func TestOperatorAdviceMatchesCinder(t *testing.T) {
	data, err := os.ReadFile("../collector/placement/cinder/testdata/advice/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases, answers []struct {
		Value   any    `json:"value"`
		Written string `json:"written"`
		Advice  string `json:"advice"`
		Fits    bool   `json:"fits"`

		WrittenFits bool `json:"written_fits"`
		AdviceFits  bool `json:"advice_fits"`
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	run(t, json.RawMessage(data), &answers, "operators")
	if len(cases) < 40 || len(answers) != len(cases) {
		t.Fatalf("%d answers to %d cases", len(answers), len(cases))
	}
	for i, c := range cases {
		if answers[i].WrittenFits {
			t.Errorf("%v meets %q, which needs no advice", c.Value, c.Written)
		}
		if c.Advice != "" && answers[i].AdviceFits != c.Fits {
			t.Errorf("%v against the advice %q is %v, want %v", c.Value, c.Advice, answers[i].AdviceFits, c.Fits)
		}
	}
}
