package backends

import (
	"fmt"
	"slices"
	"time"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// Lines say for people what a decision is made on: the source, its age, how many
// backends, and what is not in it. Notes are lines of their own.
func (s *Set) Lines(now time.Time) []string {
	line := "On " + s.basis(now)
	if age, ok := s.oldest(now); ok && s.isLive() && s.Source != Arrays {
		line += ", the oldest report " + age.Round(time.Second).String() + " old"
	}
	line += "; volumes placed since the reports are not deducted."
	if s.Release != 0 && s.Listed == nil {
		line = fmt.Sprintf("%s, as the driver of Cinder %d reports them; other hosts and vendors, disabled services and cinder-volume's own counts are not considered.", "On "+s.basis(now), s.Release)
	}
	lines := []string{line}
	if s.simulated() {
		lines = append(lines, simulatedLine)
	}
	if names := s.allocatedOnly(); len(names) > 0 {
		lines = append(lines, "Provisioned size: allocated_capacity_gb for "+format.List(names)+
			", whose reports have no provisioned_capacity_gb; Pure drivers have it since Cinder 29.")
	}
	// The verdict of a backend has the reason, where it is known.
	unexplained := slices.DeleteFunc(slices.Clone(s.Unlisted), func(i string) bool { return s.Excluded[i] != "" })
	if len(unexplained) > 0 {
		lines = append(lines, "Not listed by the scheduler, so disabled, frozen or down: "+format.List(unexplained)+".")
	}
	return append(lines, s.Notes...)
}

// simulatedLine is the line of a set with reports of simulated arrays.
const simulatedLine = "Simulated arrays: the numbers are not those of your arrays."

func (s *Set) basis(now time.Time) string {
	from := map[Source]string{Agent: "agent ", Scheduler: "bus ", File: "file "}[s.Source] + s.From
	if s.Source == Agent && s.From == "" {
		from = "this agent"
	}
	count := format.Count(len(s.Reports), "backend")
	switch {
	case s.Source == Arrays && s.Listed != nil:
		return fmt.Sprintf("%s, %d of which the scheduler listed %s ago; those of this configuration were polled now", count, *s.Listed, now.Sub(s.AskedAt).Round(time.Second))
	case s.Source == Arrays:
		return format.Count(len(s.Reports), "array") + ", polled now"
	case s.Listed == nil:
		return fmt.Sprintf("reports of %s (%s)", count, from)
	case s.AskedAt.IsZero():
		return fmt.Sprintf("%s of a scheduler's list (%s)", count, from)
	}
	age := now.Sub(s.AskedAt).Round(time.Second)
	if *s.Listed != len(s.Reports) {
		count = fmt.Sprintf("%s, %d of which", count, *s.Listed)
	} else {
		count += " that"
	}
	return fmt.Sprintf("%s the scheduler listed %s ago (%s)", count, age, from)
}
