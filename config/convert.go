package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// The conversions of oslo_config/types.py. Their errors say what is wrong with
// a value without repeating it: it may be secret.

func parseBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "1", "on", "yes":
		return true, nil
	case "false", "0", "off", "no":
		return false, nil
	}
	return false, errors.New("is not a boolean")
}

var underscored = regexp.MustCompile(`([0-9])_([0-9])`)

// pythonic rewrites a number as Python allows it into one as Go allows it.
func pythonic(text string) string {
	for range 2 { // matches overlap in 1_2_3
		text = underscored.ReplaceAllString(text, "$1$2")
	}
	return text
}

// parseInt reads what Python's int() reads; nothing is no value at all.
func parseInt(text string) (i int64, empty bool, err error) {
	if text = strip(text); text == "" {
		return 0, true, nil
	}
	i, err = strconv.ParseInt(pythonic(text), 10, 64)
	if err != nil {
		return 0, false, errors.New("is not a whole number")
	}
	return i, false, nil
}

var decimal = regexp.MustCompile(`^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$`)

// parseFloat reads what Python's float() reads, except infinities and NaN.
func parseFloat(text string) (f float64, empty bool, err error) {
	if text = strip(text); text == "" {
		return 0, true, nil
	}
	text = pythonic(text)
	f, err = strconv.ParseFloat(text, 64)
	if err != nil || !decimal.MatchString(text) || math.IsInf(f, 0) {
		return 0, false, errors.New("is not a number")
	}
	return f, false, nil
}

// parseList cuts at commas; quotes mean nothing.
func parseList(text string) []string {
	text = strings.TrimRight(strip(text), ",")
	if text == "" {
		return []string{}
	}
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strip(parts[i])
	}
	return parts
}

// parseDict reads key:value pairs between commas. A part without a colon
// belongs to the key of the next, which is odd and what oslo.config does.
func parseDict(text string) (map[string]string, error) {
	dict := map[string]string{}
	if text = strip(text); text == "" {
		return dict, nil
	}
	pending := ""
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(pending+part, ":")
		if !ok {
			pending += part + ","
			continue
		}
		pending = ""
		key = strip(key)
		if key == "" {
			return nil, errors.New("has a value without a name")
		}
		if _, taken := dict[key]; taken {
			return nil, errors.New("has the same name twice")
		}
		dict[key] = strip(value)
	}
	if pending != "" {
		return nil, errors.New("ends in something that is not name:value")
	}
	return dict, nil
}

// parseDuration reads whole seconds, as Cinder's options are, or Go's 1m30s.
func parseDuration(text string) (time.Duration, error) {
	text = strip(text)
	if i, empty, err := parseInt(text); err == nil && !empty {
		if i < 0 || i > int64(math.MaxInt64/time.Second) {
			return 0, errors.New("is not a duration that could be waited for")
		}
		return time.Duration(i) * time.Second, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, errors.New("is not a duration")
	}
	return d, nil
}

// parseCommand splits a command line into words as a shell does: quotes keep
// spaces, a backslash keeps the next character. Nothing is expanded.
func parseCommand(text string) ([]string, error) {
	var (
		words []string
		word  strings.Builder
		quote rune
		begun bool
	)
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case r == '\\' && quote != '\'' && i+1 < len(runes):
			i++
			word.WriteRune(runes[i])
			begun = true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, begun = r, true
		case quote == 0 && isSpace(r):
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quote != 0 {
		return nil, errors.New("has a quote that is not closed")
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}

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
