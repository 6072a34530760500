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

// The conversions of oslo_config/types.py. Their errors describe the problem and
// do not contain the value, which may be secret.

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

// goNumber converts a number in Python's syntax to Go's.
func goNumber(text string) string {
	for range 2 { // matches overlap in 1_2_3
		text = underscored.ReplaceAllString(text, "$1$2")
	}
	return text
}

// errEmpty is the error for an empty number, which oslo.config reads as no value.
var errEmpty = errors.New("is empty")

// parseInt reads what Python's int() reads.
func parseInt(text string) (int, error) {
	if text = strip(text); text == "" {
		return 0, errEmpty
	}
	i, err := strconv.Atoi(goNumber(text))
	if err != nil {
		return 0, errors.New("is not a whole number")
	}
	return i, nil
}

var decimal = regexp.MustCompile(`^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$`)

// parseFloat reads what Python's float() reads, except infinities and NaN.
func parseFloat(text string) (float64, error) {
	if text = strip(text); text == "" {
		return 0, errEmpty
	}
	text = goNumber(text)
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !decimal.MatchString(text) || math.IsInf(f, 0) {
		return 0, errors.New("is not a number")
	}
	return f, nil
}

// parseList splits at commas. Quotes are part of the text.
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

// parseDict reads key:value pairs separated by commas. A part without a colon
// belongs to the key of the next part, as in oslo.config.
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
	if i, err := parseInt(text); err == nil {
		if i < 0 || i > int(math.MaxInt64/time.Second) {
			return 0, errors.New("is out of range")
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

// parseObject reads a JSON object. An error describes the probable mistake and
// does not contain the text. Values that are not JSON objects but that Cinder
// accepts (through Python's json.loads) are read with a warning.
func parseObject(text string) (set capability.Set, warning Warning, err error) {
	var v capability.Value
	if v.UnmarshalJSON([]byte(text)) == nil && isFalsy(v) {
		return capability.Set{}, Warning{
			Message: "is not a JSON object, and adds no capability", Cinder: "adds none either", Hint: "Write {} or remove it.",
		}, nil
	}
	if set, err = capability.ParseSet([]byte(text)); err == nil {
		return set, Warning{}, nil
	}
	if set, without := withoutNonFinite(text); len(without) > 0 {
		return set, Warning{
			Message: "is read without " + strings.Join(without, ", ") + ", which is not a finite number",
			Cinder:  "reports it, and such a report cannot be overlaid (unreadable_base)",
			Hint:    "Write a finite number, or remove the key.",
		}, nil
	}
	return nil, Warning{}, explainObjectError(text, err)
}

// isFalsy reports whether a value that is not an object is false in Python.
func isFalsy(v capability.Value) bool {
	number, isNumber := v.Float()
	list, isList := v.List()
	yes, isBool := v.Bool()
	text, isText := v.Str()
	return v.IsNull() || isNumber && number == 0 || isList && len(list) == 0 || isBool && !yes || isText && text == ""
}

// nonFinite matches Python's NaN and Infinity, and whole strings, so that the
// contents of strings do not match.
var nonFinite = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b`)

// notFinite replaces such a number; no file contains it.
const notFinite = "\x00"

// withoutNonFinite reads an object that contains numbers which are not finite, and
// removes the keys of these numbers.
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

// explainObjectError describes why a text is not a JSON object.
func explainObjectError(text string, err error) error {
	if text == "" {
		return errors.New("is empty, and Cinder refuses to start: write {} or remove it")
	}
	if reason := commonMistake(text); reason != "" {
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

// commonMistake describes the usual mistakes, and is "" for others.
func commonMistake(text string) string {
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
