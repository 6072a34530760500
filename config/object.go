package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

// parseObject reads a JSON object and, where that fails, says why in terms of
// what was probably meant. It never repeats the text.
func parseObject(text string) (capability.Set, error) {
	set, err := capability.ParseSet([]byte(text))
	if err == nil {
		return set, nil
	}
	if text == "" {
		return nil, errors.New("is empty, and Cinder refuses to start: write {} or remove it")
	}
	if reason := guess(text); reason != "" {
		return nil, errors.New("is not a JSON object: " + reason)
	}
	if syntax := new(json.SyntaxError); errors.As(err, &syntax) {
		offset := min(max(int(syntax.Offset)-1, 0), len(text))
		line := 1 + strings.Count(text[:offset], "\n")
		column := offset - strings.LastIndex(text[:offset], "\n")
		return nil, fmt.Errorf("is not a JSON object: in line %d of the value, column %d, %w", line, column, syntax)
	}
	if json.NewDecoder(strings.NewReader(text)).Decode(new(json.RawMessage)) == nil && strings.HasPrefix(text, "{") {
		return nil, errors.New("is not a JSON object: something follows its closing brace, or a number is out of range")
	}
	return nil, errors.New("is not a JSON object: it must be {\"key\": value, …} with finite numbers")
}

var (
	equalsForColon = regexp.MustCompile(`"\s*=\s*["\d{\[tfn]`)
	trailingComma  = regexp.MustCompile(`,\s*[}\]]`)
	pythonWord     = regexp.MustCompile(`[:,\[]\s*(True|False|None|NaN|-?Infinity)\b`)
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
		return "write true, false or null; there are no infinities"
	}
	return ""
}
