//go:build conformance

package conformance

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
)

// TestStalePolicyInCapacityFilter asks Cinder's own CapacityFilter: the policy drop
// must have its effect, and the others must not.
func TestStalePolicyInCapacityFilter(t *testing.T) {
	var lines strings.Builder
	for _, r := range []capability.Report{
		staleUnder(t, collector.Keep), staleUnder(t, collector.Down), staleUnder(t, collector.Drop),
	} {
		text, err := r.Capabilities.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		lines.WriteString(string(text) + "\n")
	}
	command := exec.CommandContext(t.Context(), python(), "-W", "ignore", "driver_capacity.py")
	command.Stdin, command.Stderr = strings.NewReader(lines.String()), t.Output()
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(string(out)); strings.Join(got, " ") != "true true false" {
		t.Errorf("keep, down and drop pass CapacityFilter: %v", got)
	}
}

// staleUnder is the last report of an array that answered once.
func staleUnder(t *testing.T, policy collector.Policy) (last capability.Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := collector.New(collector.Options{})
		if err := c.Apply([]collector.Target{{
			Host: "here@x", Backend: "x", Pool: "gold", Source: &dying{}, Interval: time.Minute, OnStale: policy,
			Stanza: collector.Stanza{Protocol: "iSCSI", MaxOverSubscription: "20.0"},
		}}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
		last = c.Latest()[0]
		if last.Status != capability.Stale {
			t.Errorf("status is %s", last.Status)
		}
	})
	return last
}

// dying answers a single time.
type dying struct{ polls int }

func (d *dying) Sample(context.Context) (capability.Stats, error) {
	if d.polls++; d.polls > 1 {
		return capability.Stats{}, errors.New("no route to host")
	}
	total, used, provisioned := int64(100<<30), int64(10<<30), int64(20<<30)
	return capability.Stats{
		CollectedAt: time.Now(),
		Space:       &capability.Space{Capacity: &total, TotalPhysical: &used, TotalProvisioned: &provisioned},
	}, nil
}

func (d *dying) Close(context.Context) error { return nil }
