package config

import "slices"

// nearest returns the candidate that a misspelt name most likely means, or "".
// A name that is a candidate itself is not misspelt.
func nearest(name string, candidates []string) string {
	best, least := "", 3
	for _, c := range candidates {
		d := distance(name, c)
		if d == 0 {
			return ""
		}
		if d < least && d*4 <= max(len(name), len(c)) {
			best, least = c, d
		}
	}
	return best
}

// distance counts the letters to insert, remove, replace or swap with their
// neighbour. Names that differ much in length are simply far apart.
func distance(a, b string) int {
	if gap := len(a) - len(b); gap > 2 || gap < -2 {
		return 3
	}
	older, before, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		if slices.Min(row) > 2 {
			return 3 // far apart, whatever follows
		}
		older, before, row = before, row, older
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(row[j-1]+1, before[j]+1, before[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
