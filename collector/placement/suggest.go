package placement

import (
	"fmt"
	"strings"
)

// unknown says that a name is not registered, and which one may be meant.
func unknown(kind, name string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("%s %s is not known: none is registered", kind, name)
	}
	if near := Nearest(name, known); near != "" {
		return fmt.Errorf("%s %s is not known: did you mean %s?", kind, name, near)
	}
	return fmt.Errorf("%s %s is not known: there are %s", kind, name, strings.Join(known, ", "))
}

// Nearest returns the known name that a misspelt one is most like, "" if it is
// not much like any.
func Nearest(name string, known []string) string {
	best, distance := "", len(name)/3+1
	for _, k := range known {
		if d := editDistance(strings.ToLower(name), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
