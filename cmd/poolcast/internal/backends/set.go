package backends

import (
	"slices"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// Source is where backends and their reports come from.
type Source string

// The sources, in the order in which they are tried.
const (
	Agent     Source = "agent"     // the running agent: effective reports, and the scheduler's list
	Scheduler Source = "scheduler" // the scheduler's list, requested over the message bus
	Arrays    Source = "arrays"    // the configured arrays, polled now
	File      Source = "file"      // a saved dry run, or a saved list of pools
)

// Set are the backends that decisions are made on.
type Set struct {
	Source Source
	From   string // the URL of the agent, the address of the broker or the path of the file; "" for arrays
	// Reports are those of every backend, in the order of the scheduler's list, which
	// decides between equals. Those of Unlisted backends are the last.
	Reports []capability.Report
	// AskedAt is when the scheduler sent its list; zero if it was not requested.
	AskedAt time.Time
	// Listed is how many pools the scheduler lists; nil if its list is not known.
	Listed *int
	// Unlisted are the identities of backends that report and that the scheduler does
	// not list: their services are disabled, frozen or down, or the host of the report
	// has no service of that name.
	Unlisted []string
	// Assumed are the identities of backends whose zone is not known: that of their
	// reports is storage_availability_zone of this configuration.
	Assumed []string
	// GivenZones are zones that have a service by --backend-zone or the cloud's services,
	// also of backends that the scheduler does not list.
	GivenZones []string
	// Release is the release of Cinder whose driver the reports of polled arrays are
	// those of; 0 for other reports.
	Release int
	// Excluded are the reasons why backends are unlisted, by identity, as far as the
	// API of the cloud has them.
	Excluded map[string]string
	// Notes are remarks on the set, such as why a source was not used.
	Notes []string

	missing map[string]string // notes on backends that are not listed, by identity
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

// WithKnownZone are the reports whose zone is not assumed.
func (s *Set) WithKnownZone() []capability.Report {
	return slices.DeleteFunc(slices.Clone(s.Reports), func(r capability.Report) bool {
		return slices.Contains(s.Assumed, r.Identity())
	})
}

// simulated is whether a report is that of a simulated array.
func (s *Set) simulated() bool {
	return slices.ContainsFunc(s.Reports, func(r capability.Report) bool { return r.Simulated })
}

// isLive is whether the reports are those of now, so that their age counts.
func (s *Set) isLive() bool { return s.Source != File }

// oldest is the age of the oldest report, and whether one has a time.
func (s *Set) oldest(now time.Time) (age time.Duration, ok bool) {
	for _, r := range s.Reports {
		if !r.CollectedAt.IsZero() {
			age, ok = max(age, now.Sub(r.CollectedAt)), true
		}
	}
	return age, ok
}

// allocatedOnly are the names of the backends whose report has no
// provisioned_capacity_gb. The scheduler uses allocated_capacity_gb instead
// (cinder/scheduler/host_manager.py, PoolState.update_from_volume_capability).
func (s *Set) allocatedOnly() []string {
	names := []string{}
	for _, r := range s.Reports {
		v, ok := r.Capabilities[capability.KeyProvisionedCapacity]
		if _, hasTotal := r.Capabilities[capability.KeyTotalCapacity]; hasTotal && (!ok || v.IsNull()) {
			names = append(names, r.Name())
		}
	}
	return names
}

// JSON is the form for programs. Ages are left out of a file's, so that the same file
// gives the same text.
func (s *Set) JSON(now time.Time) client.Source {
	out := client.Source{
		Kind: string(s.Source), From: s.From, Listed: s.Listed, Backends: len(s.Reports), Release: s.Release, Simulated: s.simulated(),
		Unlisted: append([]string{}, s.Unlisted...), AllocatedOnly: s.allocatedOnly(), Notes: append([]string{}, s.Notes...),
	}
	if !s.isLive() {
		return out
	}
	if !s.AskedAt.IsZero() {
		at := s.AskedAt.UTC()
		out.ReceivedAt = &at
	}
	if age, ok := s.oldest(now); ok {
		seconds := age.Round(time.Second).Seconds()
		out.OldestReport = &seconds
	}
	return out
}
