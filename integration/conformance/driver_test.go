//go:build conformance

package conformance

import (
	"context"
	"errors"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
)

// TestReportMatchesDriver runs Cinder's own driver and manager, and poolcast,
// against the same simulated arrays with the same cinder.conf, and allows the
// differences that collector/DRIVER.md lists, and no others.
func TestReportMatchesDriver(t *testing.T) {
	document := driverDocument(t)
	rows := readDriverTable(t, document)
	cases := driverCases()
	arrays := serveCases(t, cases)
	cinder := startCinder(t, arrays)
	always := slices.Concat(rows["added"], rows["allocated"])
	proven := map[string]bool{"added": true, "allocated": true}

	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			theirs := cinder.report(t, c.name)
			ours := arrays.report(t, c.name)
			if c.row != "" && rows[c.row] == nil {
				t.Fatalf("DRIVER.md has no row %s", c.row)
			}
			proven[c.row] = true
			if v := theirs.Version; !strings.Contains(document, v) {
				t.Errorf("DRIVER.md does not name the driver's version %s", v)
			}
			if c.fails {
				checkDriverFailure(t, theirs, ours, c.missing)
				return
			}
			if theirs.Error != "" {
				t.Fatalf("the driver failed: %s", theirs.Error)
			}
			differ := differences(theirs.Capabilities, ours.Capabilities)
			checkDifferences(t, differ, without(always, c.agree), rows[c.row])
			if c.check != nil {
				c.check(t, theirs.Capabilities, ours)
			}
		})
	}
	for id := range rows {
		if !proven[id] {
			t.Errorf("DRIVER.md has a row %s that no case proves", id)
		}
	}
}

func without(keys, some []string) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return slices.Contains(some, key) })
}

// differences lists the keys whose presence or value is not the same.
func differences(theirs, ours capability.Set) []string {
	both := theirs.Overlay(ours)
	maps.DeleteFunc(both, func(key string, _ capability.Value) bool {
		a, here := theirs[key]
		b, there := ours[key]
		return here == there && a.Equal(b)
	})
	return both.SortedKeys()
}

// checkDifferences fails the test unless all keys that always differ do so, at least one of
// the row's, and no other.
func checkDifferences(t *testing.T, differ, always, row []string) {
	t.Helper()
	found := false
	for _, key := range differ {
		switch {
		case slices.Contains(row, key):
			found = true
		case !slices.Contains(always, key):
			t.Errorf("%s differs, and DRIVER.md does not have it", key)
		}
	}
	for _, key := range always {
		if !slices.Contains(differ, key) && !slices.Contains(row, key) {
			t.Errorf("%s differs always in DRIVER.md, and does not here", key)
		}
	}
	if len(row) > 0 && !found {
		t.Errorf("none of %v differs", row)
	}
}

// checkDriverFailure fails the test unless the driver has failed, and poolcast has every
// key but the missing ones.
func checkDriverFailure(t *testing.T, theirs cinderReport, ours capability.Report, missing []string) {
	t.Helper()
	if theirs.Error == "" {
		t.Error("the driver did not fail")
	}
	for _, k := range capability.Keys() {
		if !k.Driver {
			continue
		}
		_, there := ours.Capabilities[k.Name]
		if want := !slices.Contains(missing, k.Name); there != want {
			t.Errorf("%s is there: %v", k.Name, there)
		}
	}
}

// report is poolcast's report of the backend.
func (s *testArrays) report(t *testing.T, name string) capability.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tgt := s.target(t, name)
	r := collector.Once(ctx, []collector.Target{tgt})[0]
	for _, err := range collector.Close([]collector.Target{tgt}, 5*time.Second) {
		if err != nil {
			t.Error(err)
		}
	}
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	t.Logf("status %s, faults %v", r.Report.Status, r.Stats.Faults)
	return r.Report
}

// TestStalePolicyInCapacityFilter checks with Cinder's own CapacityFilter that the policy
// drop excludes the backend, and the others do not.
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

// staleUnder is the last report of an array that responded once.
func staleUnder(t *testing.T, policy collector.Policy) (last capability.Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := collector.New(collector.Options{})
		if err := c.Apply([]collector.Target{{
			Host: "here@x", Backend: "x", Pool: "gold", Source: &failingSource{}, Interval: time.Minute, OnStale: policy,
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

// failingSource responds once.
type failingSource struct{ polls int }

func (d *failingSource) Sample(context.Context) (capability.Sample, error) {
	if d.polls++; d.polls > 1 {
		return capability.Sample{}, errors.New("no route to host")
	}
	total, used, provisioned := int64(100<<30), int64(10<<30), int64(20<<30)
	return capability.Sample{
		CollectedAt: time.Now(),
		Space:       &capability.Space{Capacity: &total, TotalPhysical: &used, TotalProvisioned: &provisioned},
	}, nil
}

func (d *failingSource) Close(context.Context) error { return nil }
