package advice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
)

// Backend is a backend of the configuration and the name it reports under.
type Backend struct {
	Report capability.Report // as configured; the capabilities may be those of the stanza alone
	Where  string            // where the stanza begins
	File   string            // the file to change
	// Detail is what the bus told of a backend that was not heard, such as that
	// no cinder-volume runs for it; "" if nothing.
	Detail string
}

// BaseReport is a report of a cinder-volume service.
type BaseReport struct {
	Identity      string
	Host, Cluster string
	Capabilities  capability.Set
}

// Identity compares the names of the configuration with those that were heard
// on the bus within a time. A report under a name that no service has is
// stored by the scheduler and never used, without a word.
func Identity(named []Backend, heard []BaseReport, listened time.Duration) []Finding {
	var found []Finding
	for i := range named {
		n := &named[i]
		at := slices.IndexFunc(heard, func(h BaseReport) bool { return h.Identity == n.Report.Identity() })
		if at >= 0 {
			found = append(found, n.compare(heard[at])...)
			continue
		}
		found = append(found, n.missing(others(named, heard), listened))
	}
	return found
}

// others are the services that no backend of ours answers to.
func others(named []Backend, heard []BaseReport) []BaseReport {
	return slices.DeleteFunc(slices.Clone(heard), func(h BaseReport) bool {
		return slices.ContainsFunc(named, func(n Backend) bool { return n.Report.Identity() == h.Identity })
	})
}

func (n *Backend) finding(s Severity, code string) Finding {
	return Finding{Severity: s, Topic: IdentityTopic, Code: code, Where: n.Where}
}

// missing says why a backend was not heard, best guess first.
func (n *Backend) missing(others []BaseReport, listened time.Duration) Finding {
	_, stanza, _ := strings.Cut(n.Report.Identity(), "@")
	var stanzas []string
	for _, h := range others {
		host, theirs, _ := strings.Cut(h.Identity, "@")
		if theirs == stanza {
			return n.otherHost(h, host)
		}
		if ours, _, _ := strings.Cut(n.Report.Identity(), "@"); ours == host {
			stanzas = append(stanzas, theirs)
		}
	}
	if near := format.Nearest(stanza, stanzas); near != "" {
		return n.otherStanza(near)
	}
	out := n.finding(Warning, "never-heard")
	out.Problem = fmt.Sprintf("nothing was heard of %s in %s", n.Report.Identity(), listened.Round(time.Second))
	out.Reason = "a report under a name that no cinder-volume has is stored by the scheduler and never used"
	out.Fix = "Check that cinder-volume runs for the stanza (openstack volume service list), and listen longer with --listen-for"
	if n.Detail != "" {
		out.Problem += ": " + n.Detail
	}
	return out
}

// otherHost is the same stanza under another host or cluster.
func (n *Backend) otherHost(h BaseReport, host string) Finding {
	out := n.finding(Error, "wrong-host")
	out.Problem = fmt.Sprintf("cinder-volume reports this backend as %s, and this configuration as %s", h.Identity, n.Report.Identity())
	out.Reason = "the scheduler keeps reports by name: ours would be stored under a name that no service has, and never used"
	switch {
	case h.Cluster != "":
		out.Fix = fmt.Sprintf("Write cluster = %s into [DEFAULT] of %s", host, n.File)
	case n.Report.Cluster != "":
		out.Fix = fmt.Sprintf("Remove cluster from [DEFAULT] of %s, or set it for cinder-volume too", n.File)
	default:
		out.Fix = fmt.Sprintf("Write host = %s into [DEFAULT], or backend_host = %s into [%s], of %s", host, host, n.Report.Backend, n.File)
	}
	return out
}

func (n *Backend) otherStanza(near string) Finding {
	out := n.finding(Error, "wrong-stanza")
	out.Problem = fmt.Sprintf("cinder-volume reports a backend %s on this host, and none called %s", near, n.Report.Backend)
	out.Reason = "the section's name is a part of the backend's name, and the scheduler never uses a report under another"
	out.Fix = fmt.Sprintf("Name the section [%s] here and in enabled_backends, as the file of cinder-volume does", near)
	return out
}

// compare finds a cinder-volume that runs with another configuration.
func (n *Backend) compare(h BaseReport) []Finding {
	var differ []string
	for _, key := range n.Report.Capabilities.SortedKeys() {
		ours := n.Report.Capabilities[key]
		theirs, told := h.Capabilities[key]
		if told && !theirs.Equal(ours) && !sameNumber(theirs, ours) {
			differ = append(differ, fmt.Sprintf("%s is %s there and %s here", key, shown(theirs), shown(ours)))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	out := n.finding(Warning, "other-configuration")
	out.Problem = "cinder-volume runs with another configuration: " + strings.Join(differ, "; ")
	out.Reason = "what the stanza says comes from cinder-volume's own report, so the change here has no effect yet"
	out.Fix = "Restart cinder-volume if its file was changed, or name its file with --config-file"
	return []Finding{out}
}

func sameNumber(a, b capability.Value) bool {
	x, okX := a.Float()
	y, okY := b.Float()
	return okX && okY && x == y
}
