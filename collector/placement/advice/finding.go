package advice

import (
	"cmp"
	"slices"
)

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // it cannot work
	Warning Severity = "warning" // it will hurt some day, or in some place
	Note    Severity = "note"    // worth knowing, and may be meant
)

func (s Severity) rank() int {
	return slices.Index([]Severity{Error, Warning, Note}, s)
}

// Topic groups findings for people.
type Topic string

// The topics, in the order in which they are told.
const (
	ConfigurationTopic Topic = "configuration"
	ArrayTopic         Topic = "arrays"
	IdentityTopic      Topic = "identity"
	FunctionTopic      Topic = "functions"
	TypeTopic          Topic = "volume types"
	PoolTopic          Topic = "pools"
)

func (t Topic) rank() int {
	return slices.Index([]Topic{ConfigurationTopic, ArrayTopic, IdentityTopic, FunctionTopic, TypeTopic, PoolTopic}, t)
}

// Finding is one thing that somebody should know. No text of it holds a
// secret.
type Finding struct {
	Severity Severity `json:"severity"`
	Topic    Topic    `json:"topic"`
	Code     string   `json:"code"`  // stable, for programs: unknown-key
	Where    string   `json:"where"` // file:line, a backend, a type or a pool
	Problem  string   `json:"what"`
	Reason   string   `json:"why"`
	Fix      string   `json:"do"` // what to type; "" if there is nothing to do
}

// Sort orders findings as they are told: by topic, the worst first.
func Sort(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Topic.rank(), b.Topic.rank()), cmp.Compare(a.Severity.rank(), b.Severity.rank()))
	})
}

// Count says how many findings have the severity.
func Count(findings []Finding, s Severity) int {
	n := 0
	for _, f := range findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}
