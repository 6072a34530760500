package function

import (
	"strings"

	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// The scanners below take a text and an offset and return the offset behind
// the token, or -1. Space in front of a token is skipped, as pyparsing does;
// other than there, tokens are whatever the next level of the grammar asks
// for, so that "nothing" is a name in one place and a "not" before "hing" in
// another.

type scanner func(text string, at int) int

func skipSpace(text string, at int) int {
	for at < len(text) && strings.IndexByte(" \n\r\t", text[at]) >= 0 {
		at++
	}
	return at
}

// oneOf scans the first of the given literals that is there. Longer ones must
// stand before their own beginnings.
func oneOf(literals ...string) scanner {
	return func(text string, at int) int {
		for _, l := range literals {
			if strings.HasPrefix(text[at:], l) {
				return at + len(l)
			}
		}
		return -1
	}
}

func isWordByte(c byte) bool {
	return c == '.' || c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// scanWord scans a name of a variable or function: letters, underscores and
// points, and no digits.
func scanWord(text string, at int) int {
	end := at
	for end < len(text) && isWordByte(text[end]) {
		end++
	}
	if end == at {
		return -1
	}
	return end
}

// scanNumber scans digits, or digits, a point and digits. There is no
// exponent, and neither side of the point may be empty.
func scanNumber(text string, at int) int {
	rest, whole := python.SkipDigits(text[at:])
	if whole == 0 {
		return -1
	}
	if strings.HasPrefix(rest, ".") {
		if _, fraction := python.SkipDigits(rest[1:]); fraction > 0 {
			return at + whole + 1 + fraction
		}
	}
	return at + whole
}

// scanQuoted scans text in quotes of either kind. A doubled quote and an
// escaped character belong to the text. It takes as much as it can before it
// looks for the closing quote, so "a"" is not closed.
func scanQuoted(text string, at int) int {
	if at >= len(text) || text[at] != '"' && text[at] != '\'' {
		return -1
	}
	quote := text[at]
	for at++; at < len(text); {
		n := quotedUnit(text[at:], quote)
		if n == 0 {
			break
		}
		at += n
	}
	if at < len(text) && text[at] == quote {
		return at + 1
	}
	return -1
}

// quotedUnit is the length of the next piece inside quotes, 0 if there is none.
func quotedUnit(s string, quote byte) int {
	switch s[0] {
	case '\n', '\r':
		return 0
	case quote:
		if len(s) > 1 && s[1] == quote {
			return 2
		}
		return 0
	case '\\':
		return escapeLength(s)
	}
	return 1
}

func escapeLength(s string) int {
	if len(s) < 2 {
		return 0
	}
	if s[1] != 'x' {
		return 2
	}
	if len(s) < 3 || !isHex(s[2]) {
		return 0
	}
	return 3
}

func isHex(c byte) bool {
	return python.IsDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// isName reports whether a word is read as a variable: letters, one point,
// letters. Any other word is text.
func isName(word string) (Name, bool) {
	scope, key, ok := strings.Cut(word, ".")
	if !ok || scope == "" || key == "" || strings.Contains(key, ".") {
		return Name{}, false
	}
	return Name{Scope: scope, Key: key}, true
}
