package outcome

import (
	"fmt"
	"io"
	"slices"
)

// WriteDistributions writes the measures of few runs: the lowest value, the median and the
// highest of each arm. It is Markdown, and readable as text.
func (r Results) WriteDistributions(w io.Writer) error {
	for _, scenario := range r.Scenarios {
		for _, setting := range r.Settings {
			lines := [][]string{{string(setting)}}
			for _, arm := range Arms() {
				lines[0] = append(lines[0], string(arm))
			}
			for _, m := range Measures() {
				line := []string{string(m)}
				for _, arm := range Arms() {
					line = append(line, distribution(r.values([]Scenario{scenario}, setting, arm, m)))
				}
				lines = append(lines, line)
			}
			if _, err := fmt.Fprintf(w, "%s\n", markdown(lines)); err != nil {
				return fmt.Errorf("write distributions: %w", err)
			}
		}
	}
	return nil
}

// distribution is the lowest value, the median and the highest. Of an even count the
// median is the mean of the two in the middle.
func distribution(values []float64) string {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return ""
	}
	median := (sorted[(n-1)/2] + sorted[n/2]) / 2
	return fmt.Sprintf("%s / %s / %s", number(sorted[0]), number(median), number(sorted[n-1]))
}
