package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/poolcast/poolcast/collector/placement"
)

// printAnswers writes one decision, or a summary of many and the last of them.
func printAnswers(w io.Writer, output string, answers []answer, policy string) error {
	last := answers[len(answers)-1]
	if output == "json" {
		if len(answers) == 1 {
			return printJSON(w, last.json(policy))
		}
		return printJSON(w, jsonAnswers(answers, policy))
	}
	if len(answers) > 1 {
		if err := printPlaced(w, answers); err != nil {
			return err
		}
	}
	return printAnswer(w, last)
}

// manyJSON is the answer to --count.
type manyJSON struct {
	Placed    map[string]int `json:"placed"` // volumes by backend ID
	Decisions []answerJSON   `json:"decisions"`
}

func jsonAnswers(answers []answer, policy string) manyJSON {
	out := manyJSON{Placed: placed(answers)}
	for _, a := range answers {
		out.Decisions = append(out.Decisions, a.json(policy))
	}
	return out
}

// placed counts volumes by backend, those that got none included.
func placed(answers []answer) map[string]int {
	counts := map[string]int{}
	for _, a := range answers {
		for i := range a.decision.Verdicts {
			counts[a.decision.Verdicts[i].Backend.ID()] += 0
		}
		if a.decision.Chosen != nil {
			counts[a.decision.Chosen.Backend.ID()]++
		}
	}
	return counts
}

func printPlaced(w io.Writer, answers []answer) error {
	t := newTable("BACKEND", "VOLUMES>")
	counts := placed(answers)
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		t.add(id, strconv.Itoa(counts[id]))
	}
	if err := t.print(w); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nThe last of %d decisions:\n", len(answers))
	return err
}

// printAnswer says the answer first and then what became of each backend.
func printAnswer(w io.Writer, a answer) error {
	p := newPainter(w)
	lines := []string{p.verdict(a.fits(), a.summary())}
	for _, c := range a.decision.SetAside {
		lines = append(lines, printable("set aside, as no backend meets it: "+c.Filter+": "+c.Text))
	}
	lines = append(lines, "")
	if _, err := io.WriteString(w, strings.Join(lines, "\n")+"\n"); err != nil {
		return err
	}
	width := lineWidth(w)
	nameWidth := 0
	for i := range a.decision.Verdicts {
		nameWidth = max(nameWidth, utf8.RuneCountInString(nameCell(&a.decision.Verdicts[i])))
	}
	for i := range a.decision.Verdicts {
		if err := p.backend(w, &a.decision.Verdicts[i], nameWidth, width); err != nil {
			return err
		}
	}
	return nil
}

// backend prints one row: rank, name, total, and below each other what each
// weigher added, or why the backend was refused.
func (p painter) backend(w io.Writer, v *placement.Verdict, nameWidth, width int) error {
	name := nameCell(v)
	rank, total := "-", ""
	why := []string{refused + " by " + v.RefusedBy + ": " + v.Reason()}
	if v.Fits() {
		rank, total = strconv.Itoa(v.Rank), weight(v.Total)
		if v.Tied {
			total += " tie"
		}
		why = scoreLines(v)
	}
	const rankWidth, totalWidth = 3, 10
	indent := rankWidth + 1 + nameWidth + 2 + totalWidth + 2
	head := fmt.Sprintf("%*s %-*s  %-*s  ", rankWidth, rank, nameWidth, name, totalWidth, total)
	for _, text := range why {
		for _, line := range wrap(text, max(30, width-indent)) {
			if rest, ok := strings.CutPrefix(line, refused); ok && !v.Fits() {
				line = p.paint("31", refused) + rest
			}
			if _, err := fmt.Fprintln(w, strings.TrimRight(head+line, " ")); err != nil {
				return err
			}
			head = strings.Repeat(" ", indent)
		}
	}
	if len(why) == 0 {
		_, err := fmt.Fprintln(w, strings.TrimRight(head, " "))
		return err
	}
	return nil
}

const refused = "refused"

// nameCell is a backend's name as it is printed.
func nameCell(v *placement.Verdict) string { return cell(v.Backend.Report().Name()) }

// scoreLines says what each weigher added and where that comes from.
func scoreLines(v *placement.Verdict) []string {
	lines := make([]string, len(v.Scores))
	for k, s := range v.Scores {
		lines[k] = fmt.Sprintf("%s %s → %s × %s = %s", s.Weigher, weight(s.Raw), weight(s.Normalised), weight(s.Multiplier), weight(s.Weighted))
		if reason := v.ScoreReason(k); reason != "" {
			lines[k] += " (" + reason + ")"
		}
	}
	return lines
}

// wrap makes text printable and breaks it at blanks into lines no longer than
// width, where it can.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(printable(text)) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = "  "
		}
		if strings.TrimSpace(line) != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// lineWidth is the terminal's, or wide enough for a log.
func lineWidth(w io.Writer) int {
	if f, ok := w.(interface{ Fd() uintptr }); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 120
}
