package capability

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Set is a capability dictionary. A Set that was passed to another goroutine
// must not be changed any more; [Set.Clone] and [Set.Overlay] return a new one.
type Set map[string]Value

// ParseSet reads a JSON object, such as the value of extra_capabilities. Of
// repeated keys the last one counts, as in Python's json.loads; NaN and
// Infinity, which Python accepts, are errors.
func ParseSet(data []byte) (Set, error) {
	var v Value
	if err := v.UnmarshalJSON(data); err != nil {
		return nil, fmt.Errorf("read JSON object: %w", err)
	}
	s, ok := v.Set()
	if !ok {
		return nil, fmt.Errorf("read JSON object: got a JSON %s", v.Kind())
	}
	return s, nil
}

// Overlay returns a new set with every key of both. Where both have a key, the
// value is that of top, as in Cinder's pool.update(extra_capabilities)
// (cinder/volume/manager.py).
func (s Set) Overlay(top Set) Set {
	out := make(Set, len(s)+len(top))
	maps.Copy(out, s)
	maps.Copy(out, top)
	return out
}

// Clone returns a copy that may be changed. Values are immutable and shared.
func (s Set) Clone() Set { return s.Overlay(nil) }

// Equal reports whether both sets hold the same keys with equal values.
func (s Set) Equal(t Set) bool {
	return maps.EqualFunc(s, t, Value.Equal)
}

// SortedKeys returns the keys in the order in which they are printed.
func (s Set) SortedKeys() []string { return slices.Sorted(maps.Keys(s)) }

// Number returns a finite number, and whether the key holds one.
func (s Set) Number(key string) (float64, bool) {
	f, ok := s[key].Float()
	return f, ok && !math.IsInf(f, 0) && !math.IsNaN(f)
}

// Operations returns the reads and writes per second, and whether both are
// there.
func (s Set) Operations() (perSecond float64, ok bool) {
	reads, okReads := s.Number(KeyReadsPerSec)
	writes, okWrites := s.Number(KeyWritesPerSec)
	return reads + writes, okReads && okWrites
}

// UsedShare returns how full the backend is, from 0 to 1, and whether the
// capacities are there.
func (s Set) UsedShare() (share float64, ok bool) {
	total, okTotal := s.Number(KeyTotalCapacity)
	free, okFree := s.Number(KeyFreeCapacity)
	if !okTotal || !okFree || total <= 0 {
		return 0, false
	}
	return min(1, max(0, (total-free)/total)), true
}

// PutInt sets key to *i. It does nothing if i is nil: a number that was not
// measured is absent, never zero.
func (s Set) PutInt(key string, i *int64) {
	if i != nil {
		s[key] = OfInt(*i)
	}
}

// PutString sets key to text. It does nothing if text is empty.
func (s Set) PutString(key, text string) {
	if text != "" {
		s[key] = OfString(text)
	}
}

// MarshalJSON writes the set with its keys sorted, so that equal sets have equal
// JSON.
func (s Set) MarshalJSON() ([]byte, error) { return s.append(nil) }

func (s Set) append(b []byte) ([]byte, error) {
	b = append(b, '{')
	for i, key := range s.SortedKeys() {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendString(b, key); err != nil {
			return nil, err
		}
		b = append(b, ':')
		if b, err = s[key].append(b); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads a JSON object; see [ParseSet].
func (s *Set) UnmarshalJSON(data []byte) error {
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		*s = nil
		return nil
	}
	parsed, err := ParseSet(data)
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

var (
	_ json.Marshaler   = Set(nil)
	_ json.Unmarshaler = (*Set)(nil)
)
