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

// oddLimit is how many members of the wrong type one answer notes. An answer may
// have a million of them.
const oddLimit = 8

// lastMillisecond is the end of the year 9999; times behind it are not times.
const lastMillisecond = 253402300799999

// object reads a JSON object forgivingly: a member that is missing or null is
// not there, and one of the wrong type is not there either but is noted in odd.
// So an unforeseen answer costs one field and never a reading.
type object struct {
	name    string
	members map[string]json.RawMessage
	odd     *[]error
}

// parseObject returns an empty object for anything that is not one.
func parseObject(raw []byte, name string, odd *[]error) object {
	o := object{name: name, odd: odd}
	if len(raw) == 0 || string(raw) == "null" {
		return o
	}
	if err := json.Unmarshal(raw, &o.members); err != nil {
		o.note("", "is not an object")
	}
	return o
}

// parseAnswer reads a whole body, which must be a JSON object.
func parseAnswer(body []byte, name string, odd *[]error) (object, error) {
	o := object{name: name, odd: odd}
	if err := json.Unmarshal(body, &o.members); err != nil {
		return o, fmt.Errorf("answer is not the JSON of the API: %w", err)
	}
	return o, nil
}

func (o object) note(key, what string) {
	if len(*o.odd) >= oddLimit {
		return
	}
	name := o.name
	if key != "" {
		name += "." + key
	}
	*o.odd = append(*o.odd, fmt.Errorf("%s %s", name, what))
}

// raw returns a member that is there and not null.
func (o object) raw(key string) (json.RawMessage, bool) {
	raw, ok := o.members[key]
	return raw, ok && string(raw) != "null"
}

func (o object) object(key string) object {
	raw, _ := o.raw(key)
	return parseObject(raw, o.name+"."+key, o.odd)
}

// text returns a text of bounded length: names are published.
func (o object) text(key string) string {
	raw, ok := o.raw(key)
	if !ok {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		o.note(key, "is not a text")
	}
	return format.Shorten(s, textLimit)
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
	raw, ok := o.raw(key)
	if !ok {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		o.note(key, "is not a list")
	}
	return list
}

// items returns the list every GET of the API answers with. It is never null,
// so its absence means that something else than the array has answered.
func (o object) items() ([]object, error) {
	if _, ok := o.raw("items"); !ok {
		return nil, errors.New("answer has no items; is this a FlashArray?")
	}
	list := o.list("items")
	items := make([]object, len(list))
	for i := range list {
		items[i] = parseObject(list[i], o.name, o.odd)
	}
	return items, nil
}

// float returns a number. None of the numbers we read can be negative.
func (o object) float(key string) *float64 {
	raw, ok := o.raw(key)
	if !ok {
		return nil
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err != nil || math.IsInf(f, 0) || math.IsNaN(f):
		o.note(key, "is not a number")
		return nil
	case f < 0:
		o.note(key, "is negative")
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
		o.note(key, "is too large")
		return nil
	}
	i := int64(math.Round(*f))
	return &i
}

// time returns an instant that the array gave in milliseconds.
func (o object) time(key string) (time.Time, bool) {
	ms := o.int(key)
	if ms == nil || *ms == 0 || *ms > lastMillisecond {
		return time.Time{}, false
	}
	return time.UnixMilli(*ms).UTC(), true
}
