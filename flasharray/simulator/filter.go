package simulator

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// expr is a parsed filter: it reports whether an item matches.
type expr func(get getter) bool

// getter returns a field of an item by its dotted path.
type getter func(path string) (any, bool)

func both(a, b expr) expr   { return func(get getter) bool { return a(get) && b(get) } }
func either(a, b expr) expr { return func(get getter) bool { return a(get) || b(get) } }
func not(a expr) expr       { return func(get getter) bool { return !a(get) } }

// exists is a field on its own: it exists, and is not false.
func exists(path string) expr {
	return func(get getter) bool {
		v, ok := get(path)
		switch v := v.(type) {
		case nil:
			return false
		case bool:
			return v
		case []any:
			return len(v) > 0
		case object: // a reference to no object has nulls only
			for _, member := range v {
				if member != nil {
					return true
				}
			}
			return false
		}
		return ok
	}
}

// comparison is field op value; of a list field any element, or every one if all
// is set, must match.
func comparison(path, op string, want any, all bool) expr {
	return func(get getter) bool {
		v, _ := get(path)
		list, isList := v.([]any)
		if !isList {
			return matches(v, op, want)
		}
		if op == "!=" && !all { // no element equals it
			return !comparison(path, "=", want, false)(get)
		}
		for _, element := range list {
			if matches(element, op, want) != all {
				return !all
			}
		}
		return all && len(list) > 0
	}
}

// membership is field = ('a', 'b'), or != with it.
func membership(path, op string, values []any) expr {
	return func(get getter) bool {
		equal := slices.ContainsFunc(values, func(want any) bool { return comparison(path, "=", want, false)(get) })
		return equal == (op == "=")
	}
}

func contains(path, text string) expr {
	return func(get getter) bool {
		v, _ := get(path)
		switch v := v.(type) {
		case string:
			return strings.Contains(strings.ToLower(v), strings.ToLower(text))
		case []any:
			return slices.ContainsFunc(v, func(element any) bool { return matches(element, "=", text) })
		}
		return false
	}
}

func hasTag(key, value string) expr {
	return func(get getter) bool {
		v, _ := get("tags")
		list, _ := v.([]any)
		return slices.ContainsFunc(list, func(t any) bool {
			o, _ := t.(object)
			return textAt(o, "key") == key && textAt(o, "value") == value
		})
	}
}

// matches compares one value. Null equals nothing and is unequal to everything.
func matches(have any, op string, want any) bool {
	if have == nil {
		return op == "!="
	}
	if n, isNumber := number(have); isNumber {
		w, ok := numberOrDate(want)
		return ok && accepts(op, cmp.Compare(n, w))
	}
	if b, isBool := have.(bool); isBool {
		w, ok := want.(bool)
		return ok && accepts(op, strings.Compare(sortText(b), sortText(w)))
	}
	text, isText := have.(string)
	w, ok := want.(string)
	switch {
	case !isText || !ok:
		return op == "!="
	case op == "=" || op == "!=":
		return matchWildcard(text, w) == (op == "=")
	}
	return accepts(op, strings.Compare(strings.ToLower(text), strings.ToLower(w)))
}

// numberOrDate reads a number, which may be quoted, or a date, for fields in
// milliseconds.
func numberOrDate(v any) (float64, bool) {
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

// accepts reports whether an operator holds for the result of a comparison.
func accepts(op string, order int) bool {
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

// matchWildcard compares texts, ignoring case, with * for any run of characters.
// Its time is at worst in proportion to the product of the lengths.
func matchWildcard(text, pattern string) bool {
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
