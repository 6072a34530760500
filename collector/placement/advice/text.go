package advice

import (
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

// shown prints a value in a sentence.
func shown(v capability.Value) string {
	if s, ok := v.Str(); ok {
		return strconv.Quote(s)
	}
	return v.String()
}

// quoted puts text between single quotes for a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// unique keeps the first of equal texts.
func unique(texts []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, t := range texts {
		if !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	return out
}
