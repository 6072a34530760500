package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/rehearsal"
)

// printRehearsal prints the summary, a row for each setting, and the arrays under
// the first setting.
func printRehearsal(w io.Writer, b rehearsal.Burst, assumed []string, outcomes []rehearsal.Outcome) error {
	lines := append([]string{rehearsal.Summary(outcomes), "", burstLine(b)}, assumed...)
	if order := arrayOrder(outcomes); order != "" {
		lines = append(lines, "VOLUMES are those of "+order+".")
	}
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(strings.Join(wrap(line, lineWidth(w)), "\n") + "\n")
	}
	if _, err := fmt.Fprintln(w, text.String()); err != nil {
		return err
	}
	if err := outcomeTable(outcomes).print(w); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "\nThe arrays under %s:\n\n", printable(outcomes[0].Setting.Name)); err != nil {
		return err
	}
	return arrayTable(outcomes[0]).print(w)
}

func burstLine(b rehearsal.Burst) string {
	text := fmt.Sprintf("%s of %d GiB, %s per second, to %s; reports every %s",
		format.Count(b.Count, "volume"), b.Request.Size, format.Significant(b.Rate, 4), format.Count(b.Schedulers, "scheduler"), b.Interval)
	switch {
	case b.Skew > 0:
		text += fmt.Sprintf(", with timestamps %s ahead of the schedulers' clocks", b.Skew)
	case b.Skew < 0:
		text += fmt.Sprintf(", with timestamps %s behind the schedulers' clocks", -b.Skew)
	}
	return text + "."
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

func outcomeTable(outcomes []rehearsal.Outcome) *table {
	t := newTable("SETTING", "VOLUMES", "FAILED>", "SPREAD>", "EXCESS>", "LOAD EVEN>", "TIES>", "WITH")
	for _, o := range outcomes {
		t.add(o.Setting.Name, o.Distribution(), strconv.Itoa(o.Failed), percent(o.Evenness), excess(o.Excess),
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

func arrayTable(o rehearsal.Outcome) *table {
	t := newTable("ARRAY", "VOLUMES>", "GiB>", "PROVISIONED>", "AFTER>", "RATIO>", "AFTER>", "OPS/s>", "AFTER>", "LOAD %>", "AFTER>")
	number, decimal := orMissing(format.Whole), orMissing(format.Decimal)
	for _, a := range o.Arrays {
		t.add(a.Backend, strconv.FormatInt(a.Volumes, 10), format.Whole(a.GiB),
			whole(a.Before, capability.KeyProvisionedCapacity), whole(a.After, capability.KeyProvisionedCapacity),
			decimal(a.Before.Number(capability.KeyMaxOverSubscription)), decimal(a.After.Number(capability.KeyMaxOverSubscription)),
			number(a.Before.Operations()), number(a.After.Operations()),
			whole(a.Before, capability.KeyLoadPercent), whole(a.After, capability.KeyLoadPercent))
	}
	return t
}

// rehearsalJSON is a rehearsal as rehearse --output json prints it.
type rehearsalJSON struct {
	Summary     string        `json:"summary"`
	Burst       burstJSON     `json:"burst"`
	Assumptions []string      `json:"assumptions"`
	Outcomes    []outcomeJSON `json:"outcomes"`
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

func jsonRehearsal(b rehearsal.Burst, assumed []string, outcomes []rehearsal.Outcome) rehearsalJSON {
	out := rehearsalJSON{
		Summary: rehearsal.Summary(outcomes), Assumptions: append([]string{}, assumed...),
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
