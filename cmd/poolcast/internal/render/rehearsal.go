package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/rehearsal"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// Assumed is what a rehearsal rests on: assumptions, plug-ins of the cloud's scheduler
// without which it was made, backends that were taken out or added (nil if none was), and
// the backends that it began with.
type Assumed struct {
	Lines   []string
	LeftOut []placement.LeftOut
	Change  *rehearsal.Change
	Set     *backends.Set
}

// Rehearsal prints outcomes in one of the formats table, wide and json. The table has
// the summary, a row for each setting, and the arrays under the first setting.
func Rehearsal(w io.Writer, output string, b rehearsal.Burst, assumed Assumed, outcomes []rehearsal.Outcome) error {
	if output == "json" {
		out := jsonRehearsal(b, assumed, outcomes)
		out.Source = assumed.Set.JSON(time.Now())
		return JSON(w, out)
	}
	p := newPage(w, output)
	if assumed.Change != nil {
		for _, sentence := range assumed.Change.Sentences() {
			p.Wrapped("", sentence)
		}
	}
	p.Wrapped("", rehearsal.Summary(outcomes))
	p.Line("")
	for _, line := range append([]string{burstLine(b)}, assumed.Lines...) {
		p.Wrapped("", line)
	}
	for _, l := range assumed.LeftOut {
		p.Wrapped("", l.String()+".")
	}
	if order := arrayOrder(outcomes); order != "" {
		p.Wrapped("", "VOLUMES are those of "+order+".")
	}
	p.Line("")
	p.Tables(outcomeTable(outcomes))
	p.Line("\nThe arrays under %s:\n", text.Printable(outcomes[0].Setting.Name))
	p.Tables(arrayTable(outcomes[0]))
	addSource(p, assumed.Set)
	return p.Print()
}

func burstLine(b rehearsal.Burst) string {
	line := fmt.Sprintf("%s of %d GiB, %s per second, to %s; reports every %s",
		format.Count(b.Count, "volume"), b.Request.Size, format.Significant(b.Rate, 4), format.Count(b.Schedulers, "scheduler"), b.Interval)
	switch {
	case b.Skew > 0:
		line += fmt.Sprintf(", with timestamps %s ahead of the schedulers' clocks", b.Skew)
	case b.Skew < 0:
		line += fmt.Sprintf(", with timestamps %s behind the schedulers' clocks", -b.Skew)
	}
	return line + "."
}

// arrayOrder is the names of the arrays in the order in which their volumes are
// listed, if they are listed one by one and are the same under each setting.
func arrayOrder(outcomes []rehearsal.Outcome) string {
	order := ""
	for i, o := range outcomes {
		var names []string
		for _, a := range o.Arrays {
			names = append(names, a.Backend)
		}
		this := strings.Join(names, "/")
		if i > 0 && this != order || !strings.Contains(o.Distribution(), "/") {
			return ""
		}
		order = this
	}
	return order
}

func outcomeTable(outcomes []rehearsal.Outcome) *text.Table {
	t := text.NewTable("SETTING", "VOLUMES", "FAILED>", "SPREAD>", "EXCESS>", "LOAD EVEN>", "TIES>", "WITH~").
		MayHide("WITH", "TIES", "LOAD EVEN", "EXCESS", "SPREAD")
	for _, o := range outcomes {
		t.Add(o.Setting.Name, o.Distribution(), strconv.Itoa(o.Failed), percent(o.Evenness), excess(o.Excess),
			percent(o.LoadEvenness), format.Percent(o.TiedShare()), o.Setting.With)
	}
	return t
}

func excess(n *int64) string {
	if n == nil {
		return "unknown"
	}
	return strconv.FormatInt(*n, 10)
}

func arrayTable(o rehearsal.Outcome) *text.Table {
	t := text.NewTable("ARRAY", "VOLUMES>", "GiB>", "PROVISIONED>", "+AFTER>", "RATIO>", "+AFTER>", "OPS/s>", "+AFTER>", "LOAD %>", "+AFTER>").
		MayHide("OPS/s", "RATIO", "GiB", "PROVISIONED", "LOAD %")
	whole, decimal := orMissing(format.Whole), orMissing(format.Decimal)
	for _, a := range o.Arrays {
		t.Add(a.Backend, strconv.FormatInt(a.Volumes, 10), format.Whole(a.GiB),
			number(a.Before, capability.KeyProvisionedCapacity), number(a.After, capability.KeyProvisionedCapacity),
			decimal(a.Before.Number(capability.KeyMaxOverSubscription)), decimal(a.After.Number(capability.KeyMaxOverSubscription)),
			whole(a.Before.Operations()), whole(a.After.Operations()),
			number(a.Before, capability.KeyLoadPercent), number(a.After, capability.KeyLoadPercent))
	}
	return t
}

// rehearsalJSON is a rehearsal as rehearse --output json prints it.
type rehearsalJSON struct {
	Summary     string              `json:"summary"`
	Change      *rehearsal.Change   `json:"change,omitempty"` // absent without --without and --with
	Burst       burstJSON           `json:"burst"`
	Assumptions []string            `json:"assumptions"`
	LeftOut     []placement.LeftOut `json:"left_out"`
	Outcomes    []outcomeJSON       `json:"outcomes"`
	Source      client.Source       `json:"source"`
}

type burstJSON struct {
	Request    *cinder.Request `json:"request"`
	Count      int             `json:"count"`
	Rate       float64         `json:"creates_per_second"`
	Interval   float64         `json:"report_interval_seconds"`
	Schedulers int             `json:"schedulers"`
	Skew       float64         `json:"skew_seconds"`
	Fill       float64         `json:"fill"`
	Operations float64         `json:"operations_per_second"`
}

// outcomeJSON is one setting's outcome. Evenness is null where fewer than two
// arrays report the numbers.
type outcomeJSON struct {
	Setting      string                   `json:"setting"`
	With         string                   `json:"with"`
	Placed       int                      `json:"placed"`
	Failed       int                      `json:"failed"`
	Reason       string                   `json:"failure_reason,omitempty"`
	TiedShare    float64                  `json:"tied_share"`
	Evenness     *float64                 `json:"evenness"`
	Excess       *int64                   `json:"excess"` // null if an array does not report what is provisioned
	LoadEvenness *float64                 `json:"load_evenness"`
	Arrays       []rehearsal.ArrayOutcome `json:"arrays"`
}

func jsonRehearsal(b rehearsal.Burst, assumed Assumed, outcomes []rehearsal.Outcome) rehearsalJSON {
	out := rehearsalJSON{
		Summary: rehearsal.Summary(outcomes), Change: assumed.Change, Assumptions: append([]string{}, assumed.Lines...), LeftOut: append([]placement.LeftOut{}, assumed.LeftOut...),
		Burst: burstJSON{
			Request: b.Request, Count: b.Count, Rate: b.Rate, Interval: b.Interval.Seconds(),
			Schedulers: b.Schedulers, Skew: b.Skew.Seconds(), Fill: b.Fill, Operations: b.Operations,
		},
	}
	for _, o := range outcomes {
		out.Outcomes = append(out.Outcomes, jsonOutcome(o))
	}
	return out
}

func jsonOutcome(o rehearsal.Outcome) outcomeJSON {
	out := outcomeJSON{
		Setting: o.Setting.Name, With: o.Setting.With, Placed: o.Placed, Failed: o.Failed, TiedShare: o.TiedShare(),
		Evenness: o.Evenness, Excess: o.Excess, LoadEvenness: o.LoadEvenness, Arrays: o.Arrays,
	}
	if out.Arrays == nil {
		out.Arrays = []rehearsal.ArrayOutcome{}
	}
	if o.Refused != nil {
		out.Reason = o.Refused.Error()
	}
	return out
}
