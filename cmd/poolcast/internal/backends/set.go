package backends

import (
	"slices"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// Source is where backends and their reports come from.
type Source string

// The sources, in the order in which they are tried.
const (
	Agent     Source = "agent"     // the running agent: effective reports, and the scheduler's list
	Scheduler Source = "scheduler" // the scheduler's list, requested over the message bus
	Arrays    Source = "arrays"    // the configured arrays, polled now
	File      Source = "file"      // a saved dry run
)

// Set are the backends that decisions are made on.
type Set struct {
	Source Source
	From   string // the URL of the agent, the address of the broker or the path of the file; "" for arrays
	// Reports are those of every backend, in the order of the scheduler's list, which
	// decides between equals. Those of Unlisted backends are the last.
	Reports []capability.Report
	// AskedAt is when the scheduler sent its list; zero if it was not asked.
	AskedAt time.Time
	// Unlisted are the identities of backends that report and that the scheduler does
	// not list: their services are disabled, frozen or down, or the host of the report
	// has no service of that name.
	Unlisted []string
	// Excluded are the reasons why backends are unlisted, by identity, as far as the
	// API of the cloud has them.
	Excluded map[string]string
	// Notes are remarks on the set, such as why a source was not used.
	Notes []string
}

// Candidates are the reports without those of unlisted backends.
func (s *Set) Candidates() []capability.Report {
	if len(s.Unlisted) == 0 {
		return s.Reports
	}
	return slices.DeleteFunc(slices.Clone(s.Reports), func(r capability.Report) bool {
		return slices.Contains(s.Unlisted, r.Identity())
	})
}
