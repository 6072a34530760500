package collector

import (
	"math"

	"github.com/poolcast/poolcast/collector/capability"
)

// stream is one kind of operation in a sample. Mirrored writes are a kind of
// their own: the array does not count them among the writes.
type stream struct{ rate, bytes, usec, queue *int64 }

// streams returns the kinds of operation; the mirrored writes only if the
// array told of any.
func streams(p *capability.Performance) []stream {
	kinds := []stream{
		{p.ReadsPerSec, p.ReadBytesPerSec, p.UsecPerRead, p.QueueUsecPerRead},
		{p.WritesPerSec, p.WriteBytesPerSec, p.UsecPerWrite, p.QueueUsecPerWrite},
	}
	if m := p.MirroredWritesPerSec; m != nil && *m > 0 {
		kinds = append(kinds, stream{m, p.MirroredWriteBytesPerSec, p.UsecPerMirroredWrite, p.QueueUsecPerMirroredWrite})
	}
	return kinds
}

// weighted sums rate × cost over all operations. It is known only if every
// kind that runs told its cost: half a truth would make the array look fast.
func weighted(kinds []stream, cost func(stream) *int64) (sum, operations float64, ok bool) {
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

// loadPercent is the share of its time that the average operation spends
// waiting in the array's queues. It is a whole number from 0 to 100, so that
// Cinder's functions can read it, and 0 when the array is idle.
func loadPercent(p *capability.Performance) (int64, bool) {
	kinds := streams(p)
	queued, operations, ok := weighted(kinds, func(k stream) *int64 { return k.queue })
	total, _, known := weighted(kinds, func(k stream) *int64 { return k.usec })
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
	sum, operations, ok := weighted(streams(p), func(k stream) *int64 { return k.usec })
	if !ok || operations == 0 {
		return 0, false
	}
	return sum / operations, true
}

// bytesPerSec is the bandwidth in both directions.
func bytesPerSec(p *capability.Performance) (sum float64, ok bool) {
	for _, k := range streams(p) {
		if k.bytes == nil {
			return 0, false
		}
		sum += float64(*k.bytes)
	}
	return sum, true
}
