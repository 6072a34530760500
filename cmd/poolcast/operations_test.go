package main

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestOperationsQuotesTheProgram: a search of the runbook for a line of
// the log must find it, so every quoted line is one that the program prints.
func TestOperationsQuotesTheProgram(t *testing.T) {
	text, quoted := programText(t), 0
	for _, passage := range regexp.MustCompile(`(?s)- \*\*See:\*\*(.*?)\n- \*\*`).FindAllStringSubmatch(runbook(t), -1) {
		for _, span := range regexp.MustCompile("(?s)`([^`]+)`").FindAllStringSubmatch(passage[1], -1) {
			line := strings.Join(strings.Fields(span[1]), " ")
			if strings.HasPrefix(line, "poolcast ") || line == "error" || line == "connection refused" {
				continue // what is typed, and the output of other programs
			}
			quoted++
			if !strings.Contains(text, line) {
				t.Errorf("the program has no text %q", line)
			}
		}
	}
	if quoted < 30 {
		t.Errorf("only %d lines of the program are quoted", quoted)
	}
}

// TestOperationsCommandLinesAreValid: every command line of ours is one.
func TestOperationsCommandLinesAreValid(t *testing.T) {
	inline := "`poolcast( [^`\n]*)`"
	found := regexp.MustCompile(inline).FindAllStringSubmatch(runbook(t), -1)
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(runbook(t), -1) {
		found = append(found, regexp.MustCompile(`(?m)^ *poolcast( .*)$`).FindAllStringSubmatch(block[1], -1)...)
	}
	if len(found) < 20 {
		t.Errorf("only %d command lines found", len(found))
	}
	for _, f := range found {
		args := strings.Fields(f[1])
		if err := understood(args); err != nil {
			t.Errorf("poolcast %s: %v", strings.Join(args, " "), err)
		}
	}
}

// TestNextStepsAreValidCommandLines: those that the status page prints.
func TestNextStepsAreValidCommandLines(t *testing.T) {
	found := regexp.MustCompile(`step\{"poolcast ([^"]*)"`).FindAllStringSubmatch(programText(t), -1)
	if len(found) < 5 {
		t.Errorf("only %d command lines found", len(found))
	}
	for _, f := range found {
		args := strings.Fields(f[1])
		if args[len(args)-1] == "--backend" {
			args = append(args, "fa_01")
		}
		if err := understood(args); err != nil {
			t.Errorf("poolcast %s: %v", f[1], err)
		}
	}
}

func runbook(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// programText is the source of everything that can print, and the alerts.
func programText(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	tree := os.DirFS("../..")
	alerts, err := fs.ReadFile(tree, "examples/prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	all.Write(alerts)
	for _, folder := range []string{"cmd", "collector", "config", "flasharray", "publisher"} {
		err := fs.WalkDir(tree, folder, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			text, err := fs.ReadFile(tree, name)
			all.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// TestDocumentsHaveWhatTheyLinkTo: files, and headings of files.
func TestDocumentsHaveWhatTheyLinkTo(t *testing.T) {
	t.Chdir("../..")
	link, heading := regexp.MustCompile(`\]\(([^)\s#]*)(#[^)\s]+)?\)`), regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped := regexp.MustCompile(`[^\w -]`)
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	found := 0
	for _, file := range []string{"README.md", "OPERATIONS.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "REFERENCE.md", "examples/README.md", "collector/DRIVER.md"} {
		for _, l := range link.FindAllStringSubmatch(read(file), -1) {
			if strings.Contains(l[1], "://") {
				continue
			}
			target, anchors := file, ""
			if l[1] != "" {
				target = path.Join(path.Dir(file), l[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			found++
			if l[2] == "" {
				continue
			}
			for _, h := range heading.FindAllStringSubmatch(read(target), -1) {
				anchors += "#" + strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-") + "\n"
			}
			if !strings.Contains(anchors, l[2]+"\n") {
				t.Errorf("%s links to %s%s, which has no such heading", file, l[1], l[2])
			}
		}
	}
	if found < 40 {
		t.Errorf("only %d links found", found)
	}
}
