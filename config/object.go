package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

// parseObject reads a JSON object and, where that fails, says why in terms of
// what was probably meant. It never repeats the text. What Python's json.loads
// reads besides, and Cinder then runs with, is read with a warning.
func parseObject(text string) (set capability.Set, odd Warning, err error) {
	var v capability.Value
	if v.UnmarshalJSON([]byte(text)) == nil && isFalsy(v) {
		return capability.Set{}, Warning{
			Message: "is no JSON object, and adds no capability", Cinder: "adds none either", Hint: "Write {} or remove it.",
		}, nil
	}
	if set, err = capability.ParseSet([]byte(text)); err == nil {
		return set, Warning{}, nil
	}
	if set, without := withoutNonFinite(text); len(without) > 0 {
		return set, Warning{
			Message: "is read without " + strings.Join(without, ", ") + ", which is not a finite number",
			Cinder:  "reports it, and such a report cannot be overlaid (unreadable_base)",
			Hint:    "Write a number, or remove the key.",
		}, nil
	}
	return nil, Warning{}, whyNoObject(text, err)
}

// isFalsy reports whether Python takes a value that is no object for nothing.
func isFalsy(v capability.Value) bool {
	number, isNumber := v.Float()
	list, isList := v.List()
	yes, isBool := v.Bool()
	text, isText := v.Str()
	return v.IsNull() || isNumber && number == 0 || isList && len(list) == 0 || isBool && !yes || isText && text == ""
}

// nonFinite finds Python's NaN and Infinity, and strings so that they are not
// looked into.
var nonFinite = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b`)

// notFinite stands for such a number; nobody writes it.
const notFinite = "\x00"

// withoutNonFinite reads an object that holds numbers which are not finite, and
// leaves out the keys under which they are.
func withoutNonFinite(text string) (set capability.Set, without []string) {
	set, err := capability.ParseSet([]byte(nonFinite.ReplaceAllStringFunc(text, func(match string) string {
		if match[0] == '"' {
			return match
		}
		return `"\u0000"`
	})))
	if err != nil {
		return nil, nil
	}
	for _, key := range set.SortedKeys() {
		if holdsNonFinite(set[key]) {
			without = append(without, shorten(key))
			delete(set, key)
		}
	}
	return set, without
}

func holdsNonFinite(v capability.Value) bool {
	text, _ := v.Str()
	list, _ := v.List()
	members, _ := v.Set()
	for _, member := range members {
		list = append(list, member)
	}
	return text == notFinite || slices.ContainsFunc(list, holdsNonFinite)
}

// whyNoObject explains a text that neither poolcast nor Cinder can use.
func whyNoObject(text string, err error) error {
	if text == "" {
		return errors.New("is empty, and Cinder refuses to start: write {} or remove it")
	}
	if reason := guess(text); reason != "" {
		return errors.New("is not a JSON object: " + reason)
	}
	if syntax := new(json.SyntaxError); errors.As(err, &syntax) {
		offset := min(max(int(syntax.Offset)-1, 0), len(text))
		line := 1 + strings.Count(text[:offset], "\n")
		column := offset - strings.LastIndex(text[:offset], "\n")
		return fmt.Errorf("is not a JSON object: in line %d of the value, column %d, %w", line, column, syntax)
	}
	if json.NewDecoder(strings.NewReader(text)).Decode(new(json.RawMessage)) == nil && strings.HasPrefix(text, "{") {
		return errors.New("is not a JSON object: something follows its closing brace, or a number is out of range")
	}
	return errors.New("is not a JSON object: it must be {\"key\": value, …} with finite numbers")
}

var (
	equalsForColon = regexp.MustCompile(`"\s*=\s*["\d{\[tfn]`)
	trailingComma  = regexp.MustCompile(`,\s*[}\]]`)
	pythonWord     = regexp.MustCompile(`[:,\[]\s*(True|False|None)\b`)
)

// guess names the usual mistakes.
func guess(text string) string {
	var scan jsonScan
	for line := range strings.SplitSeq(text, "\n") {
		scan.feed(line)
	}
	outside := regexpQuoted.ReplaceAllString(text, `""`)
	switch {
	case scan.open():
		return "it is never closed. Indent its lines, and end it with }"
	case strings.HasPrefix(text, "'"), strings.Contains(outside, "'"):
		return `use double quotes, as in {"media": "ssd"}`
	case equalsForColon.MatchString(outside):
		return "write : between key and value, not ="
	case trailingComma.MatchString(outside):
		return "remove the comma before the closing bracket"
	case pythonWord.MatchString(outside):
		return "write true, false or null"
	}
	return ""
}
