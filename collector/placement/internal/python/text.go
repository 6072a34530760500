package python

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/poolcast/poolcast/collector/capability"
)

// IsSpace is str.isspace() for one character.
func IsSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// Fields is str.split().
func Fields(s string) []string { return strings.FieldsFunc(s, IsSpace) }

// Trim is str.strip().
func Trim(s string) string { return strings.TrimFunc(s, IsSpace) }

// IsTrueWord is oslo_utils.strutils.bool_from_string for text.
func IsTrueWord(s string) bool {
	return isOneOf(Trim(s), [...]string{"1", "t", "true", "on", "y", "yes"})
}

// IsFalseWord reports whether strutils lists the word as false. Every other word
// that is not true is false as well, except in strict mode.
func IsFalseWord(s string) bool {
	return isOneOf(Trim(s), [...]string{"0", "f", "false", "off", "n", "no"})
}

func isOneOf(s string, words [6]string) bool {
	for _, word := range words {
		if len(s) == len(word) && strings.EqualFold(s, word) {
			return true
		}
	}
	return false
}

// String is str(): text without quotes, members of lists and objects as repr()
// prints them. Objects are printed with their keys sorted.
func String(v capability.Value) string {
	if s, ok := v.Str(); ok {
		return s
	}
	return repr(v)
}

func repr(v capability.Value) string {
	switch v.Kind() {
	case capability.String:
		s, _ := v.Str()
		return Quote(s)
	case capability.List:
		list, _ := v.List()
		parts := make([]string, len(list))
		for i := range list {
			parts[i] = repr(list[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case capability.Map:
		set, _ := v.Set()
		parts := make([]string, 0, len(set))
		for _, key := range set.SortedKeys() {
			parts = append(parts, Quote(key)+": "+repr(set[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return v.String()
}

// Quote is repr() of text: in single quotes, unless it has single quotes and no
// double ones.
func Quote(s string) string {
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b := []byte{byte(quote)}
	for _, r := range s {
		b = appendRune(b, r, quote)
	}
	return string(append(b, byte(quote)))
}

func appendRune(b []byte, r, quote rune) []byte {
	switch {
	case r == '\\', r == quote:
		return append(b, '\\', byte(r))
	case r == '\n':
		return append(b, `\n`...)
	case r == '\r':
		return append(b, `\r`...)
	case r == '\t':
		return append(b, `\t`...)
	case unicode.IsPrint(r):
		return append(b, string(r)...)
	case r < 0x100:
		return fmt.Appendf(b, `\x%02x`, r)
	case r < 0x10000:
		return fmt.Appendf(b, `\u%04x`, r)
	}
	return fmt.Appendf(b, `\U%08x`, r)
}
