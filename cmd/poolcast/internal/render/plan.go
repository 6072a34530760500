package render

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/migration"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/plan"
)

// shownStay is how many volumes that cannot be moved the table has; JSON has all.
const shownStay = 20

// Plan prints plans of migrations in one of the formats table, wide, json and commands.
func Plan(w io.Writer, output string, r *migration.Result) error {
	switch output {
	case "json":
		return JSON(w, jsonPlan(r))
	case "commands":
		return planCommands(w, r)
	}
	page := newPage(w, output)
	for i := range r.Pools {
		if i > 0 {
			page.Line("")
		}
		addPlan(page, r, &r.Pools[i])
	}
	addNotes(page, r.Notes)
	addSource(page, r.Backends)
	return page.Print()
}

func planCommands(w io.Writer, r *migration.Result) error {
	var b strings.Builder
	for i := range r.Pools {
		for n := range r.Pools[i].Moves {
			b.WriteString(text.Printable(r.Command(&r.Pools[i].Moves[n])) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func addPlan(page *text.Page, r *migration.Result, p *migration.PoolPlan) {
	addWrapped(page, planColor(p), fmt.Sprintf("%s in %s: %s", p.Name, p.Zone, headline(p)))
	page.Line("")
	page.Tables(planArrays(p))
	if len(p.Moves) > 0 {
		page.Line("")
		page.Tables(planMoves(p))
		page.Line("\nThe commands, one after the other; poolcast runs none:\n")
		for i := range p.Moves {
			page.Line("%s", text.Printable(r.Command(&p.Moves[i])))
		}
	}
	if len(p.Stay) > 0 {
		page.Line("\nVolumes that cannot be moved:\n")
		page.Tables(planStay(p))
		if more := len(p.Stay) - shownStay; more > 0 {
			page.Line("and %s; --output json has all", format.Count(more, "other"))
		}
	}
	addNotes(page, planNotes(p))
}

func planColor(p *migration.PoolPlan) text.Color {
	switch {
	case len(p.Stay) > 0:
		return text.Yellow
	case len(p.Moves) > 0:
		return text.Bold
	}
	return text.Green
}

// headline is what the plan does, in one sentence.
func headline(p *migration.PoolPlan) string {
	mandatory, gib := 0, int64(0)
	for i := range p.Moves {
		gib += p.Moves[i].Volume.Size
		if p.Moves[i].Kind.Mandatory() {
			mandatory++
		}
	}
	stay := ""
	if len(p.Stay) > 0 {
		stay = fmt.Sprintf("; %s cannot be moved", format.Count(len(p.Stay), "volume"))
	}
	switch n := len(p.Moves); {
	case n == 0 && stay == "":
		return "no move is worth its copy"
	case n == 0:
		return "no move is possible or worth its copy" + stay
	default:
		return fmt.Sprintf("%s, %d mandatory and %d optional, copy %d GiB%s", format.Count(n, "move"), mandatory, n-mandatory, gib, stay)
	}
}

func planArrays(p *migration.PoolPlan) *text.Table {
	t := text.NewTable("ARRAY", "VOLUMES>", "+THEN>", "USED>", "+THEN>", "PROVISIONED>", "+THEN>", "~").MayHide("VOLUMES")
	for _, a := range p.Arrays {
		remark := ""
		switch {
		case a.Emptied:
			remark = "to be emptied"
		case a.Before.Used == nil:
			remark = "does not report its capacity"
		}
		t.Add(a.Backend, strconv.Itoa(a.Before.Volumes), strconv.Itoa(a.After.Volumes), shareOrMissing(a.Before.Used), shareOrMissing(a.After.Used),
			shareOrMissing(a.Before.Provisioned), shareOrMissing(a.After.Provisioned), remark)
	}
	return t
}

func planMoves(p *migration.PoolPlan) *text.Table {
	t := text.NewTable("", "VOLUME", "COPY GiB>", "USED GiB>", "STATUS", "FROM", "TO", "KIND", "WHY~").
		MayHide("STATUS", "USED GiB", "WHY")
	for i := range p.Moves {
		m := &p.Moves[i]
		used := format.Missing
		if m.Volume.Physical != nil {
			used = format.Significant(*m.Volume.Physical, 3)
		}
		t.Add(strconv.Itoa(i+1), m.Volume.Label(), strconv.FormatInt(m.Volume.Size, 10), used, m.Volume.Status,
			backendOf(p, m.From), backendOf(p, m.To), string(m.Kind), m.Reason)
	}
	return t
}

func backendOf(p *migration.PoolPlan, pool string) string {
	for _, a := range p.Arrays {
		if a.Pool == pool {
			return a.Backend
		}
	}
	return pool
}

func planStay(p *migration.PoolPlan) *text.Table {
	t := text.NewTable("VOLUME", "ON", "GiB>", "WHY NOT~").MayHide("GiB", "ON")
	for i, s := range p.Stay {
		if i == shownStay {
			break
		}
		t.Add(s.Volume.Label(), backendOf(p, s.On), strconv.FormatInt(s.Volume.Size, 10), strings.Join(s.Reasons, "; "))
	}
	return t
}

func planNotes(p *migration.PoolPlan) []string {
	var notes []string
	if p.Cut {
		notes = append(notes, "more optional moves are worth their copy: --max-moves permits no more")
	}
	if p.Idle != "" {
		notes = append(notes, "arrays stay apart: "+p.Idle)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Others)) {
		notes = append(notes, fmt.Sprintf("%s has %s more that the cloud does not list, of another cloud or not made by Cinder: they stay", name, format.Count(p.Others[name], "volume")))
	}
	if len(p.Unknown) > 0 {
		notes = append(notes, "the space that volumes use on "+format.List(p.Unknown)+" is not known: no optional move is made from there, and each volume counts with its size; run poolcast with the sections of these arrays")
	}
	if len(p.Moves) > 0 {
		notes = append(notes, "a host copies each volume whole: cinder-volume if it is available, Nova if it is in use; what it will use on the other array is assumed to be what it uses now")
	}
	return notes
}

// planJSON is what plan --output json prints.
type planJSON struct {
	Pools  []poolPlanJSON `json:"pools"`
	Notes  []string       `json:"notes"`
	Source any            `json:"source"`
}

type poolPlanJSON struct {
	Name       string          `json:"volume_backend_name"`
	Zone       string          `json:"availability_zone"`
	Arrays     []planArrayJSON `json:"arrays"`
	Moves      []planMoveJSON  `json:"moves"`
	CannotMove []planStayJSON  `json:"cannot_move"`
	Notes      []string        `json:"notes"`
}

type planArrayJSON struct {
	Backend string      `json:"backend"`
	Pool    string      `json:"pool"`
	Emptied bool        `json:"to_be_emptied"`
	Before  figuresJSON `json:"before"`
	After   figuresJSON `json:"after"`
}

type figuresJSON struct {
	Volumes     int      `json:"volumes"`
	Used        *float64 `json:"used_ratio"`
	Provisioned *float64 `json:"provisioned_ratio"` // of what the scheduler permits
}

type planVolumeJSON struct {
	ID       string   `json:"volume_id"`
	Name     string   `json:"name"`
	Status   string   `json:"status"`
	Size     int64    `json:"size_gib"`
	Physical *float64 `json:"used_gib"`
}

type planMoveJSON struct {
	planVolumeJSON

	From      string    `json:"from"`
	To        string    `json:"to"`
	Kind      plan.Kind `json:"kind"`
	Mandatory bool      `json:"mandatory"`
	Reason    string    `json:"reason"`
	Command   string    `json:"command"`
}

type planStayJSON struct {
	planVolumeJSON

	On      string   `json:"on"`
	Reasons []string `json:"reasons"`
}

func jsonPlan(r *migration.Result) planJSON {
	out := planJSON{Pools: []poolPlanJSON{}, Notes: append([]string{}, r.Notes...), Source: r.Backends.JSON(time.Now())}
	for i := range r.Pools {
		p := &r.Pools[i]
		one := poolPlanJSON{Name: p.Name, Zone: p.Zone, Arrays: []planArrayJSON{}, Moves: []planMoveJSON{}, CannotMove: []planStayJSON{}, Notes: append([]string{}, planNotes(p)...)}
		for _, a := range p.Arrays {
			one.Arrays = append(one.Arrays, planArrayJSON{a.Backend, a.Pool, a.Emptied, figuresJSON(a.Before), figuresJSON(a.After)})
		}
		for n := range p.Moves {
			m := &p.Moves[n]
			one.Moves = append(one.Moves, planMoveJSON{jsonPlanned(m.Volume), m.From, m.To, m.Kind, m.Kind.Mandatory(), m.Reason, r.Command(m)})
		}
		for _, s := range p.Stay {
			one.CannotMove = append(one.CannotMove, planStayJSON{jsonPlanned(s.Volume), s.On, s.Reasons})
		}
		out.Pools = append(out.Pools, one)
	}
	return out
}

func jsonPlanned(v *plan.Volume) planVolumeJSON {
	return planVolumeJSON{v.ID, v.Name, v.Status, v.Size, v.Physical}
}
