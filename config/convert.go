package config

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
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
