package main

import (
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
)

func TestPlanUsageErrors(t *testing.T) {
	t.Setenv("OS_CLOUD", "")
	for want, args := range map[string][]string{
		"--os-cloud is missing":                   {"plan"},
		"--full 101: want a percentage":           {"plan", "--os-cloud", "prod", "--full", "101"},
		"--least-gain -1: want a percentage":      {"plan", "--os-cloud", "prod", "--least-gain", "-1"},
		"--max-moves -1: want 0 or more":          {"plan", "--os-cloud", "prod", "--max-moves", "-1"},
		"a plan needs the reports of now":         {"plan", "--os-cloud", "prod"},
		"want one of table, wide, json, commands": {"plan", "--os-cloud", "prod", "--output", "yaml"},
		"unknown command \"x\" for \"poolcast ":   {"plan", "x"},
	} {
		if _, stderr, code := onExamples(t, args...); code != exit.Usage || !strings.Contains(stderr, want) {
			t.Errorf("%v ended with %d and %q, want %q", args, code, stderr, want)
		}
	}
}
