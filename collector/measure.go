package collector

import (
	"math"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
)

const gib = 1 << 30

// measure turns a sample into keys: the driver's, and the additional ones.
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
// own ratio, or the option while that is unknown (Evergreen//One) or 100 and
// above.
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

// putFinite leaves out what JSON cannot represent.
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

// putRequested adds the keys that appear only when the stanza requests them.
func putRequested(set capability.Set, s capability.Sample, live []string) {
	if len(live) == 0 {
		return
	}
	requested := func(key string) bool { return slices.Contains(live, key) }
	if p := s.Performance; p != nil {
		if usec, ok := averageUsec(p); ok && requested(capability.KeyAvgLatency) {
			set[capability.KeyAvgLatency] = capability.OfFloat(usec / 1000)
		}
		if bytes, ok := bytesPerSec(p); ok && requested(capability.KeyAvgThroughput) {
			set[capability.KeyAvgThroughput] = capability.OfFloat(bytes / 1e6)
		}
	}
	if s.Space != nil && requested(capability.KeyDedupeRatio) {
		putFinite(set, capability.KeyDedupeRatio, s.Space.DataReduction)
	}
}

// ioKind is one kind of operation in a sample. Mirrored writes are a separate
// kind: the array does not count them as writes.
type ioKind struct{ rate, bytes, usec, queue *int64 }

// ioKinds returns the kinds of operation; the mirrored writes only if there are
// any.
func ioKinds(p *capability.Performance) []ioKind {
	kinds := []ioKind{
		{p.ReadsPerSec, p.ReadBytesPerSec, p.UsecPerRead, p.QueueUsecPerRead},
		{p.WritesPerSec, p.WriteBytesPerSec, p.UsecPerWrite, p.QueueUsecPerWrite},
	}
	if m := p.MirroredWritesPerSec; m != nil && *m > 0 {
		kinds = append(kinds, ioKind{m, p.MirroredWriteBytesPerSec, p.UsecPerMirroredWrite, p.QueueUsecPerMirroredWrite})
	}
	return kinds
}

// weighted sums rate × cost over all operations. It is known only if the cost
// of every kind with a rate above 0 is: a partial sum would make the array look
// fast.
func weighted(kinds []ioKind, cost func(ioKind) *int64) (sum, operations float64, ok bool) {
	for _, k := range kinds {
		if k.rate == nil || *k.rate > 0 && cost(k) == nil {
			return 0, 0, false
		}
		if *k.rate > 0 {
			sum += float64(*k.rate) * float64(*cost(k))
			operations += float64(*k.rate)
		}
	}
	return sum, operations, true
}

// loadPercent is the share of the latency of the average operation that is
// spent in the array's queues. It is a whole number from 0 to 100, so that
// Cinder's functions can read it, and 0 when the array is idle.
func loadPercent(p *capability.Performance) (int64, bool) {
	kinds := ioKinds(p)
	queued, operations, ok := weighted(kinds, func(k ioKind) *int64 { return k.queue })
	total, _, known := weighted(kinds, func(k ioKind) *int64 { return k.usec })
	switch {
	case !ok || !known:
		return 0, false
	case operations == 0 || queued <= 0:
		return 0, true
	case queued >= total:
		return 100, true
	}
	return int64(math.Round(100 * queued / total)), true
}

// averageUsec is the latency of the average operation. An idle array has none.
func averageUsec(p *capability.Performance) (float64, bool) {
	sum, operations, ok := weighted(ioKinds(p), func(k ioKind) *int64 { return k.usec })
	if !ok || operations == 0 {
		return 0, false
	}
	return sum / operations, true
}

// bytesPerSec is the bandwidth in both directions.
func bytesPerSec(p *capability.Performance) (sum float64, ok bool) {
	for _, k := range ioKinds(p) {
		if k.bytes == nil {
			return 0, false
		}
		sum += float64(*k.bytes)
	}
	return sum, true
}
