package check

import (
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/collector/placement/advice"
)

func TestVerdictHasTheExitCode(t *testing.T) {
	for _, c := range []struct {
		severities []advice.Severity
		want       int
	}{
		{nil, exit.OK},
		{[]advice.Severity{advice.Note, advice.Note}, exit.OK},
		{[]advice.Severity{advice.Note, advice.Warning}, exit.Partial},
		{[]advice.Severity{advice.Warning, advice.Error, advice.Note}, exit.Config},
	} {
		var found Result
		for _, s := range c.severities {
			found.Findings = append(found.Findings, advice.Finding{Severity: s})
		}
		err := found.Verdict()
		if code, marked := exit.Code(err); code != c.want || marked != (c.want != exit.OK) {
			t.Errorf("%v: %v", c.severities, err)
		}
	}
}
