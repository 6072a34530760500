package capability

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Set is a capability dictionary: what the scheduler knows of one backend.
// A Set that was handed to another goroutine must not be changed any more;
// [Set.Clone] or [Set.Overlay] give a new one.
type Set map[string]Value

// ParseSet reads a JSON object, such as the value of extra_capabilities. Like
// Python's json.loads it lets the last of repeated keys win; unlike it, it
// refuses NaN and Infinity, which are not JSON.
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

// Overlay returns a new set with every key of both; where both have a key, top
// wins, as in Cinder's own pool.update(extra_capabilities)
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

// PutInt sets key to *i, and leaves the set alone when i is nil: a number that
// was not measured is absent, never zero.
func (s Set) PutInt(key string, i *int64) {
	if i != nil {
		s[key] = OfInt(*i)
	}
}

// PutFloat sets key to *f, and leaves the set alone when f is nil.
func (s Set) PutFloat(key string, f *float64) {
	if f != nil {
		s[key] = OfFloat(*f)
	}
}

// PutString sets key to text, and leaves the set alone when text is empty.
func (s Set) PutString(key, text string) {
	if text != "" {
		s[key] = OfString(text)
	}
}

// MarshalJSON writes the set with its keys sorted, so that equal sets print
// alike.
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
