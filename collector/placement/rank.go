package placement

import (
	"math"
	"slices"
)

// keyed is a survivor on its way to its rank.
type keyed struct {
	key uint64 // ascends as the weight descends
	at  uint32 // position among the survivors
}

// radixFrom is the number of survivors from which counting digits beats
// comparing.
const radixFrom = 128

// rank returns the survivors best first, equals in the order of the snapshot.
func (x *scratch) rank() []keyed {
	x.order = slices.Grow(x.order[:0], len(x.total))
	for i, w := range x.total {
		x.order = append(x.order, keyed{key: descending(w), at: uint32(i)})
	}
	if len(x.order) < radixFrom {
		slices.SortStableFunc(x.order, func(a, b keyed) int {
			switch {
			case a.key < b.key:
				return -1
			case a.key > b.key:
				return 1
			}
			return 0
		})
		return x.order
	}
	x.spare = slices.Grow(x.spare[:0], len(x.order))[:len(x.order)]
	x.order, x.spare = radixSort(x.order, x.spare)
	return x.order
}

// descending maps floats to integers in the opposite order. Zeros of both
// signs are equal.
func descending(w float64) uint64 {
	bits := math.Float64bits(w + 0) // -0 + 0 is 0
	if bits>>63 == 0 {
		return ^bits &^ (1 << 63)
	}
	return bits
}

const (
	digitBits = 11
	digits    = 1 << digitBits
)

// radixSort sorts by key, stably, digit after digit. It returns the sorted
// slice and the other one.
func radixSort(from, to []keyed) (sorted, spare []keyed) {
	for shift := 0; shift < 64; shift += digitBits {
		var count [digits]uint32
		for i := range from {
			count[from[i].key>>shift&(digits-1)]++
		}
		if count[from[0].key>>shift&(digits-1)] == uint32(len(from)) {
			continue // all the same: nothing to move
		}
		start := uint32(0)
		for d, n := range count {
			count[d], start = start, start+n
		}
		for i := range from {
			d := from[i].key >> shift & (digits - 1)
			to[count[d]] = from[i]
			count[d]++
		}
		from, to = to, from
	}
	return from, to
}
