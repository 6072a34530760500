package status

import (
	"fmt"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// step is what to do next: a command line to type, a text, or both.
type step struct{ Command, Text string }

// link leads to a section of the page.
type link struct{ Href, Text string }

// attention are the things to look at: the checks that have failed, and what does not
// make the agent unready. Passed is how many checks have passed. The list is nil if the
// page has none.
func (v View) attention(list *SchedulerList) (all []check, passed int) {
	_, checks := v.ready()
	checks = append(checks, v.Types.checks(v.Now)...)
	if list != nil {
		checks = append(checks, list.checks(v.Now)...)
	}
	for _, c := range checks {
		if c.OK && !c.Warning {
			passed++
		} else {
			all = append(all, c)
		}
	}
	return all, passed
}

// How many things to look at the page shows before the others. With a table there are
// fewer, so that it stays in sight: its first rows are the arrays of the others.
const (
	shownChecks     = 12
	shownAboveTable = 4
)

// FirstFaults are the things to look at that are shown.
func (d pageData) FirstFaults() []check {
	if d.Table != nil {
		return d.Faults[:min(len(d.Faults), shownAboveTable)]
	}
	return d.Faults[:min(len(d.Faults), shownChecks)]
}

// OtherFaults are those that are shown on a click.
func (d pageData) OtherFaults() []check { return d.Faults[len(d.FirstFaults()):] }

// checks is a warning about a file that cannot be used.
func (t VolumeTypes) checks(now time.Time) []check {
	if t.Fault == "" {
		return nil
	}
	kept := "the form has no types"
	if len(t.Names) > 0 {
		kept = "the form has the " + format.Count(len(t.Names), "type") + " read before"
	}
	return []check{{
		Name: "volume_types", OK: true, Warning: true,
		Reason: fmt.Sprintf("the file cannot be used since %s, and %s", instant(now, t.Since), kept), Faults: []string{t.Fault},
		Next: step{"openstack volume type list --long -f json > " + format.ShellQuoted(t.File), "writes the file, which is read again when it changes"},
	}}
}

// instant is an instant and how long ago it was.
func instant(now, at time.Time) string {
	return at.UTC().Format(time.RFC3339) + " (" + ago(now, at) + ")"
}

// configCheck is a warning about a newer configuration that was refused.
func configCheck(c Config, now time.Time) check {
	first := ""
	if !c.RefusedSince.IsZero() && c.RefusedSince.Before(c.Refused) {
		first = ", the first one " + ago(now, c.RefusedSince)
	}
	return check{
		Name: "configuration", OK: true, Warning: true,
		Reason: fmt.Sprintf("a newer one was refused %s%s, and the one of %s is still in use", ago(now, c.Refused), first, c.Loaded.UTC().Format(time.RFC3339)),
		Faults: c.Faults,
		Next:   step{"poolcast check --no-bus", "reads the files now; correct each line, and they are read again"},
	}
}

// next is what to do so that the bus check passes.
func (b Bus) next() step {
	switch {
	case !b.Connected:
		return step{"", "compare transport_url with that of cinder-volume, and check that RabbitMQ runs; poolcast connects again by itself"}
	case b.Blocked:
		return step{"rabbitmq-diagnostics alarms", "on the broker; publishing resumes by itself"}
	}
	return step{"openstack volume service list --service cinder-scheduler", "and compare transport_url on both hosts; publishing resumes by itself"}
}

// next is what to do so that the reports of a backend reach the schedulers.
func (b Backend) next() step {
	switch {
	case b.Report == nil && b.Poll.Polls == 0:
		return step{"", "wait for the first poll"}
	case !b.Poll.Up && strings.Contains(b.Poll.Error, "token"):
		return step{"", "write the new token into pure_api_token or the token file; it is used without a restart"}
	case !b.Poll.Up, b.Overlay.State == "no_sample":
		return step{"poolcast --dry-run --backend " + format.ShellQuoted(b.Name), "polls the array now and prints the reason"}
	}
	switch b.Overlay.Cause {
	case "different_capacity", "different_array", "unreadable_base", "base_has_pools":
		return step{"poolcast diff --backend " + format.ShellQuoted(b.Name), "shows both reports"}
	case "cinder_volume_reports":
		return step{"", "write overlay = true in [poolcast], or stop the cinder-volume of this backend"}
	}
	if b.Overlay.State == "listening" || b.Overlay.Cause == "no_recent_base" {
		return step{"poolcast check", "compares the names with those on the broker; openstack volume service list has the state of the service"}
	}
	return step{"poolcast check", "has more about the broker"}
}
