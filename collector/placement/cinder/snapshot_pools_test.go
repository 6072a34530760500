package cinder

import (
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
)

// TestSnapshotWithSeveralPools: the pools of a backend of another vendor are decided on
// one by one, and those of a cluster's hosts are one.
func TestSnapshotWithSeveralPools(t *testing.T) {
	set := func(n int64) capability.Set {
		return capability.Set{capability.KeyVolumeBackendName: capability.OfString("netapp"), "n": capability.OfInt(n)}
	}
	s := NewSnapshot([]capability.Report{
		{Host: "ctl1@netapp", PoolName: "aggr1", Capabilities: set(1)},
		{Host: "ctl1@netapp", PoolName: "aggr2", Capabilities: set(2)},
		{Host: "ctl1@netapp", Capabilities: set(3)},
		{Host: "ctl1@lvm", Cluster: "c@lvm", PoolName: "p", Capabilities: set(4)},
		{Host: "ctl2@lvm", Cluster: "c@lvm", PoolName: "p", Capabilities: set(5)},
	})
	want := map[string]int64{"ctl1@netapp#aggr1": 1, "ctl1@netapp#aggr2": 2, "ctl1@netapp#netapp": 3, "c@lvm#p": 5}
	for i := range s.Len() {
		b := s.At(i)
		n, _ := b.Report().Capabilities["n"].Int()
		if n != want[b.ID()] || n == 0 {
			t.Errorf("%s has %d, want %d", b.ID(), n, want[b.ID()])
		}
		delete(want, b.ID())
	}
	if len(want) > 0 {
		t.Errorf("these are missing: %v", want)
	}
}
