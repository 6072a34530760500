package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/why"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Why prints why a volume is as it is, in one of the formats table and json.
func Why(w io.Writer, output string, e *why.Explanation) error {
	if output == "json" {
		return JSON(w, jsonWhy(e))
	}
	p := text.NewPage(w)
	v := e.Volume
	p.Wrapped("", fmt.Sprintf("Volume %s is in the status %s. %s", text.Cell(volumeName(v)), v.Status, e.Cause()))
	p.Line("")
	p.Table(volumeTable(e))
	for i, m := range e.Messages {
		if i == 0 {
			p.Line("\nMessages of Cinder:")
		}
		p.Wrapped("  ", text.Printable(messageLine(m)))
	}
	if len(e.Quota) > 0 {
		p.Line("\nThe quota of its project:")
		p.Table(quotaTable(e.Quota))
	}
	p.Line("")
	p.Wrapped("", basis(e))
	addVerdictOf(p, e)
	for _, note := range e.Notes {
		p.Line("")
		p.Wrapped("", "Not known: "+text.Printable(note))
	}
	return p.Print()
}

// addVerdictOf adds what would happen now.
func addVerdictOf(p *text.Page, e *why.Explanation) {
	if len(e.Exceeded()) > 0 || e.Answer == nil {
		p.Line("")
		p.Wrapped("", p.Paint(text.Red, e.Verdict()))
	}
	if e.Answer != nil {
		p.Line("")
		addDecision(p, e.Answer.Last())
	}
}

func volumeName(v *openstack.Volume) string {
	if v.Name == "" {
		return v.ID
	}
	return v.Name
}

func volumeTable(e *why.Explanation) *text.Table {
	v := e.Volume
	t := text.NewTable("PROPERTY", "VALUE")
	t.Add("id", v.ID)
	t.Add("size", strconv.FormatInt(v.Size, 10)+" GiB")
	t.Add("type", typeLine(e))
	if e.Type != nil && e.Type.QoS != nil {
		t.Add("QoS specs", setLine(e.Type.QoS))
	}
	t.Add("availability zone", v.Zone)
	if v.Host != "" {
		t.Add("backend", v.Host)
	}
	if e.Service != nil && e.Service.Excluded() != "" {
		t.Add("service", e.Service.Excluded())
	}
	if e.Source != nil {
		t.Add("made from", fmt.Sprintf("volume %s on %s", volumeName(e.Source), e.Source.Host))
	}
	if v.Migration != "" {
		t.Add("migration", v.Migration)
	}
	if v.Replication != "" {
		t.Add("replication", v.Replication)
	}
	t.Add("created", v.CreatedAt.Format(time.DateTime)+" UTC, "+age(e.Now.Sub(v.CreatedAt))+" ago")
	return t
}

func typeLine(e *why.Explanation) string {
	if e.Type == nil {
		return e.Volume.Type
	}
	return strings.Join(append([]string{e.Type.Name}, specTexts(e.Type.ExtraSpecs)...), "  ")
}

func specTexts(specs cinder.ExtraSpecs) []string {
	texts := make([]string, len(specs))
	for i, s := range specs {
		texts[i] = s.Key + "=null"
		if s.Value != nil {
			texts[i] = fmt.Sprintf("%s='%s'", s.Key, *s.Value)
		}
	}
	return texts
}

func setLine(set capability.Set) string {
	var texts []string
	for _, key := range set.SortedKeys() {
		texts = append(texts, key+"="+set[key].String())
	}
	return strings.Join(texts, "  ")
}

func messageLine(m openstack.Message) string {
	return fmt.Sprintf("%s  %s (%s)", m.CreatedAt.Format(time.DateTime), m.Text, m.Request)
}

func quotaTable(quota []openstack.Usage) *text.Table {
	t := text.NewTable("RESOURCE", "USED>", "LIMIT>", "ANOTHER NEEDS>", "")
	for _, u := range quota {
		limit, mark := strconv.FormatInt(u.Limit, 10), ""
		if u.Limit < 0 {
			limit = "none"
		}
		if u.Exceeded() {
			mark = "exceeded"
		}
		t.Add(u.Resource, strconv.FormatInt(u.Used, 10), limit, strconv.FormatInt(u.Request, 10), mark)
	}
	return t
}

// basis says on which reports the decision is made.
func basis(e *why.Explanation) string {
	from := map[backends.Source]string{
		backends.Agent:     "of the agent at " + e.Backends.From,
		backends.Scheduler: "of the scheduler",
		backends.Arrays:    "polled from the arrays",
		backends.File:      "in " + e.Backends.From,
	}[e.Backends.Source]
	line := fmt.Sprintf("Another one like it now, on the reports %s (%s", from, format.Count(len(e.Backends.Reports), "backend"))
	if oldest, ok := e.OldestReport(); ok {
		line += ", the oldest " + age(oldest) + " old"
	}
	return line + "). These are not the reports of the time of the create."
}

func age(d time.Duration) string { return d.Round(time.Second).String() }

// whyJSON is what why --output json prints. Nothing of it is an id of a project or a
// user.
type whyJSON struct {
	Volume   whyVolume               `json:"volume"`
	Cause    string                  `json:"cause"`
	Messages []whyMessage            `json:"messages"`
	Quota    []whyQuota              `json:"quota"`
	Reports  whyReports              `json:"reports"`
	Verdict  string                  `json:"verdict"`
	Decision *placement.DecisionJSON `json:"decision"` // null if cinder-api would refuse the request
	Notes    []string                `json:"notes"`
}

type whyVolume struct {
	ID         string             `json:"id"`
	Name       string             `json:"name"`
	Status     string             `json:"status"`
	Size       int64              `json:"size"`
	Type       string             `json:"volume_type"`
	ExtraSpecs *cinder.ExtraSpecs `json:"extra_specs"`
	QoS        capability.Set     `json:"qos_specs"`
	Zone       string             `json:"availability_zone"`
	Host       *string            `json:"host"`
	Excluded   string             `json:"service_excluded,omitempty"`
	CreatedAt  time.Time          `json:"created_at"`
}

type whyMessage struct {
	Text      string    `json:"user_message"`
	CreatedAt time.Time `json:"created_at"`
	Request   string    `json:"request_id"`
}

type whyQuota struct {
	Resource string `json:"resource"`
	Used     int64  `json:"used"`
	Limit    int64  `json:"limit"`
	Request  int64  `json:"needed"`
	Exceeded bool   `json:"exceeded"`
}

type whyReports struct {
	Source   backends.Source `json:"source"`
	Backends int             `json:"backends"`
	Oldest   *float64        `json:"oldest_age_seconds"`
}

func jsonWhy(e *why.Explanation) whyJSON {
	out := whyJSON{
		Volume: jsonVolume(e), Cause: e.Cause(), Messages: []whyMessage{}, Quota: []whyQuota{},
		Reports: whyReports{Source: e.Backends.Source, Backends: len(e.Backends.Reports)},
		Verdict: e.Verdict(), Notes: append([]string{}, e.Notes...),
	}
	for _, m := range e.Messages {
		out.Messages = append(out.Messages, whyMessage(m))
	}
	for _, u := range e.Quota {
		out.Quota = append(out.Quota, whyQuota{u.Resource, u.Used, u.Limit, u.Request, u.Exceeded()})
	}
	if oldest, ok := e.OldestReport(); ok {
		seconds := oldest.Round(time.Second).Seconds()
		out.Reports.Oldest = &seconds
	}
	if e.Answer != nil {
		d := e.Answer.Last().JSON()
		out.Decision = &d
	}
	return out
}

func jsonVolume(e *why.Explanation) whyVolume {
	v := e.Volume
	out := whyVolume{ID: v.ID, Name: v.Name, Status: v.Status, Size: v.Size, Type: v.Type, Zone: v.Zone, CreatedAt: v.CreatedAt}
	if v.Host != "" {
		out.Host = &v.Host
	}
	if e.Type != nil {
		out.ExtraSpecs, out.QoS = &e.Type.ExtraSpecs, e.Type.QoS
	}
	if e.Service != nil {
		out.Excluded = e.Service.Excluded()
	}
	return out
}
