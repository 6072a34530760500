package render_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/terminaltest"
	"github.com/poolcast/poolcast/collector/capability"
)

// reportOf is a report of an array of 100 GiB.
func reportOf(pool string, n int, status capability.Status, free, load float64) capability.Report {
	host := fmt.Sprintf("ctl1@a%d", n)
	return capability.Report{Host: host, Backend: host[5:], Pool: pool, Zone: "dc1", Status: status, Capabilities: capability.Set{
		capability.KeyTotalCapacity: capability.OfFloat(100), capability.KeyFreeCapacity: capability.OfFloat(free),
		capability.KeyProvisionedCapacity: capability.OfFloat(50), capability.KeyMaxOverSubscription: capability.OfFloat(2),
		capability.KeyReservedPercentage: capability.OfInt(0), capability.KeyThinProvisioning: capability.OfBool(true),
		capability.KeyLoadPercent: capability.OfFloat(load),
	}}
}

func pools(t *testing.T, reports ...capability.Report) string {
	t.Helper()
	var out strings.Builder
	if err := render.Pools(&out, "table", &backends.Set{Source: backends.Arrays, Reports: reports}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPoolsBeginWithALineAPool(t *testing.T) {
	missing := reportOf("silver", 4, capability.Stale, 0, 0)
	missing.Capabilities = capability.Set{}
	other := reportOf("lvm", 5, "", 0, 0)
	other.Capabilities = capability.Set{}
	got := pools(t, reportOf("gold", 1, capability.OK, 80, 10), reportOf("gold", 2, capability.Partial, 20, 31),
		reportOf("silver", 3, capability.OK, 50, 7), missing, other)
	for i, want := range []string{
		"POOL ZONE ARRAYS STATUS USED FREE GiB TOTAL GiB PROVISIONED VIRTUAL FREE LOAD % HIGHEST LOAD EVEN",
		"gold dc1 2 partial 50 % 100 200 100 300 21 31 -",
		"lvm dc1 1 - - - - - - - - -",
		"silver dc1 2 stale 50 % 50+ 100+ 50+ 150+ 7 7 -",
		"",
		"gold in dc1: 2 arrays, load evenness unknown, capacity evenness 74 %, data reduction difference unknown",
	} {
		if line := strings.Join(strings.Fields(strings.Split(got, "\n")[i]), " "); line != want {
			t.Errorf("line %d is %q, want %q", i+1, line, want)
		}
	}
	if one := pools(t, reportOf("gold", 1, capability.OK, 80, 10)); strings.Contains(one, "POOL ") {
		t.Errorf("one pool is summed up:\n%s", one)
	}
}

// TestSummaryOfFortyPoolsFitsAScreen of 80 columns and 50 lines.
func TestSummaryOfFortyPoolsFitsAScreen(t *testing.T) {
	set := &backends.Set{Source: backends.Arrays}
	for i := range 40 {
		set.Reports = append(set.Reports, reportOf(fmt.Sprintf("pool-%02d", i), i, capability.OK, 80, 10))
	}
	terminal := terminaltest.Open(t, 80)
	if err := render.Pools(terminal.Program, "table", set); err != nil {
		t.Fatal(err)
	}
	lines := terminaltest.Screen(terminal.End())
	for i, line := range lines {
		if line == "" && i > 45 || len(line) > 80 {
			t.Fatalf("line %d: %q", i, line)
		}
		if line == "" {
			return
		}
	}
}
