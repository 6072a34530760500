package cinder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
)

// Request is the volume to place: the parts of a request spec and its filter
// properties that filters and weighers read (cinder/scheduler/filter_scheduler.py).
// An engine takes a Request or a *Request; the latter must not be changed while a
// decision on it may still be read.
type Request struct {
	// Size of the volume in GiB.
	Size int64 `json:"size"`
	// NewSize is the size to extend the volume to, 0 if it is not extended.
	NewSize int64 `json:"new_size,omitempty"`
	// Type is nil for a volume without a type.
	Type *VolumeType `json:"volume_type,omitempty"`
	// Properties are what functions read as volume.name.
	Properties capability.Set `json:"volume_properties,omitempty"`
	// QoS are what functions read as qos.name; nil if there are none.
	QoS capability.Set `json:"qos_specs,omitempty"`
	// Zones are the acceptable availability zones, Zone the only one. If both
	// are set, Zones count.
	Zones []string `json:"availability_zones,omitempty"`
	Zone  string   `json:"availability_zone,omitempty"`
	// ExistsOn is the backend that already holds the volume (a retype); it
	// always passes the CapacityFilter.
	ExistsOn string `json:"vol_exists_on,omitempty"`
	// ResourceBackend is the pool that a clone must be on, that of its source. The
	// scheduler filters and weighs first, and then removes the others
	// (cinder/scheduler/filter_scheduler.py, _schedule). An engine does not read it.
	ResourceBackend string `json:"resource_backend,omitempty"`
	// Tried are the backends of earlier attempts.
	Tried []string `json:"retry_backends,omitempty"`
	// Query is the JsonFilter's scheduler hint: JSON text.
	Query string `json:"query,omitempty"`
	// DifferentFrom and SameAs are the backends (hosts or clusters with pool)
	// of the volumes in the hints different_host and same_host. Cinder looks
	// them up in its database; here the caller does.
	DifferentFrom []string `json:"different_from,omitempty"`
	SameAs        []string `json:"same_as,omitempty"`
	// LocalToInstance is the hint local_to_instance, the UUID of an instance, and
	// InstanceHost the host of that instance (OS-EXT-SRV-ATTR:host). Cinder requests
	// it from Nova; here the caller does, and may leave the UUID out. With the hint and
	// without the host the InstanceLocalityFilter fails, as it does where Nova does not
	// return the host.
	LocalToInstance string `json:"local_to_instance,omitempty"`
	InstanceHost    string `json:"instance_host,omitempty"`
	// RandomSeed is returned by Seed.
	RandomSeed uint64 `json:"seed,omitempty"`
}

// Seed implements [placement.Request].
func (r Request) Seed() uint64 { return r.RandomSeed }

// Consumption is what the scheduler deducts from the chosen backend until its next
// report, for placement.Snapshot.Consume (cinder/scheduler/host_manager.py,
// consume_from_volume).
func (r Request) Consumption() placement.Consumption {
	return placement.Consumption{GiB: float64(r.Size)}
}

// VolumeType is a volume type's name and requirements.
type VolumeType struct {
	Name       string     `json:"name"`
	ExtraSpecs ExtraSpecs `json:"extra_specs"`
}

// ExtraSpecs are a volume type's requirements in their order, which is the
// order in which they are checked.
type ExtraSpecs []ExtraSpec

// With returns them with others, each in the place of one with the same key, at the end.
func (e ExtraSpecs) With(more ...ExtraSpec) ExtraSpecs {
	out := slices.Clone(e)
	for _, spec := range more {
		out = append(slices.DeleteFunc(out, func(s ExtraSpec) bool { return s.Key == spec.Key }), spec)
	}
	return out
}

// ExtraSpec is one requirement. Value is nil for JSON null.
type ExtraSpec struct {
	Key   string
	Value *string
}

// get returns the value of a key, and whether it is there and not null.
func (s ExtraSpecs) get(key string) (string, bool) {
	for i := range s {
		if s[i].Key == key && s[i].Value != nil {
			return *s[i].Value, true
		}
	}
	return "", false
}

// dictionary returns the specs as the dictionary that functions read as extra.name.
func (s ExtraSpecs) dictionary() capability.Set {
	out := make(capability.Set, len(s))
	for i := range s {
		out[s[i].Key] = capability.Value{}
		if s[i].Value != nil {
			out[s[i].Key] = capability.OfString(*s[i].Value)
		}
	}
	return out
}

// MarshalJSON writes an object with the specs in their order.
func (s ExtraSpecs) MarshalJSON() ([]byte, error) {
	buf := bytes.NewBufferString("{")
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false) // values are full of < and >
	for i := range s {
		if i > 0 {
			buf.WriteByte(',')
		}
		if err := enc.Encode(s[i].Key); err != nil {
			return nil, err
		}
		buf.WriteByte(':')
		if err := enc.Encode(s[i].Value); err != nil {
			return nil, err
		}
	}
	buf.WriteByte('}')
	return buf.Bytes(), nil
}

// UnmarshalJSON reads an object of strings and nulls, keeping its order. Of
// repeated keys the first keeps its place and the last its value, as in a
// Python dict.
func (s *ExtraSpecs) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	open, err := dec.Token()
	if err != nil {
		return err
	}
	*s = nil
	if open == nil {
		return nil
	}
	if open != json.Delim('{') {
		return fmt.Errorf("read extra specs: got %v, want an object", open)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		var value *string
		if err := dec.Decode(&value); err != nil {
			return fmt.Errorf("read extra spec %v: %w", key, err)
		}
		s.put(fmt.Sprint(key), value)
	}
	return nil
}

func (s *ExtraSpecs) put(key string, value *string) {
	for i := range *s {
		if (*s)[i].Key == key {
			(*s)[i].Value = value
			return
		}
	}
	*s = append(*s, ExtraSpec{Key: key, Value: value})
}

// Spec makes an extra spec of two strings.
func Spec(key, value string) ExtraSpec { return ExtraSpec{Key: key, Value: &value} }

// ExtraSpecsOf makes extra specs of a map, in the order of its keys.
func ExtraSpecsOf(specs map[string]string) ExtraSpecs {
	out := make(ExtraSpecs, 0, len(specs))
	for _, key := range slices.Sorted(maps.Keys(specs)) {
		out = append(out, Spec(key, specs[key]))
	}
	return out
}

// requestOf returns r as this package's request.
func requestOf(r placement.Request) (*Request, error) {
	switch r := r.(type) {
	case Request:
		return &r, nil
	case *Request:
		if r != nil {
			return r, nil
		}
	}
	return nil, fmt.Errorf("the request is a %T, not a cinder.Request", r)
}

// extendsInUse reports whether a volume is extended that may be attached.
func (r *Request) extendsInUse() bool {
	status, _ := r.Properties["attach_status"].Str()
	return r.NewSize != 0 && status != "detached"
}

// specs returns the extra specs of the request's type.
func (r *Request) specs() ExtraSpecs {
	if r.Type == nil {
		return nil
	}
	return r.Type.ExtraSpecs
}
