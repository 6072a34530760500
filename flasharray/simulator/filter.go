package simulator

import (
	"strings"
	"time"
)

// expr is a parsed filter. It reads an item through get, which knows dotted
// paths, and says whether the item stays.
type expr interface {
	holds(get getter) bool
}

type getter func(path string) (any, bool)

type (
	both    struct{ left, right expr }
	either  struct{ left, right expr }
	inverse struct{ of expr }

	// present is a field on its own: it exists, and is not false.
	present struct{ path string }

	// comparison is field op value; of a list field, any element may do.
	comparison struct {
		path string
		op   string
		want any
		all  bool // every element must do
	}

	// membership is field = ('a', 'b').
	membership struct {
		path string
		op   string
		want []any
	}

	contains struct{ path, text string }

	tagged struct{ key, value string }
)

func (e both) holds(get getter) bool    { return e.left.holds(get) && e.right.holds(get) }
func (e either) holds(get getter) bool  { return e.left.holds(get) || e.right.holds(get) }
func (e inverse) holds(get getter) bool { return !e.of.holds(get) }

func (e present) holds(get getter) bool {
	v, ok := get(e.path)
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case []any:
		return len(v) > 0
	case object:
		return !isHollow(v)
	}
	return ok
}

// isHollow says whether a reference leads nowhere.
func isHollow(o object) bool {
	for _, v := range o {
		if v != nil {
			return false
		}
	}
	return true
}

func (e comparison) holds(get getter) bool {
	v, _ := get(e.path)
	list, isList := v.([]any)
	if !isList {
		return matches(v, e.op, e.want)
	}
	if e.op == "!=" && !e.all { // no element equals it
		return !comparison{path: e.path, op: "=", want: e.want}.holds(get)
	}
	for _, element := range list {
		if matches(element, e.op, e.want) != e.all {
			return !e.all
		}
	}
	return e.all && len(list) > 0
}

func (e membership) holds(get getter) bool {
	for _, want := range e.want {
		if (comparison{path: e.path, op: "=", want: want}).holds(get) {
			return e.op == "="
		}
	}
	return e.op == "!="
}

func (e contains) holds(get getter) bool {
	v, _ := get(e.path)
	switch v := v.(type) {
	case string:
		return strings.Contains(strings.ToLower(v), strings.ToLower(e.text))
	case []any:
		for _, element := range v {
			if matches(element, "=", e.text) {
				return true
			}
		}
	}
	return false
}

func (e tagged) holds(get getter) bool {
	v, _ := get("tags")
	list, _ := v.([]any)
	for _, t := range list {
		o, _ := t.(object)
		if textAt(o, "key") == e.key && textAt(o, "value") == e.value {
			return true
		}
	}
	return false
}

// matches compares one value. Null equals nothing and is unequal to everything.
func matches(have any, op string, want any) bool {
	if have == nil {
		return op == "!="
	}
	if n, isNumber := number(have); isNumber {
		w, ok := wanted(want)
		return ok && ordered(op, compareFloats(n, w))
	}
	if b, isBool := have.(bool); isBool {
		w, ok := want.(bool)
		return ok && ordered(op, compareBools(b, w))
	}
	text, isText := have.(string)
	w, ok := want.(string)
	switch {
	case !isText || !ok:
		return op == "!="
	case op == "=" || op == "!=":
		return like(text, w) == (op == "=")
	}
	return ordered(op, strings.Compare(strings.ToLower(text), strings.ToLower(w)))
}

// wanted reads a number; a quoted one and a date, for fields in milliseconds,
// will do as well.
func wanted(v any) (float64, bool) {
	text, isText := v.(string)
	if !isText {
		return number(v)
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return float64(t.UnixMilli()), true
		}
	}
	return parseNumber(text)
}

func compareBools(x, y bool) int {
	switch {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
}

func ordered(op string, order int) bool {
	switch op {
	case "=":
		return order == 0
	case "!=":
		return order != 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	case "<":
		return order < 0
	}
	return order <= 0
}

// like compares texts, whatever the case, with * for any run of characters. It
// takes time in proportion to the product of the lengths at worst.
func like(text, pattern string) bool {
	text, pattern = strings.ToLower(text), strings.ToLower(pattern)
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return text == pattern
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return strings.HasSuffix(text, parts[last])
}
