package render

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/why"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// Why prints why a volume is as it is, in one of the formats table, wide and json.
func Why(w io.Writer, output string, e *why.Explanation) error {
	if output == "json" {
		return JSON(w, jsonWhy(e))
	}
	p := newPage(w, output)
	v := e.Volume
	p.Wrapped("", fmt.Sprintf("Volume %s is in the status %s. %s", text.Cell(volumeName(v)), text.Cell(v.Status), text.Printable(e.Cause())))
	p.Line("")
	p.Tables(volumeTable(e))
	for i, m := range e.Messages {
		if i == 0 {
			p.Line("\nMessages of Cinder:")
		}
		p.Wrapped("  ", text.Printable(messageLine(m)))
	}
	addQuota(p, e.Quota)
	addAnother(p, e)
	return p.Print()
}

// addAnother adds what would happen now to another volume like it.
func addAnother(p *text.Page, e *why.Explanation) {
	p.Line("")
	p.Wrapped("", "Another one like it, on the reports of now. Those of the time of the create are gone, and its scheduler hints are not stored.")
	p.Line("")
	if len(e.Exceeded()) > 0 {
		addWrapped(p, text.Red, e.Verdict())
		p.Line("")
	}
	if e.Answer.Refusal != nil {
		addWrapped(p, text.Red, e.Answer.Summary())
	} else {
		addDecision(p, e.Answer.Last())
	}
	addNotes(p, e.Answer.Notes)
	for _, note := range e.Notes {
		p.Line("")
		p.Wrapped("", "Not known: "+text.Printable(note))
	}
	addSource(p, e.Answer.Backends)
}

func volumeName(v *openstack.Volume) string {
	if v.Name == "" {
		return v.ID
	}
	return v.Name
}

func volumeTable(e *why.Explanation) *text.Table {
	v := e.Volume
	t := text.NewTable("PROPERTY", "VALUE~")
	t.Add("id", v.ID)
	t.Add("size", strconv.FormatInt(v.Size, 10)+" GiB")
	t.Add("type", v.Type)
	if e.Type != nil {
		addSpecs(t, e.Type)
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

// addSpecs adds a row for each extra spec and QoS spec.
func addSpecs(t *text.Table, kind *openstack.VolumeType) {
	label := "extra specs"
	for _, s := range kind.ExtraSpecs {
		value := "null"
		if s.Value != nil {
			value = "'" + *s.Value + "'"
		}
		t.Add(label, s.Key+"="+value)
		label = ""
	}
	label = "QoS specs"
	for _, key := range kind.QoS.SortedKeys() {
		t.Add(label, key+"="+kind.QoS[key].String())
		label = ""
	}
}

func messageLine(m openstack.Message) string {
	return fmt.Sprintf("%s  %s (%s)", m.CreatedAt.Format(time.DateTime), m.Text, m.Request)
}

// addQuota adds the quotas that have a limit.
func addQuota(p *text.Page, quota []openstack.Usage) {
	if len(quota) == 0 {
		return
	}
	t := text.NewTable("RESOURCE", "USED>", "LIMIT>", "ANOTHER NEEDS>", "")
	limited := false
	for _, u := range quota {
		if u.Limit < 0 {
			continue
		}
		mark := ""
		if u.Exceeded() {
			mark = "exceeded"
		}
		t.Add(u.Resource, strconv.FormatInt(u.Used, 10), strconv.FormatInt(u.Limit, 10), strconv.FormatInt(u.Request, 10), mark)
		limited = true
	}
	if !limited {
		p.Line("\nThe quota of its project has no limit.")
		return
	}
	p.Line("\nThe quota of its project:")
	p.Tables(t)
}

func age(d time.Duration) string { return d.Round(time.Second).String() }

// whyJSON is what why --output json prints. Nothing of it is an id of a project or a
// user.
type whyJSON struct {
	Volume   whyVolume     `json:"volume"`
	Cause    string        `json:"cause"`
	Messages []whyMessage  `json:"messages"`
	Quota    []whyQuota    `json:"quota"`
	Verdict  string        `json:"verdict"`
	Decision client.Answer `json:"decision"` // on another volume like it
	Notes    []string      `json:"notes"`
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

func jsonWhy(e *why.Explanation) whyJSON {
	out := whyJSON{
		Volume: jsonVolume(e), Cause: e.Cause(), Messages: []whyMessage{}, Quota: []whyQuota{},
		Verdict: e.Verdict(), Decision: e.Answer.JSON(e.Now), Notes: append([]string{}, e.Notes...),
	}
	for _, m := range e.Messages {
		out.Messages = append(out.Messages, whyMessage(m))
	}
	for _, u := range e.Quota {
		out.Quota = append(out.Quota, whyQuota{u.Resource, u.Used, u.Limit, u.Request, u.Exceeded()})
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
