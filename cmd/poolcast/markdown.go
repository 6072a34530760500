package main

import "strings"

// markdown is a table of the reference page.
type markdown struct{ text strings.Builder }

func newMarkdown(headings ...string) *markdown {
	m := &markdown{}
	m.row(headings...)
	m.text.WriteString("|" + strings.Repeat(" --- |", len(headings)) + "\n")
	return m
}

// row adds cells; a bar inside one would end it.
func (m *markdown) row(cells ...string) {
	for _, c := range cells {
		m.text.WriteString("| " + strings.ReplaceAll(c, "|", `\|`) + " ")
	}
	m.text.WriteString("|\n")
}

func (m *markdown) String() string { return m.text.String() }

// code marks text as it is written in files and on command lines.
func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}
