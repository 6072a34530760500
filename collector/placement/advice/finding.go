package advice

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/poolcast/poolcast/collector/capability"
)

// Severity is how serious a finding is.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // it cannot work
	Warning Severity = "warning" // it fails at times, or in some places
	Note    Severity = "note"    // it may be intended
)

func (s Severity) rank() int {
	return slices.Index([]Severity{Error, Warning, Note}, s)
}

// Topic groups findings for printing.
type Topic string

// The topics, in the order in which they are printed.
const (
	ConfigurationTopic Topic = "configuration"
	ArrayTopic         Topic = "arrays"
	IdentityTopic      Topic = "identity"
	ServiceTopic       Topic = "services"
	FunctionTopic      Topic = "functions"
	TypeTopic          Topic = "volume types"
	PoolTopic          Topic = "pools"
)

func (t Topic) rank() int {
	return slices.Index([]Topic{ConfigurationTopic, ArrayTopic, IdentityTopic, ServiceTopic, FunctionTopic, TypeTopic, PoolTopic}, t)
}

// Finding is one problem. No text of it contains a secret.
type Finding struct {
	Severity Severity `json:"severity"`
	Topic    Topic    `json:"topic"`
	Code     string   `json:"code"`  // stable, for programs: unknown-key
	Where    string   `json:"where"` // file:line, a backend, a type or a pool
	Problem  string   `json:"problem"`
	Reason   string   `json:"reason"` // why it is a problem
	Fix      string   `json:"fix"`    // what to type or change; "" if nothing
}

// Sort orders findings for printing: by topic, the most serious first.
func Sort(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Topic.rank(), b.Topic.rank()), cmp.Compare(a.Severity.rank(), b.Severity.rank()))
	})
}

// Count returns how many findings have the severity.
func Count(findings []Finding, s Severity) int {
	n := 0
	for _, f := range findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// noBackend is the consequence of a volume type that no backend meets.
const noBackend = `every create with this type ends in "No valid backend was found"`

// valueText prints a value in a sentence.
func valueText(v capability.Value) string {
	if s, ok := v.Str(); ok {
		return strconv.Quote(s)
	}
	return v.String()
}

// unique keeps the first of equal texts.
func unique(texts []string) []string {
	var out []string
	for _, t := range texts {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

func sameNumber(a, b capability.Value) bool {
	x, okX := a.Float()
	y, okY := b.Float()
	return okX && okY && x == y
}
