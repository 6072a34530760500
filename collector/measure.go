package collector

import (
	"math"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
)

const gib = 1 << 30

// measure turns a reading into keys: the driver's, and the additions.
func measure(s capability.Sample, st Stanza) capability.Set {
	set := make(capability.Set, 48)
	putSpace(set, s.Space, st)
	putCounts(set, s.Counts)
	putPerformance(set, s.Performance)
	putIdentity(set, s.Identity)
	if s.Links != nil {
		set[capability.KeyReplicationCapability] = replicationCapability(s.Links)
	}
	putRequested(set, s, st.Live)
	return set
}

func putSpace(set capability.Set, sp *capability.Space, st Stanza) {
	if sp == nil {
		return
	}
	used := sp.Used()
	putGiB(set, capability.KeyTotalCapacity, sp.Capacity)
	putGiB(set, capability.KeyProvisionedCapacity, sp.Provisioned())
	if sp.Capacity != nil && used != nil {
		// Subtracted after the division, as the driver does, so that the last
		// digit is the same too.
		free := float64(*sp.Capacity)/gib - float64(*used)/gib
		set[capability.KeyFreeCapacity] = capability.OfFloat(free)
	}
	if st.AutomaticOverSubscription {
		putAutomaticRatio(set, sp, st)
	}
	putFinite(set, capability.KeyDataReduction, sp.DataReduction)
	putFinite(set, capability.KeyTotalReduction, sp.TotalReduction)
	if r := sp.DataReduction; r != nil && math.Abs(*r) < math.MaxInt64/1000 {
		set[capability.KeyDataReductionPercent] = capability.OfInt(int64(math.Round(*r * 100)))
	}
}

// putAutomaticRatio follows the driver's _get_thin_provisioning: the array's
// own ratio, or the option while that is unknown (Evergreen//One) or so high
// that it says nothing.
func putAutomaticRatio(set capability.Set, sp *capability.Space, st Stanza) {
	if r := sp.TotalReduction; r != nil && *r < 100 {
		putFinite(set, capability.KeyMaxOverSubscription, r)
		return
	}
	putRatio(set, st)
}

func putGiB(set capability.Set, key string, bytes *int64) {
	if bytes != nil {
		set[key] = capability.OfFloat(float64(*bytes) / gib)
	}
}

// putFinite leaves out what JSON cannot say.
func putFinite(set capability.Set, key string, f *float64) {
	if f != nil && !math.IsNaN(*f) && !math.IsInf(*f, 0) {
		set[key] = capability.OfFloat(*f)
	}
}

func putCounts(set capability.Set, c capability.Counts) {
	set.PutInt(capability.KeyTotalVolumes, c.Volumes)
	set.PutInt(capability.KeyTotalSnapshots, c.Snapshots)
	set.PutInt(capability.KeyTotalHosts, c.Hosts)
	set.PutInt(capability.KeyTotalProtectionGroups, c.ProtectionGroups)
	set.PutInt(capability.KeyLiveVolumes, c.LiveVolumes)
}

func putPerformance(set capability.Set, p *capability.Performance) {
	if p == nil {
		return
	}
	set.PutInt(capability.KeyWritesPerSec, p.WritesPerSec)
	set.PutInt(capability.KeyReadsPerSec, p.ReadsPerSec)
	set.PutInt(capability.KeyInputPerSec, p.WriteBytesPerSec)
	set.PutInt(capability.KeyOutputPerSec, p.ReadBytesPerSec)
	set.PutInt(capability.KeyUsecPerRead, p.UsecPerRead)
	set.PutInt(capability.KeyUsecPerWrite, p.UsecPerWrite)
	set.PutInt(capability.KeyQueueDepth, p.QueueDepth)
	set.PutInt(capability.KeyQueueUsecPerMirroredWrite, p.QueueUsecPerMirroredWrite)
	set.PutInt(capability.KeyQueueUsecPerRead, p.QueueUsecPerRead)
	set.PutInt(capability.KeyQueueUsecPerWrite, p.QueueUsecPerWrite)
	if load, ok := loadPercent(p); ok {
		set[capability.KeyLoadPercent] = capability.OfInt(load)
	}
}

func putIdentity(set capability.Set, id capability.Identity) {
	set.PutString(capability.KeyArrayID, id.ID)
	set.PutString(capability.KeyArrayName, id.Name)
	set.PutString(capability.KeyArrayModel, id.Model)
	set.PutString(capability.KeyPurityVersion, id.Purity)
}

// putRequested adds the keys that appear only when the stanza asks for them.
func putRequested(set capability.Set, s capability.Sample, live []string) {
	if len(live) == 0 {
		return
	}
	asked := func(key string) bool { return slices.Contains(live, key) }
	if p := s.Performance; p != nil {
		if usec, ok := averageUsec(p); ok && asked(capability.KeyAvgLatency) {
			set[capability.KeyAvgLatency] = capability.OfFloat(usec / 1000)
		}
		if bytes, ok := bytesPerSec(p); ok && asked(capability.KeyAvgThroughput) {
			set[capability.KeyAvgThroughput] = capability.OfFloat(bytes / 1e6)
		}
	}
	if s.Space != nil && asked(capability.KeyDedupeRatio) {
		putFinite(set, capability.KeyDedupeRatio, s.Space.DataReduction)
	}
}
