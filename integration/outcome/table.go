package outcome

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// WriteTable writes the comparison as a table for each setting, over all scenarios. It
// is Markdown, and readable as text.
func (r Results) WriteTable(w io.Writer) error { return r.write(w, r.Scenarios, AllSettings()) }

// WriteScenarios writes the same for each scenario by itself.
func (r Results) WriteScenarios(w io.Writer) error {
	for _, s := range r.Scenarios {
		if _, err := fmt.Fprintf(w, "## %s: %s\n\n", s.Name, s.Text); err != nil {
			return fmt.Errorf("write table: %w", err)
		}
		if err := r.write(w, []Scenario{s}, r.Settings); err != nil {
			return err
		}
	}
	return nil
}

// The columns of the table.
var columns = [...]string{"measure", "stock, oldest", "stock, newest", "poolcast", "to oldest", "to newest"}

func (r Results) write(w io.Writer, scenarios []Scenario, settings []Setting) error {
	for _, setting := range settings {
		lines := [][]string{columns[:]}
		for _, m := range Measures() {
			lines = append(lines, r.Row(scenarios, setting, m).cells())
		}
		if _, err := fmt.Fprintf(w, "%s\n\n%s\n", setting, markdown(lines)); err != nil {
			return fmt.Errorf("write table: %w", err)
		}
	}
	return nil
}

func (r Row) cells() []string {
	cells := []string{string(r.Measure)}
	for _, arm := range Arms() {
		cells = append(cells, number(r.Mean[arm]))
	}
	for _, arm := range Arms()[:2] {
		cells = append(cells, r.Against[arm].String())
	}
	return cells
}

// String is the verdict, and the difference with its confidence interval.
func (d Difference) String() string {
	if d.Mean == 0 && !(d.Half > 0) {
		return string(d.Verdict)
	}
	return fmt.Sprintf("%s %+.3g ± %.2g", d.Verdict, d.Mean, d.Half)
}

// number has three digits.
func number(x float64) string {
	if math.Abs(x) >= 100 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}

// markdown aligns a table whose first line has the names of the columns.
func markdown(lines [][]string) string {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var text strings.Builder
	for n, line := range lines {
		for i, cell := range line {
			fmt.Fprintf(&text, "| %-*s ", widths[i], cell)
		}
		text.WriteString("|\n")
		if n > 0 {
			continue
		}
		for i := range line {
			fmt.Fprintf(&text, "| %s ", strings.Repeat("-", widths[i]))
		}
		text.WriteString("|\n")
	}
	return text.String()
}
