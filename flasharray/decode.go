package flasharray

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// maxWarnings is how many warnings one response may cause. A response may have a
// million members of the wrong type.
const maxWarnings = 8

// lastMillisecond is the end of the year 9999; later times are invalid.
const lastMillisecond = 253402300799999

// object reads a JSON object tolerantly: a member that is null or of the wrong
// type counts as missing, and the latter adds a warning. An unexpected member so
// costs one field and never the sample.
type object struct {
	name     string
	members  map[string]json.RawMessage
	warnings *[]error
}

// parseObject returns an empty object for anything that is not one.
func parseObject(raw []byte, name string, warnings *[]error) object {
	o := object{name: name, warnings: warnings}
	if len(raw) == 0 || string(raw) == "null" {
		return o
	}
	if err := json.Unmarshal(raw, &o.members); err != nil {
		o.warn("", "is not an object")
	}
	return o
}

// parseBody reads a whole body, which must be a JSON object.
func parseBody(body []byte, name string, warnings *[]error) (object, error) {
	o := object{name: name, warnings: warnings}
	if err := json.Unmarshal(body, &o.members); err != nil {
		return o, fmt.Errorf("response is not the JSON of the API: %w", err)
	}
	return o, nil
}

func (o object) warn(key, what string) {
	if len(*o.warnings) >= maxWarnings {
		return
	}
	name := o.name
	if key != "" {
		name += "." + key
	}
	*o.warnings = append(*o.warnings, fmt.Errorf("%s %s", name, what))
}

// raw returns a member that is present and not null.
func (o object) raw(key string) (json.RawMessage, bool) {
	raw, ok := o.members[key]
	return raw, ok && string(raw) != "null"
}

func (o object) object(key string) object {
	raw, _ := o.raw(key)
	return parseObject(raw, o.name+"."+key, o.warnings)
}

// member decodes a member; wrongType is the warning for one of another type.
func member[T any](o object, key, wrongType string) (v T) {
	if raw, ok := o.raw(key); ok && json.Unmarshal(raw, &v) != nil {
		o.warn(key, wrongType)
	}
	return v
}

// text returns a string of bounded length: names are published.
func (o object) text(key string) string {
	return format.Shorten(member[string](o, key, "is not a string"), textLimit)
}

func (o object) texts(key string) []string {
	var list []string
	for _, raw := range o.list(key) {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			list = append(list, s)
		}
	}
	return list
}

func (o object) list(key string) []json.RawMessage {
	return member[[]json.RawMessage](o, key, "is not a list")
}

// items returns the list that every response to a GET has. It is never null, so
// its absence means that the response is not from the API of an array.
func (o object) items() ([]object, error) {
	if _, ok := o.raw("items"); !ok {
		return nil, errors.New("response has no items; is this a FlashArray?")
	}
	list := o.list("items")
	items := make([]object, len(list))
	for i := range list {
		items[i] = parseObject(list[i], o.name, o.warnings)
	}
	return items, nil
}

// float returns a number. None of the numbers that are read can be negative.
func (o object) float(key string) *float64 {
	raw, ok := o.raw(key)
	if !ok {
		return nil
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err != nil || math.IsInf(f, 0) || math.IsNaN(f):
		o.warn(key, "is not a number")
		return nil
	case f < 0:
		o.warn(key, "is negative")
		return nil
	}
	return &f
}

// int returns a whole number. Some arrays and proxies write 5 as 5.0.
func (o object) int(key string) *int64 {
	raw, ok := o.raw(key)
	if !ok {
		return nil
	}
	if i, err := strconv.ParseInt(string(raw), 10, 64); err == nil && i >= 0 {
		return &i
	}
	f := o.float(key)
	if f == nil {
		return nil
	}
	if *f >= math.MaxInt64 {
		o.warn(key, "is too large")
		return nil
	}
	i := int64(math.Round(*f))
	return &i
}

// time returns a time that the array sent in milliseconds.
func (o object) time(key string) (time.Time, bool) {
	ms := o.int(key)
	if ms == nil || *ms == 0 || *ms > lastMillisecond {
		return time.Time{}, false
	}
	return time.UnixMilli(*ms).UTC(), true
}

// page is a response of the shape that every list has.
type page struct {
	*response
	object

	items []object
}

func parsePage(body []byte, name string, warnings *[]error) (*page, error) {
	o, err := parseBody(body, name, warnings)
	if err != nil {
		return nil, err
	}
	for _, raw := range o.list("errors") { // beside a partial success, 207
		_, message := oneMessage(raw)
		o.warn("errors", "contains: "+message)
	}
	items, err := o.items()
	return &page{object: o, items: items}, err
}
