package advice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
)

// maxLabelled is how many backends a note on a label lists.
const maxLabelled = 6

// LabelsRead are the labels among the capabilities that are read of a report, by key;
// nil if there are none. A decision on one is not a decision on a measurement.
func LabelsRead(r *capability.Report, keys []string) map[string]capability.Label {
	var labels map[string]capability.Label
	for _, key := range keys {
		if l, ok := r.Label(key); ok {
			if labels == nil {
				labels = map[string]capability.Label{}
			}
			labels[key] = l
		}
	}
	return labels
}

// LabelNotes say which of the capabilities that are read of reports are labels, each
// with the measurement as far as it is known, and then what makes the measurement
// count. They are one note for each key and value.
func LabelNotes(reports []capability.Report, reads func(*capability.Report) []string) []string {
	var groups []labelGroup
	var keys []string
	for i := range reports {
		r := &reports[i]
		if len(r.Labels) == 0 {
			continue
		}
		read := reads(r)
		labels := LabelsRead(r, read)
		for _, key := range read {
			if l, ok := labels[key]; ok {
				groups = addLabel(groups, key, l, r.Name())
				keys = append(keys, key)
			}
		}
	}
	if len(groups) == 0 {
		return nil
	}
	slices.SortStableFunc(groups, func(a, b labelGroup) int { return strings.Compare(a.key, b.key) })
	var notes []string
	for _, g := range groups {
		notes = append(notes, g.String())
	}
	slices.Sort(keys)
	return append(notes, labelAdvice(slices.Compact(keys)))
}

// LabelText is for a text that has the number of a label: what it is, and what is
// measured.
func LabelText(key string, l capability.Label) string {
	return fmt.Sprintf("%s is a label of cinder.conf; %s", key, measured(l))
}

// labelAdvice is what makes the measurements count.
func labelAdvice(keys []string) string {
	count := "the measurement counts"
	if len(keys) > 1 {
		count = "the measurements count"
	}
	return fmt.Sprintf("add %s to live_capabilities in [poolcast], and %s", strings.Join(keys, ", "), count)
}

func measured(l capability.Label) string {
	if f, ok := l.Measured.Float(); ok {
		return "measured " + format.Significant(f, 4)
	}
	return "what is measured is not known here"
}

// labelGroup are the backends with one label.
type labelGroup struct {
	key    string
	labels []capability.Label // each with the same value
	names  []string
}

func addLabel(groups []labelGroup, key string, l capability.Label, name string) []labelGroup {
	at := slices.IndexFunc(groups, func(g labelGroup) bool { return g.key == key && g.labels[0].Value.Equal(l.Value) })
	if at < 0 {
		at, groups = len(groups), append(groups, labelGroup{key: key})
	}
	groups[at].labels = append(groups[at].labels, l)
	groups[at].names = append(groups[at].names, name)
	return groups
}

// String is "avg_latency_ms 0.35 is a label of cinder.conf; measured: fa1 1.67, fa2 0.4".
func (g labelGroup) String() string {
	if len(g.names) == 1 {
		return fmt.Sprintf("%s %s of %s is a label of cinder.conf; %s", g.key, g.labels[0].Value, g.names[0], measured(g.labels[0]))
	}
	var known []string
	for i, l := range g.labels {
		if f, ok := l.Measured.Float(); ok {
			known = append(known, g.names[i]+" "+format.Significant(f, 4))
		}
	}
	if len(known) == 0 {
		return fmt.Sprintf("%s %s of %s is a label of cinder.conf; what is measured is not known here", g.key, g.labels[0].Value, format.List(g.names))
	}
	if more := len(known) - maxLabelled; more > 0 {
		known = append(known[:maxLabelled], fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("%s %s is a label of cinder.conf; measured: %s", g.key, g.labels[0].Value, strings.Join(known, ", "))
}
