package simulator

import "strings"

type tokenKind int

const (
	endOfFilter tokenKind = iota
	word                  // a field, a keyword, true or false
	digits                // a number
	quoted                // a string, without its quotes
	operator              // = != < <= > >=
	sign                  // ( ) ,
)

type token struct {
	kind   tokenKind
	text   string
	offset int
}

// lex cuts a filter into tokens; the last one is endOfFilter.
func lex(text string) ([]token, error) {
	var tokens []token
	for at := 0; at < len(text); {
		t, length, err := lexOne(text[at:])
		if err != nil {
			return nil, refuse("filter", "Invalid filter: %s at character %d.", err, at+1)
		}
		if length > 0 && t.kind != endOfFilter {
			t.offset = at
			tokens = append(tokens, t)
		}
		at += length
	}
	return append(tokens, token{kind: endOfFilter, offset: len(text)}), nil
}

type lexError string

func (e lexError) Error() string { return string(e) }

// lexOne reads one token, or white space, which counts as nothing.
func lexOne(s string) (token, int, error) {
	switch c := s[0]; {
	case strings.IndexByte(" \t\r\n", c) >= 0:
		return token{}, 1, nil
	case c == '\'' || c == '"':
		return lexQuoted(s, c)
	case strings.IndexByte("(),", c) >= 0:
		return token{kind: sign, text: s[:1]}, 1, nil
	case strings.IndexByte("=<>!", c) >= 0:
		return lexOperator(s)
	case isDigit(c) || c == '-' || c == '+':
		return lexRun(s, digits, func(c byte) bool { return isWordByte(c) || c == '-' || c == '+' })
	case isWordByte(c):
		return lexRun(s, word, func(c byte) bool { return isWordByte(c) || c == '[' || c == ']' })
	}
	return token{}, 0, lexError("unexpected character")
}

func lexOperator(s string) (token, int, error) {
	if len(s) > 1 && s[1] == '=' && s[0] != '=' {
		return token{kind: operator, text: s[:2]}, 2, nil
	}
	if s[0] == '!' {
		return token{}, 0, lexError("lone !")
	}
	return token{kind: operator, text: s[:1]}, 1, nil
}

func lexRun(s string, kind tokenKind, belongs func(byte) bool) (token, int, error) {
	n := 0
	for n < len(s) && belongs(s[n]) {
		n++
	}
	return token{kind: kind, text: s[:n]}, n, nil
}

// lexQuoted reads a string; a backslash keeps the next character as it is.
func lexQuoted(s string, quote byte) (token, int, error) {
	var text strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return token{kind: quoted, text: text.String()}, i + 1, nil
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		text.WriteByte(s[i])
	}
	return token{}, 0, lexError("string without an end")
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWordByte(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '.'
}
