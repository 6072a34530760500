package format

import (
	"slices"
	"strings"
)

// Nearest returns the known name that a misspelt one most likely means, or ""
// if none is similar. The case of letters does not count. A name that is known
// is not misspelt.
func Nearest(name string, known []string) string {
	if slices.Contains(known, name) {
		return ""
	}
	best, least := "", maxDistance+1
	lower := strings.ToLower(name)
	for _, k := range known {
		limit := min(least-1, allowed(max(len(name), len(k))))
		if d := distance(lower, strings.ToLower(k), limit); d <= limit {
			best, least = k, d
		}
	}
	return best
}

// maxDistance is the largest distance of two names that are similar.
const maxDistance = 3

// allowed is the largest distance of similar names of a length.
func allowed(length int) int {
	if length >= 16 {
		return maxDistance
	}
	return min(maxDistance-1, length/4)
}

// distance counts the letters to insert, remove, replace or swap with their
// neighbour (optimal string alignment), up to a limit; beyond it the result is
// limit+1.
func distance(a, b string, limit int) int {
	if gap := len(a) - len(b); gap > limit || -gap > limit {
		return limit + 1
	}
	older, before, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		if slices.Min(row) > limit {
			return limit + 1
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
