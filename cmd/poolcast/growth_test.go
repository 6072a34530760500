package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
)

// onGrowth runs a command on one step of the growth examples with simulated arrays.
func onGrowth(t *testing.T, step string, args ...string) (stdout string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	root := newRootCommand()
	root.SetArgs(append(args, "--simulate", "--config-file", "../../examples/"+step))
	root.SetOut(&out)
	root.SetErr(&errs)
	err := root.ExecuteContext(t.Context())
	return out.String(), exitCode(err)
}

// TestGrowthExamples checks what the comments of the growth examples say: no step has an
// error, a request without a zone goes to dc1, and the last step has arrays in dc2.
func TestGrowthExamples(t *testing.T) {
	for step, want := range map[string]struct{ dc1, dc2 int }{
		"growth-1-two-arrays.conf":  {2, 0},
		"growth-2-four-arrays.conf": {4, 0},
		"growth-3-six-arrays.conf":  {4, 2},
	} {
		t.Run(step, func(t *testing.T) {
			var found struct {
				Findings []struct{ Severity, Code string }
			}
			stdout, _ := onGrowth(t, step, "check", "--output", "json")
			if err := json.Unmarshal([]byte(stdout), &found); err != nil {
				t.Fatalf("check printed %v\n%s", err, stdout)
			}
			if len(found.Findings) == 0 {
				t.Errorf("check found nothing, not even that the file has secrets:\n%s", stdout)
			}
			for _, f := range found.Findings {
				if f.Severity == "error" {
					t.Errorf("check found the error %s", f.Code)
				}
			}

			stdout, code := onGrowth(t, step, "place", "--size", "100")
			if code != exit.OK || !strings.Contains(stdout, "dc1 by default_availability_zone") {
				t.Errorf("without a zone, exit code %d:\n%s", code, stdout)
			}
			if n := strings.Count(stdout, "refused by AvailabilityZoneFilter: dc2 is not dc1"); n != want.dc2 {
				t.Errorf("%d arrays are refused without a zone, want %d:\n%s", n, want.dc2, stdout)
			}
			if want.dc2 == 0 {
				return
			}
			stdout, code = onGrowth(t, step, "place", "--size", "100", "--availability-zone", "dc2")
			if n := strings.Count(stdout, "dc1 is not dc2"); code != exit.OK || n != want.dc1 {
				t.Errorf("in dc2 %d arrays are refused, want %d, exit code %d:\n%s", n, want.dc1, code, stdout)
			}
		})
	}
}
