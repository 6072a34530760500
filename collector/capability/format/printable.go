package format

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable makes text from outside fit for a terminal, a cell of a table and a
// line of a log: it has no line break and nothing that a terminal acts on. A
// line break or tabulator becomes a blank; escapes, other control characters
// and marks that turn the direction of writing are spelled out, as in \x1b.
func Printable(text string) string {
	if isPrintable(text) {
		return text
	}
	var b strings.Builder
	text = strings.ReplaceAll(text, "\r\n", "\n")
	for _, r := range text { // what is not UTF-8 comes as U+FFFD
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

// PrintableJSON escapes in JSON what [Printable] spells out in text. The values
// stay the same. Line breaks and tabulators between values are left alone.
func PrintableJSON(text []byte) []byte {
	if isPrintable(string(text)) {
		return text
	}
	out := make([]byte, 0, len(text)+16)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case strconv.IsGraphic(r) && !(r == utf8.RuneError && size == 1), r == '\n', r == '\t', r == '\r':
			out = append(out, text[:size]...)
		case r == utf8.RuneError:
			out = append(out, `\ufffd`...)
		default:
			out = appendEscaped(out, r)
		}
		text = text[size:]
	}
	return out
}

// appendEscaped writes a rune as JSON escapes it, in two halves if need be.
func appendEscaped(out []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	halves := []rune{r}
	if r > 0xffff {
		r -= 0x10000
		halves = []rune{0xd800 + r>>10, 0xdc00 + r&0x3ff}
	}
	for _, h := range halves {
		out = append(out, '\\', 'u', hex[h>>12&0xf], hex[h>>8&0xf], hex[h>>4&0xf], hex[h&0xf])
	}
	return out
}

// Shorten cuts a text to at most limit characters, the last of which then says
// that something is missing.
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
