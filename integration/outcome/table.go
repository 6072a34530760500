package outcome

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat"
)

// WriteReport writes the comparison, the forecasts of the bursts, and the comparison of
// the scenario that runs on real services too. It is Markdown, and readable as text.
func WriteReport(w io.Writer, r, confirmed Results) error {
	_, err := fmt.Fprintf(w, `Means over %d seeds and %d scenarios of virtual time, the lower the better. "to oldest" and
"to newest": poolcast less stock Cinder with history oldest or newest first, with the 95 %%
confidence interval (Student's t, paired by seed). better, worse: the interval excludes 0
and the difference is at least 2 %% of stock's figure; equal otherwise.

`, r.Seeds, len(r.Scenarios))
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := r.write(w, r.Scenarios, r.Settings); err != nil {
		return err
	}
	if err := r.writeForecasts(w); err != nil {
		return err
	}
	c := confirmed.Scenarios[0]
	if _, err := fmt.Fprintf(w, "## %s: %s\n\n", c.Name, c.Text); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return confirmed.write(w, confirmed.Scenarios, confirmed.Settings)
}

// writeForecasts compares what rehearse predicts of the bursts with what happened.
func (r Results) writeForecasts(w io.Writer) error {
	lines := [][]string{{"share of a burst on one array, %", "rehearse", "measured", "mean error", "bursts"}}
	for _, setting := range r.Settings {
		var predicted, measured, off []float64
		for c, forecasts := range r.Forecasts {
			if c.Setting != setting {
				continue
			}
			for _, f := range forecasts {
				predicted, measured = append(predicted, 100*f.Predicted), append(measured, 100*f.Measured)
				off = append(off, 100*math.Abs(f.Predicted-f.Measured))
			}
		}
		if len(off) > 0 {
			lines = append(lines, []string{
				string(setting), number(stat.Mean(predicted, nil)), number(stat.Mean(measured, nil)),
				number(stat.Mean(off, nil)), strconv.Itoa(len(off)),
			})
		}
	}
	if _, err := fmt.Fprintf(w, "%s\n", markdown(lines)); err != nil {
		return fmt.Errorf("write forecasts: %w", err)
	}
	return nil
}

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

func (r Results) write(w io.Writer, scenarios []Scenario, settings []Setting) error {
	for _, setting := range settings {
		lines := [][]string{{string(setting), "oldest", "newest", "poolcast", "to oldest", "to newest"}}
		for _, m := range Measures() {
			lines = append(lines, r.Row(scenarios, setting, m).cells())
		}
		if _, err := fmt.Fprintf(w, "%s\n", markdown(lines)); err != nil {
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
