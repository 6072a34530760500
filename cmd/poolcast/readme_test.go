package main

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestREADMEShowsWhatIsPrinted runs the command lines of the README as they are
// written, and looks for the lines of its transcripts that no clock can change.
func TestREADMEShowsWhatIsPrinted(t *testing.T) {
	t.Chdir("../..")
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	typed := regexp.MustCompile(`(?m)^\$ bin/poolcast (.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(typed) < 2 {
		t.Fatalf("only %d command lines found", len(typed))
	}
	printed := ""
	for _, line := range typed {
		var out, errs bytes.Buffer
		root := newRootCommand()
		root.SetArgs(shellWords(line[1]))
		root.SetOut(&out)
		root.SetErr(&errs)
		if err := root.ExecuteContext(t.Context()); err != nil {
			t.Errorf("poolcast %s: %v\n%s", line[1], err, &errs)
		}
		printed += out.String()
	}
	const steady = "With this configuration 40 of 40 volumes go to flasharray_x_01"
	if !strings.Contains(string(text), steady) || !strings.Contains(printed, steady) {
		t.Errorf("%q is not in both the README and what is printed:\n%s", steady, printed)
	}
	if !strings.Contains(printed, "is a label of cinder.conf; measured:") {
		t.Errorf("the README promises a note on labels:\n%s", printed)
	}
}

// TestREADMEShowsTheDemo runs the commands of make demo, and compares everything but the
// digits with the README.
func TestREADMEShowsTheDemo(t *testing.T) {
	t.Chdir("../..")
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	_, recipe, _ := strings.Cut(read("Makefile"), "\ndemo:")
	recipe, _, _ = strings.Cut(recipe, "\n\n")
	printed := ""
	for _, line := range regexp.MustCompile(`(?m)^\t@(echo ".*"|\$\(DEMO\) .*)$`).FindAllStringSubmatch(recipe, -1) {
		if text, ok := strings.CutPrefix(line[1], "echo "); ok {
			printed += strings.Trim(text, `"`) + "\n"
			continue
		}
		var out, errs bytes.Buffer
		root := newRootCommand()
		root.SetArgs(append([]string{"--config-file", "examples/cinder.conf", "--simulate"}, shellWords(line[1])[1:]...))
		root.SetOut(&out)
		root.SetErr(&errs)
		if err := root.ExecuteContext(t.Context()); err != nil {
			t.Errorf("%s: %v\n%s", line[0], err, &errs)
		}
		printed += out.String()
	}
	_, shown, _ := strings.Cut(read("README.md"), "&& make demo\n")
	shown, _, _ = strings.Cut(shown, "```")
	steady := func(text string) string {
		return strings.Join(strings.Fields(regexp.MustCompile(`[0-9.]+`).ReplaceAllString(text, "#")), " ")
	}
	if got, want := steady(printed), steady(shown); want == "" || !strings.HasPrefix(got, want) {
		t.Errorf("make demo prints\n%s\nand the README shows\n%s", printed, shown)
	}
	if lines := strings.Count(printed, "\n"); lines > 18 {
		t.Errorf("make demo prints %d lines", lines)
	}
}

// shellWords splits a line as a shell does, as far as the README needs: at
// blanks, but not within single quotes.
func shellWords(line string) []string {
	var words []string
	for _, w := range regexp.MustCompile(`(?:[^\s']+|'[^']*')+`).FindAllString(line, -1) {
		words = append(words, strings.ReplaceAll(w, "'", ""))
	}
	return words
}

// TestREADMENamesCommandsThatExist: every `poolcast …` of the README is one.
func TestREADMENamesCommandsThatExist(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile("`poolcast( [a-z][^`\n]*)`").FindAllStringSubmatch(string(text), -1) {
		args := strings.Fields(found[1])
		if err := understood(args); err != nil {
			t.Errorf("poolcast %s: %v", strings.Join(args, " "), err)
		}
	}
}

// TestREADMEShowsTheTranscriptOfWhy: each line of the block is one of the transcript that
// `make golden` writes, except for ids and ages.
func TestREADMEShowsTheTranscriptOfWhy(t *testing.T) {
	read := func(file string) string {
		text, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	changing := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\b\d+s\b`)
	transcript := strings.Split(changing.ReplaceAllString(read("integration/testdata/why.txt"), "#"), "\n")
	block := regexp.MustCompile("(?s)```console\n(\\$ poolcast why .*?)\n```").FindStringSubmatch(read("README.md"))
	if block == nil {
		t.Fatal("the README has no transcript of poolcast why")
	}
	for _, line := range strings.Split(changing.ReplaceAllString(block[1], "#"), "\n") {
		if line != "…" && !slices.Contains(transcript, line) {
			t.Errorf("%q is not a line of integration/testdata/why.txt", line)
		}
	}
}
