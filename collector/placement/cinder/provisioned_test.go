package cinder_test

import (
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// TestProvisionedKeyIsUsed: the arithmetic uses the key, and names it.
func TestProvisionedKeyIsUsed(t *testing.T) {
	const common = `"thin_provisioning_support":true,"max_over_subscription_ratio":2,"total_capacity_gb":1000,"free_capacity_gb":900,"allocated_capacity_gb":10`
	var reports []capability.Report
	for _, c := range []struct{ capabilities, key, term string }{
		{common + `,"provisioned_capacity_gb":300`, "provisioned_capacity_gb", "provisioned 300"},
		{common + `,"provisioned_capacity":300`, "allocated_capacity_gb", "allocated 10"}, // Cinder 21 to 28
		{common, "allocated_capacity_gb", "allocated 10"},
	} {
		r := report(t, "h@a", "", "{"+c.capabilities+"}")
		reports = append(reports, r)
		if got := cinder.ProvisionedKey(&r); got != c.key {
			t.Errorf("%s: %s, want %s", c.capabilities, got, c.key)
		}
		d, err := decide(t, cinder.Options{}, &cinder.Request{Size: 5}, r)
		if err != nil || !strings.HasSuffix(d.Chosen.ScoreReason(0), "total 1000 × ratio 2 - "+c.term) {
			t.Errorf("%s is explained as %s (%v)", c.capabilities, d.Chosen.ScoreReason(0), err)
		}
		d, _ = decide(t, cinder.Options{}, &cinder.Request{Size: 1995}, r)
		if reason := d.Verdicts[0].Reason(); !strings.Contains(reason, c.term) {
			t.Errorf("%s is refused as %s", c.capabilities, reason)
		}
	}
	if note := cinder.ProvisionedNote(reports[:1]); note != "" {
		t.Errorf("the note is %q", note)
	}
	reports[1].Backend, reports[2].Backend = "fa1", "fa2"
	for n, want := range map[int]string{2: "of fa1 uses", 3: "of fa1 and fa2 uses"} {
		if note := cinder.ProvisionedNote(reports[:n]); !strings.Contains(note, want) {
			t.Errorf("the note is %q, want %s", note, want)
		}
	}
}
