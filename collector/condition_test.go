package collector

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/rs/zerolog"
)

// TestConditionFaultsLoggedOnce checks that parts which cannot be read cost one line for
// each change of the cause, and make no sample partial.
func TestConditionFaultsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		begin := time.Now()
		forbidden := errors.New("GET alerts: array returned 403")
		a := &fakeSource{onSample: func(context.Context, int) (capability.Sample, error) {
			s := sample()
			switch minute := time.Since(begin) / time.Minute; {
			case minute < 10:
			case minute < 20:
				s.Condition.Faults = []capability.Fault{{Part: "critical alerts", Err: forbidden}}
			case minute < 60:
				s.Condition.Faults = []capability.Fault{{Part: "critical alerts", Err: forbidden}, {Part: "info alerts", Err: forbidden}}
			case minute < 70:
				s.Condition.Faults = []capability.Fault{{Part: "pods", Err: errDown}}
			}
			return s, nil
		}}
		c, stop := collect(t, Options{Log: zerolog.New(&out)}, target("fa1", a))
		time.Sleep(50 * time.Minute)
		if h := c.Health()[0]; h.State != OK || h.Err != "" {
			t.Errorf("health is %+v", h)
		}
		time.Sleep(time.Hour)
		stop()
		want := []string{
			`"message":"array polled"`,
			`metrics are missing: critical alerts (GET alerts: array returned 403)`,
			`metrics are missing: pods (connect to 10.0.0.1: no route to host)`,
			`condition of the array is complete again`,
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), out.String())
		}
		for i := range want {
			if !strings.Contains(lines[i], want[i]) {
				t.Errorf("line %d is %s, want %s", i, lines[i], want[i])
			}
		}
	})
}
