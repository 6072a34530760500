package text

import (
	"strings"
	"unicode/utf8"
)

// Distinct shortens names to a width, in characters, by an ellipsis in the middle, so
// that names which differ still do. It returns nil if that is not possible.
func Distinct(names []string, width int) []string {
	if width < 1 {
		return nil
	}
	middle := (width - 1) / 2
	for n := range width {
		tail := middle + (n+1)/2 // middle, then alternately above and below it
		if n%2 == 0 {
			tail = middle - n/2
		}
		if tail < 0 || tail > width-1 {
			continue
		}
		if out := shortenAll(names, width, tail); out != nil {
			return out
		}
	}
	return nil
}

// shortenAll shortens names, and returns nil if two that differ become the same.
func shortenAll(names []string, width, tail int) []string {
	from, out := map[string]string{}, make([]string, len(names))
	for i, name := range names {
		out[i] = shorten(name, width, tail)
		if before, ok := from[out[i]]; ok && before != name {
			return nil
		}
		from[out[i]] = name
	}
	return out
}

// shorten keeps the last characters of a text that is longer than the width, and as
// many of the first as fit.
func shorten(s string, width, tail int) string {
	n := utf8.RuneCountInString(s)
	if n <= width {
		return s
	}
	runes := []rune(s)
	return string(runes[:width-1-tail]) + "…" + string(runes[n-tail:])
}

// fold breaks a text into lines of a width at blanks, and within longer words.
func fold(s string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		for utf8.RuneCountInString(word) > width {
			if line != "" {
				lines, line = append(lines, line), ""
			}
			runes := []rune(word)
			lines, word = append(lines, string(runes[:width])), string(runes[width:])
		}
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}
