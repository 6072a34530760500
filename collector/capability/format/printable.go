package format

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Printable makes text from outside safe for a terminal, a cell of a table and a
// line of a log: the result has no line break and no control sequence. A line
// break or tab becomes a space; escapes, other control characters and marks of
// the writing direction are written as escapes, such as \x1b.
func Printable(text string) string {
	if isPrintable(text) {
		return text
	}
	var b strings.Builder
	text = strings.ReplaceAll(text, "\r\n", "\n")
	for _, r := range text { // invalid UTF-8 becomes U+FFFD
		switch {
		case strconv.IsGraphic(r):
			b.WriteRune(r)
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

func isPrintable(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < ' ' || text[i] > '~' {
			return utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !strconv.IsGraphic(r) }) < 0
		}
	}
	return true
}

// PrintableJSON escapes in JSON what [Printable] escapes in text. The values stay
// the same, and so do line breaks and tabs between them.
func PrintableJSON(text []byte) []byte {
	if isPrintable(string(text)) {
		return text
	}
	out := make([]byte, 0, len(text)+16)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case strconv.IsGraphic(r) && (r != utf8.RuneError || size > 1), r == '\n', r == '\t', r == '\r':
			out = append(out, text[:size]...)
		case r == utf8.RuneError:
			out = append(out, `\ufffd`...)
		default:
			for _, unit := range utf16.AppendRune(nil, r) { // two for a rune above U+FFFF
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		}
		text = text[size:]
	}
	return out
}

// Shorten cuts a text to at most limit characters, the last of which is an
// ellipsis then.
func Shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end, runes := 0, 0
	for i := range text {
		if runes == limit-1 {
			end = i
		}
		if runes++; runes > limit {
			return text[:end] + "…"
		}
	}
	return text
}

// ShellQuoted puts a text between single quotes for a shell, if it needs them.
func ShellQuoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-.:=/", r)
	}
	if s != "" && !slices.ContainsFunc([]rune(s), func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
