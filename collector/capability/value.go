package capability

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kind is the JSON type of a [Value], with Python's distinction between
// integers and floats.
type Kind uint8

// The kinds, simple ones first.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List
	Map
)

// String returns the kind's name for error messages.
func (k Kind) String() string {
	names := [...]string{"null", "boolean", "integer", "float", "string", "list", "object"}
	if int(k) < len(names) {
		return names[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Value is one capability's value: immutable, comparable with [Value.Equal],
// and safe to share between goroutines. The zero Value is JSON null.
type Value struct {
	kind    Kind
	integer int64
	float   float64
	text    string // a String's text, or the digits a number was read with
	list    []Value
	object  Set
}

// OfBool returns a boolean value.
func OfBool(b bool) Value {
	v := Value{kind: Bool}
	if b {
		v.integer, v.float = 1, 1
	}
	return v
}

// OfInt returns an integer value.
func OfInt(i int64) Value { return Value{kind: Int, integer: i, float: float64(i)} }

// OfFloat returns a float value. NaN and the infinities have no JSON form;
// marshalling one is an error, so callers must leave such a measurement out.
func OfFloat(f float64) Value { return Value{kind: Float, float: f} }

// OfString returns a string value.
func OfString(s string) Value { return Value{kind: String, text: s} }

// OfStrings returns a list of strings. It is never null: no strings give an
// empty list.
func OfStrings(s ...string) Value {
	list := make([]Value, len(s))
	for i := range s {
		list[i] = OfString(s[i])
	}
	return Value{kind: List, list: list}
}

// OfList returns a list that holds the given values. The slice is kept.
func OfList(list ...Value) Value { return Value{kind: List, list: list} }

// OfSet returns an object value. The set is kept, not copied.
func OfSet(s Set) Value { return Value{kind: Map, object: s} }

// Kind returns the value's kind.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether the value is JSON null.
func (v Value) IsNull() bool { return v.kind == Null }

// Bool returns the boolean, and whether the value is one.
func (v Value) Bool() (b, ok bool) { return v.integer == 1, v.kind == Bool }

// Int returns the integer, and whether the value is one that fits in 64 bits.
func (v Value) Int() (int64, bool) { return v.integer, v.kind == Int && !v.wide() }

// Float returns an integer or float as a float64, and whether the value is a
// number. An integer beyond 2^53 is rounded as Python's float() rounds it.
func (v Value) Float() (float64, bool) { return v.float, v.kind == Int || v.kind == Float }

// Str returns the text of a string, and whether the value is one.
func (v Value) Str() (string, bool) {
	if v.kind != String {
		return "", false
	}
	return v.text, true
}

// List returns the members of a list, and whether the value is one. The slice
// must not be changed.
func (v Value) List() ([]Value, bool) { return v.list, v.kind == List }

// Set returns the members of an object, and whether the value is one. The map
// must not be changed.
func (v Value) Set() (Set, bool) { return v.object, v.kind == Map }

// wide reports whether an integer was too large for int64. Such a value has its
// digits and its rounded float only.
func (v Value) wide() bool { return v.kind == Int && v.text != "" && v.integer == 0 && v.float != 0 }

// Equal reports whether both values are the same JSON, members of objects in
// any order. An integer never equals a float: Python prints them differently,
// and Cinder compares extra specs with what it prints.
func (v Value) Equal(w Value) bool {
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case Bool:
		return v.integer == w.integer
	case Int:
		return v.integer == w.integer && v.float == w.float
	case Float:
		return v.float == w.float
	case String:
		return v.text == w.text
	case List:
		return slices.EqualFunc(v.list, w.list, Value.Equal)
	case Map:
		return v.object.Equal(w.object)
	}
	return true
}

// String returns the value as Python's str() prints it in Cinder's scheduler:
// None, True, 1.0, text without quotes. Lists and objects are printed as JSON.
func (v Value) String() string {
	switch v.kind {
	case Null:
		return "None"
	case Bool:
		if v.integer == 1 {
			return "True"
		}
		return "False"
	case Int:
		if v.wide() {
			return v.text
		}
		return strconv.FormatInt(v.integer, 10)
	case Float:
		return FormatFloat(v.float)
	case String:
		return v.text
	}
	b, err := v.MarshalJSON()
	if err != nil {
		return "?"
	}
	return string(b)
}

// FormatFloat prints a float as Python's repr does: the shortest digits that
// read back the same, always with a point or an exponent.
func FormatFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// MarshalJSON writes the value; a number that was read from JSON keeps the
// digits it was read with. It fails for NaN and the infinities, which JSON
// does not have.
func (v Value) MarshalJSON() ([]byte, error) { return v.append(nil) }

func (v Value) append(b []byte) ([]byte, error) {
	switch v.kind {
	case Null:
		return append(b, "null"...), nil
	case Bool:
		return strconv.AppendBool(b, v.integer == 1), nil
	case Int, Float:
		return v.appendNumber(b)
	case String:
		return appendString(b, v.text)
	case List:
		return v.appendList(b)
	}
	return v.object.append(b)
}

func (v Value) appendNumber(b []byte) ([]byte, error) {
	switch {
	case v.text != "":
		return append(b, v.text...), nil
	case v.kind == Int:
		return strconv.AppendInt(b, v.integer, 10), nil
	case math.IsNaN(v.float), math.IsInf(v.float, 0):
		return nil, fmt.Errorf("%s is not a JSON number", FormatFloat(v.float))
	}
	return append(b, FormatFloat(v.float)...), nil
}

func (v Value) appendList(b []byte) ([]byte, error) {
	b = append(b, '[')
	for i, member := range v.list {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = member.append(b); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// appendString does not escape <, > and &, which filter functions contain and
// operators read in the dry run.
func appendString(b []byte, s string) ([]byte, error) {
	buf := bytes.NewBuffer(b)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// UnmarshalJSON reads any JSON value. Text after the value is an error.
func (v *Value) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var raw any
	if err := dec.Decode(&raw); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the end of the JSON value")
	}
	parsed, err := fromAny(raw)
	if err != nil {
		return err
	}
	*v = parsed
	return nil
}

func fromAny(raw any) (Value, error) {
	switch x := raw.(type) {
	case nil:
		return Value{}, nil
	case bool:
		return OfBool(x), nil
	case string:
		return OfString(x), nil
	case json.Number:
		return parseNumber(string(x))
	case []any:
		list := make([]Value, len(x))
		for i := range x {
			var err error
			if list[i], err = fromAny(x[i]); err != nil {
				return Value{}, err
			}
		}
		return OfList(list...), nil
	case map[string]any:
		s := make(Set, len(x))
		for key := range x {
			var err error
			if s[key], err = fromAny(x[key]); err != nil {
				return Value{}, fmt.Errorf("%s: %w", key, err)
			}
		}
		return OfSet(s), nil
	}
	return Value{}, fmt.Errorf("a capability cannot hold a %T", raw)
}

// parseNumber follows Python's json: digits alone are an int, a point or an
// exponent makes a float.
func parseNumber(digits string) (Value, error) {
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return Value{}, fmt.Errorf("number %s is out of range", digits)
	}
	if strings.ContainsAny(digits, ".eE") {
		return Value{kind: Float, float: f, text: digits}, nil
	}
	i, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		i = 0 // wider than 64 bits: the digits and the rounded float remain
	}
	return Value{kind: Int, integer: i, float: f, text: digits}, nil
}
