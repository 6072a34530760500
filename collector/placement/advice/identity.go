package advice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
)

// Backend is a backend of the configuration.
type Backend struct {
	Report capability.Report // as configured; the capabilities may be those of the stanza alone
	Where  string            // where the stanza begins
	File   string            // the file to change
	// Detail is why there is no base report, such as that no cinder-volume
	// runs for it; "" if that is unknown.
	Detail string
}

// BaseReport is a report of a cinder-volume service.
type BaseReport struct {
	Identity      string
	Host, Cluster string
	Capabilities  capability.Set
}

// Identity compares the names of the configured backends with those of the base
// reports that were received on the bus within a time. The scheduler stores a
// report under a name that no service has, and never uses it.
func Identity(backends []Backend, received []BaseReport, listened time.Duration) []Finding {
	var found []Finding
	for i := range backends {
		b := &backends[i]
		at := slices.IndexFunc(received, func(r BaseReport) bool { return r.Identity == b.Report.Identity() })
		if at >= 0 {
			found = append(found, b.compare(received[at])...)
			continue
		}
		found = append(found, b.missing(unknownBackends(backends, received), listened))
	}
	return found
}

// unknownBackends are the base reports of no configured backend.
func unknownBackends(backends []Backend, received []BaseReport) []BaseReport {
	return slices.DeleteFunc(slices.Clone(received), func(r BaseReport) bool {
		return slices.ContainsFunc(backends, func(b Backend) bool { return b.Report.Identity() == r.Identity })
	})
}

func (b *Backend) finding(s Severity, code, problem, reason, fix string) Finding {
	return Finding{Severity: s, Topic: IdentityTopic, Code: code, Where: b.Where, Problem: problem, Reason: reason, Fix: fix}
}

// missing finds the most likely cause of a missing base report.
func (b *Backend) missing(unknown []BaseReport, listened time.Duration) Finding {
	host, stanza, _ := strings.Cut(b.Report.Identity(), "@")
	var stanzas []string
	for _, r := range unknown {
		otherHost, otherStanza, _ := strings.Cut(r.Identity, "@")
		if otherStanza == stanza {
			return b.wrongHost(r, otherHost)
		}
		if otherHost == host {
			stanzas = append(stanzas, otherStanza)
		}
	}
	if near := format.Nearest(stanza, stanzas); near != "" {
		return b.finding(Error, "wrong-stanza",
			fmt.Sprintf("cinder-volume reports a backend %s on this host, and none named %s", near, b.Report.Backend),
			"the section's name is a part of the backend's name, and the scheduler never uses a report under another",
			fmt.Sprintf("Name the section [%s] here and in enabled_backends, as the file of cinder-volume does", near))
	}
	problem := fmt.Sprintf("no report of %s was received in %s", b.Report.Identity(), listened.Round(time.Second))
	if b.Detail != "" {
		problem += ": " + b.Detail
	}
	return b.finding(Warning, "no-base-report", problem,
		"a report under a name that no cinder-volume has is stored by the scheduler and never used",
		"Check that cinder-volume runs for the stanza (openstack volume service list), and listen longer with --listen-for")
}

// wrongHost is about the same stanza under another host or cluster.
func (b *Backend) wrongHost(r BaseReport, host string) Finding {
	fix := fmt.Sprintf("Write host = %s into [DEFAULT], or backend_host = %s into [%s], of %s", host, host, b.Report.Backend, b.File)
	switch {
	case r.Cluster != "":
		fix = fmt.Sprintf("Write cluster = %s into [DEFAULT] of %s", host, b.File)
	case b.Report.Cluster != "":
		fix = fmt.Sprintf("Remove cluster from [DEFAULT] of %s, or set it for cinder-volume too", b.File)
	}
	return b.finding(Error, "wrong-host",
		fmt.Sprintf("cinder-volume reports this backend as %s, and this configuration as %s", r.Identity, b.Report.Identity()),
		"the scheduler stores reports by name: those of poolcast would be stored under a name that no service has, and never used", fix)
}

// compare finds a cinder-volume that runs with another configuration.
func (b *Backend) compare(r BaseReport) []Finding {
	var differ []string
	for _, key := range b.Report.Capabilities.SortedKeys() {
		here := b.Report.Capabilities[key]
		there, ok := r.Capabilities[key]
		if ok && !there.Equal(here) && !sameNumber(there, here) {
			differ = append(differ, fmt.Sprintf("%s is %s there and %s here", key, valueText(there), valueText(here)))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return []Finding{b.finding(Warning, "different-configuration",
		"cinder-volume runs with another configuration: "+strings.Join(differ, "; "),
		"configured keys are those of cinder-volume's own report, so the change here has no effect yet",
		"Restart cinder-volume if its file was changed, or name its file with --config-file")}
}
