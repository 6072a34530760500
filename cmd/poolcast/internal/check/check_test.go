package check

import (
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/collector/placement/review"
)

func TestVerdictHasTheExitCode(t *testing.T) {
	for _, c := range []struct {
		severities []review.Severity
		want       int
	}{
		{nil, exit.OK},
		{[]review.Severity{review.Note, review.Note}, exit.OK},
		{[]review.Severity{review.Note, review.Warning}, exit.Partial},
		{[]review.Severity{review.Warning, review.Error, review.Note}, exit.Config},
	} {
		var found Result
		for _, s := range c.severities {
			found.Findings = append(found.Findings, review.Finding{Severity: s})
		}
		err := found.Verdict()
		if code, marked := exit.Code(err); code != c.want || marked != (c.want != exit.OK) {
			t.Errorf("%v: %v", c.severities, err)
		}
	}
}
