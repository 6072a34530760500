package flasharray_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/poolcast/poolcast/collector/capability"
)

func TestSample(t *testing.T) {
	f := newFakeArray(t)
	c := f.client(t)
	got, err := c.Sample(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := capability.Sample{
		Identity: capability.Identity{ID: "A1", Name: "fa1", Model: "FA-X50R4", Purity: "6.4.10", Service: "Evergreen//One", REST: "2.26"},
		Space: &capability.Space{
			Capacity: new(int64(1000)), TotalPhysical: new(int64(400)), UsedProvisioned: new(int64(700)),
			DataReduction: new(4.0), TotalReduction: new(16.5),
		},
		Counts: capability.Counts{
			Volumes: new(int64(3)), LiveVolumes: new(int64(3)), Snapshots: new(int64(4)),
			Hosts: new(int64(5)), ProtectionGroups: new(int64(6)),
		},
		Performance: &capability.Performance{
			Resolution: 30e9, ReadsPerSec: new(int64(7)), WritesPerSec: new(int64(2)), UsecPerRead: new(int64(310)),
		},
		Links: []capability.Link{{Peer: "fa2", Status: "connected", Type: "async-replication"}},
	}
	want.Condition.Controllers.Value = []capability.Controller{
		{Name: "CT0", Mode: "secondary", Model: "FA-X20R4"}, {Name: "CT1", Mode: "primary", Model: "FA-X50R4"},
	}
	clocks := cmpopts.IgnoreFields(capability.Sample{}, "CollectedAt", "ClockSkew", "LinksAt")
	if diff := cmp.Diff(want, got, clocks,
		cmpopts.IgnoreFields(capability.Performance{}, "Time", "Age"), cmpopts.IgnoreFields(capability.Reading[[]capability.Controller]{}, "At", "Every")); diff != "" {
		t.Errorf("sample differs (-want +got):\n%s", diff)
	}
	f.paths()
	if _, err := c.Sample(t.Context()); err != nil {
		t.Fatal(err)
	}
	if asked := f.paths(); len(asked) != 8 {
		t.Errorf("the second sample cost %d requests: %q", len(asked), asked)
	}
	if err := c.Close(t.Context()); err != nil || f.openSessions() != 0 {
		t.Errorf("%d sessions are open after Close (%v)", f.openSessions(), err)
	}
}
