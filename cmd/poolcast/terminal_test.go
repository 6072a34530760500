package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
)

// attack is text that clears a screen, sets the title of a window, forges a
// line and turns the direction of writing.
const attack = "evil\x1b[31m\x1b]0;PWNED\x07\nFORGED\r\u202e\u009b2J\u2028\x7f"

// plainLines fails for anything in a text that a terminal acts on but the line
// breaks between lines, and for a line that the attack has made.
func plainLines(t *testing.T, what, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s: not UTF-8: %q", what, text)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "FORGED") {
			t.Errorf("%s: a forged line: %q", what, line)
		}
		for _, r := range line {
			if !strconv.IsGraphic(r) && r != '\t' {
				t.Errorf("%s: %U in %q", what, r, line)
				break
			}
		}
	}
}

// hostileWorkspace has reports, bases, volume types and a cinder.conf with the attack
// in every text that is free.
func hostileWorkspace(t *testing.T) *workspace {
	t.Helper()
	d := newWorkspace(t)
	var rows []map[string]any
	text, err := os.ReadFile(d.path("reports.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		name := strconv.Itoa(i)
		row["backend"], row["volume_backend_name"], row["availability_zone"] = attack+name, attack, attack
		c := row["capabilities"].(map[string]any)
		c["volume_backend_name"], c["tier"], c[attack] = attack, attack, attack
		c["filter_function"] = `"` + attack + `" == capabilities.tier and capabilities.total_volumes < 1`
		c["goodness_function"] = attack
	}
	write := func(name string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		d.write(name, string(text))
	}
	write("reports.json", rows)
	for _, row := range rows {
		c := row["capabilities"].(map[string]any)
		c["tier"], c[attack+"2"], c["array_name"] = attack+"3", 7, attack
	}
	write("bases.json", rows)
	write("types.json", []map[string]any{{"Name": attack, "Properties": map[string]any{"tier": attack, attack: "<=5", "total_volumes": "<is>" + attack}}})
	d.change("cinder.conf", "volume_backend_name = gold", "volume_backend_name = gold\x1b[31m\u202e\u009b2J\nunknown_keyy\x1b[0m = 1")
	return d
}

func TestNoOutputControlsATerminal(t *testing.T) {
	for _, args := range [][]string{
		{"place", "--size=1", "--source=~/reports.json"},
		{"place", "--size=1", "--source=~/reports.json", "--policy=prefer"},
		{"place", "--size=1", "--source=~/reports.json", "--count=2"},
		{"place", "--size=1", "--source=~/reports.json", "--types=~/types.json", "--type=" + attack},
		{"place", "--size=1", "--source=~/reports.json", "--availability-zone=" + attack},
		{"place", "--size=1", "--source=~/reports.json", "-o=json"},
		{"pools", "--source=~/reports.json"},
		{"pools", "--source=~/reports.json", "-o=json"},
		{"rehearse", "--size=1", "--count=3", "--source=~/reports.json"},
		{"rehearse", "--size=1", "--count=3", "--source=~/reports.json", "-o=json"},
		{"diff", "--source=~/reports.json", "--base=~/bases.json", "--types=~/types.json"},
		{"diff", "--source=~/reports.json", "--base=~/bases.json", "-o=json"},
		{"check", "--source=~/reports.json", "--types=~/types.json"},
		{"check", "--source=~/reports.json", "--types=~/types.json", "-o=json"},
		{"--simulate", "--dry-run", "-o=table"},
		{"--simulate", "--dry-run", "-o=json"},
		{"--simulate", "--dry-run", "-o=oslo"},
		{"--simulate", "--dry-run", "-o=oslo", "--log-format=json"},
	} {
		t.Run(strings.Join(args[:min(2, len(args))], " "), func(t *testing.T) {
			d := hostileWorkspace(t)
			stdout, stderr, _ := d.run(args...)
			if stdout == "" {
				t.Errorf("nothing was printed: %s", stderr)
			}
			plainLines(t, "stdout", stdout)
			plainLines(t, "stderr", text.PrintableLines(stderr)) // as main prints it
			before, _, _ := strings.Cut(stderr, "\n")
			plainLines(t, "stderr", before)
		})
	}
}

// TestLogDoesNotControlATerminal: whatever a message or a field holds, and in
// either format.
func TestLogDoesNotControlATerminal(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log, _, err := setup.NewLogger(&out, format, "debug")
		if err != nil {
			t.Fatal(err)
		}
		log.Warn().Str("reason", attack).Err(os.ErrInvalid).Msg(attack)
		log.WithLevel(zerolog.NoLevel).Msg(attack)
		plainLines(t, format, out.String())
		if n := strings.Count(out.String(), "\n"); n != 2 {
			t.Errorf("%s: 2 events are %d lines:\n%s", format, n, out.String())
		}
	}
}

// TestLongTextsAreCut: a filter function of 64 KiB used to be printed three
// times, and a name of a million characters pushed the table off every screen.
func TestLongTextsAreCut(t *testing.T) {
	d := newWorkspace(t)
	long := strings.Repeat("0 + ", 16<<10) + "0"
	text, err := os.ReadFile(d.path("reports.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		row["capabilities"].(map[string]any)["filter_function"] = long
		row["backend"] = strings.Repeat("n", 1<<20) + strconv.Itoa(i)
	}
	if text, err = json.Marshal(rows); err != nil {
		t.Fatal(err)
	}
	d.write("reports.json", string(text))
	d.change("cinder.conf", "scheduler_default_filters = ", "scheduler_default_filters = DriverFilter,")
	for _, args := range [][]string{
		{"place", "--size=1"},
		{"place", "--size=1", "--policy=prefer"},
		{"pools"},
		{"rehearse", "--size=1", "--count=2"},
		{"check"},
		{"diff", "--base=~/reports.json"},
	} {
		stdout, stderr, _ := d.run(append(args, "--source=~/reports.json")...)
		if n := len(stdout) + len(stderr); n > 32<<10 {
			t.Errorf("%v prints %d bytes", args, n)
		}
	}
}
