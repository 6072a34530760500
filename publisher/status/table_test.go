package status

import (
	"fmt"
	"math"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability"
)

var usual = Thresholds{Load: Limits{70, 90}, Latency: Limits{2000, 5000}, Used: Limits{80, 90}, VirtualFree: Limits{10, 5}}

// fleetOf is a view of arrays with these loads, in two pools. NaN is an array without
// a performance sample.
func fleetOf(loads ...float64) View {
	v := View{Now: noon, Thresholds: usual, Bus: Bus{Connected: true, Exchange: true}}
	for i, load := range loads {
		name := fmt.Sprintf("fa_%03d", i)
		r := &capability.Report{
			Host: "ctl1@" + name, Backend: name, Pool: []string{"gold", "silver"}[i%2], Zone: "dc1", CollectedAt: noon.Add(-time.Duration(i) * time.Second), Status: capability.OK,
			Capabilities: capability.Set{
				capability.KeyTotalCapacity: capability.OfFloat(1000), capability.KeyFreeCapacity: capability.OfFloat(float64(500 + i)),
				capability.KeyTotalVolumes: capability.OfInt(int64(100 - i)), capability.KeyDataReduction: capability.OfFloat(3.5),
			},
		}
		if !math.IsNaN(load) {
			r.Capabilities[capability.KeyLoadPercent] = capability.OfInt(int64(load))
		}
		v.Backends = append(v.Backends, Backend{
			Name: name, Host: r.Host, Pool: r.Pool, Zone: r.Zone, Report: r,
			Poll:    Poll{Up: true, Polls: 3, LastOK: noon},
			Overlay: Overlay{State: "overlaying", PublishedAt: noon},
			Space:   &Space{Total: 1000, Reserved: 100, Ratio: 2, Provisioned: 800, VirtualFree: 1000, Thin: true},
		})
	}
	return v
}

func noHistory(string) []Point { return nil }

func rowNames(t *table) string {
	var names []string
	for _, r := range t.Rows {
		names = append(names, strings.TrimPrefix(r.Name, "fa_00"))
	}
	return strings.Join(names, " ")
}

func TestTableOrder(t *testing.T) {
	v := fleetOf(20, 95, math.NaN(), 75, 20, 40)
	v.Backends[5].Poll.Up = false
	v.Backends[2].Zone = ""
	for query, want := range map[string]string{
		"":                   "5 1 3 0 4 2", // down, critical, warning, then by load and name; unknown load last
		"sort=load":          "1 3 5 0 4 2",
		"sort=-load":         "0 4 5 3 1 2", // unknown is last in this direction too
		"sort=state":         "5 1 3 0 4 2",
		"sort=-state":        "0 4 2 3 1 5",
		"sort=name":          "0 1 2 3 4 5",
		"sort=-name":         "5 4 3 2 1 0",
		"sort=volumes":       "0 1 2 3 4 5",
		"sort=used":          "0 1 2 3 4 5",
		"sort=age":           "5 4 3 2 1 0",
		"sort=pool":          "0 4 2 5 1 3", // the worst first in each pool
		"sort=zone":          "5 1 3 0 4 2",
		"sort=nothing":       "5 1 3 0 4 2",
		"pool=silver":        "5 1 3",
		"pool=gold&sort=age": "4 2 0",
		"pool=none":          "",
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := rowNames(newTable(v, readSelection(values), noHistory)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// TestTableLinks: each link keeps the rest of the selection.
func TestTableLinks(t *testing.T) {
	values, err := url.ParseQuery("sort=-load&pool=gold&backend=ctl1@fa_000&size=100")
	if err != nil {
		t.Fatal(err)
	}
	table := newTable(fleetOf(1, 2, 3, 4, 5, 6), readSelection(values), noHistory)
	for _, h := range table.Headers {
		want, order := "/?backend=ctl1%40fa_000&pool=gold&sort="+h.ID+"#arrays", ""
		if h.ID == "load" {
			order = "ascending"
		}
		if h.Href != want || h.Order != order {
			t.Errorf("%s: %s %q, want %s %q", h.ID, h.Href, h.Order, want, order)
		}
		if h.Meaning() == "" || h.Label == "" || (h.text == nil) == (h.figure == nil) {
			t.Errorf("the column %s is incomplete", h.ID)
		}
	}
	if got, want := table.Rows[0].Href, "/?pool=gold&sort=-load#arrays"; got != want || !table.Rows[0].Open {
		t.Errorf("the open row leads to %s, want %s", got, want)
	}
	if got, want := table.Rows[1].Href, "/?backend=ctl1%40fa_002&pool=gold&sort=-load#card"; got != want || table.Rows[1].Open {
		t.Errorf("another row leads to %s, want %s", got, want)
	}
	if len(table.Filters) != 1 || table.Filters[0].Name != "pool" || len(table.Filters[0].Choices) != 3 {
		t.Fatalf("filters: %+v", table.Filters)
	}
	if c := table.Filters[0].Choices; c[0].Href != "/?backend=ctl1%40fa_000&sort=-load#arrays" || c[0].Current || !c[1].Current {
		t.Errorf("choices: %+v", c)
	}
}

func TestSeverity(t *testing.T) {
	for name, c := range map[string]struct {
		limits Limits
		value  float64
		want   severity
	}{
		"below":             {Limits{70, 90}, 69, unmarked},
		"warning":           {Limits{70, 90}, 70, warning},
		"critical":          {Limits{70, 90}, 90, critical},
		"falling, above":    {Limits{10, 5}, 11, unmarked},
		"falling, warning":  {Limits{10, 5}, 10, warning},
		"falling, critical": {Limits{10, 5}, -3, critical},
		"unknown":           {Limits{70, 90}, math.NaN(), unmarked},
		"falling, unknown":  {Limits{10, 5}, math.NaN(), unmarked},
		"no limits":         {Limits{}, 0, unmarked},
		"critical at zero":  {Limits{30, 0}, 0, critical},
	} {
		if got := c.limits.of(c.value); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestStateNamesCauses(t *testing.T) {
	for want, change := range map[string]func(b *Backend){
		"up":             func(*Backend) {},
		"not polled yet": func(b *Backend) { *b = Backend{Name: b.Name} },
		"critical: down": func(b *Backend) {
			b.Poll.Up = false
			b.Report.Capabilities[capability.KeyLoadPercent] = capability.OfInt(99)
		},
		"critical: stale":  func(b *Backend) { b.Report.Status = capability.Stale },
		"warning: partial": func(b *Backend) { b.Report.Status = capability.Partial },
		"warning: array problem": func(b *Backend) {
			b.Details.Condition.CriticalAlerts = read[int64](1)
		},
		"warning: suspended":      func(b *Backend) { b.Overlay.State = "suspended" },
		"warning: not publishing": func(b *Backend) { b.Overlay.State = "no_sample" },
		"warning: suspended, load": func(b *Backend) {
			b.Overlay.State = "suspended"
			b.Report.Capabilities[capability.KeyLoadPercent] = capability.OfInt(70)
		},
		"critical: latency, used": func(b *Backend) {
			b.Report.Capabilities[capability.KeyUsecPerWrite] = capability.OfInt(5000)
			b.Report.Capabilities[capability.KeyFreeCapacity] = capability.OfFloat(100)
		},
		"critical: load": func(b *Backend) {
			b.Report.Capabilities[capability.KeyLoadPercent] = capability.OfInt(90)
			b.Report.Capabilities[capability.KeyFreeCapacity] = capability.OfFloat(200)
		},
		"warning: used":          func(b *Backend) { b.Report.Capabilities[capability.KeyFreeCapacity] = capability.OfFloat(204) }, // 79.6 % is shown as 80 %
		"warning: virtual free":  func(b *Backend) { b.Space.VirtualFree = 180 },
		"critical: virtual free": func(b *Backend) { b.Space.VirtualFree = -1 },
	} {
		v := fleetOf(20)
		change(&v.Backends[0])
		if got := newFigures(v.Backends[0], usual, noon).State; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestVirtualShare(t *testing.T) {
	for want, s := range map[float64]Space{
		50: {Total: 1000, Reserved: 100, Ratio: 2, VirtualFree: 900, Thin: true},
		90: {Total: 1000, Reserved: 100, Ratio: 2, VirtualFree: 810},
		0:  {Total: 100, Reserved: 100, VirtualFree: 5},
		-7: {Total: 100, Reserved: 100, VirtualFree: -7},
	} {
		if got := s.virtualShare(); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// TestTableShowsMarksInWords: colour is never alone, and a missing number is a dash.
func TestTableShowsMarksInWords(t *testing.T) {
	v := fleetOf(20, 95, math.NaN(), 75, 20, 40)
	v.Backends[0].Name = "<b>"
	_, body := get(t, serve(t, Options{Source: fixed(v)}).URL+"/?backend=ctl1@fa_001")
	for _, want := range []string{
		`<span class="critical"><span aria-hidden="true">!!&nbsp;</span>95` + "\u202f" + `%<span class="unseen">, critical</span></span>`,
		`load from 70 and 90` + "\u202f" + `%, latency from 2 and 5` + "\u202f" + `ms, used from 80 and 90` + "\u202f" + `%, virtual free at most 10 and 5` + "\u202f%",
		`<td role="cell" class="load">– `, "&lt;b&gt;", `aria-sort="descending"`, `id="card"`, "What the figures mean", "load_percent in %: share of",
		"6 arrays <span class=\"critical\">!! 1 critical</span> <span class=\"warning\">! 1 warning</span>",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if n := strings.Count(body, "<article"); n != 1 {
		t.Errorf("%d cards are open", n)
	}
}

// TestManyFaultsDoNotHideTheTable: further ones are in details.
func TestManyFaultsDoNotHideTheTable(t *testing.T) {
	for down, want := range map[int]string{4: "", 7: "3 further problems"} {
		v := fleetOf(1, 2, 3, 4, 5, 6, 7, 8)
		for i := range down {
			v.Backends[i].Poll = Poll{Polls: 1, Failures: 1, Error: fmt.Sprintf("reason %d", i)}
		}
		_, body := get(t, serve(t, Options{Source: fixed(v)}).URL+"/")
		if got := strings.Contains(body, "further problem"); got != (want != "") || !strings.Contains(body, want) || strings.Count(body, ">reason ") != down {
			t.Errorf("%d arrays are down: %d reasons, further problems %v", down, strings.Count(body, ">reason "), got)
		}
	}
}

// TestSelectionFromOutside: parameters are text that anyone may have written.
func TestSelectionFromOutside(t *testing.T) {
	url := serve(t, Options{Source: fixed(fleetOf(1, 2, 3, 4, 5, 6))}).URL
	for _, query := range []string{"sort=%22%3E%3Cscript%3E", "pool=%22%3E%3Cscript%3E", "zone=javascript:alert(1)", "backend=%3Cscript%3E&sort=-", "sort=load&sort=name", "pool=" + strings.Repeat("x", 5000)} {
		code, body := get(t, url+"/?"+query)
		if code != 200 || strings.Contains(body, "<script>") || strings.Contains(body, `href="javascript`) || !strings.Contains(body, "</html>") {
			t.Errorf("%s: %d", query, code)
		}
	}
	if _, body := get(t, url+"/?pool=gone"); !strings.Contains(body, "No array is in this pool and zone.") || !strings.Contains(body, ">gone</a>") {
		t.Error("the filter that leaves nothing is not shown")
	}
}

func TestScaleRoundsUp(t *testing.T) {
	for v, want := range map[float64]float64{0: 0, 1: 1, 1.1: 1.5, 18: 20, 21: 30, 41: 50, 61: 80, 81: 100, 1250: 1500, 9e9: 1e10} {
		if got := roundUp(v); math.Abs(got-want) > want*1e-9 {
			t.Errorf("%v: %v, want %v", v, got, want)
		}
	}
	c := newChart(sparkWidth, [][]Point{{{At: noon, LoadPercent: 3, Operations: 2, BytesPerSec: 0, ReadUsec: 10, WriteUsec: math.NaN()}}})
	if want := [seriesCount]float64{100, 10, 10e6, 100, 0}; c.top != want {
		t.Errorf("tops are %v, want %v", c.top, want)
	}
	l := c.line([]Point{{At: noon, LoadPercent: 3}}, load)
	if l.Top != "100\u202f%" || !strings.Contains(string(l.Drawing), "now 3\u202f%, lowest 3\u202f%, highest 3\u202f%; scale from 0 to 100\u202f%") {
		t.Errorf("the scale is %q in %s", l.Top, l.Drawing)
	}
}

// BenchmarkPage renders 200 arrays with a full history.
func BenchmarkPage(b *testing.B) {
	loads := make([]float64, 200)
	for i := range loads {
		loads[i] = float64(i * 37 % 100)
	}
	s, err := New(Options{Listen: "127.0.0.1:0", Source: busy(fleetOf(loads...)), Logger: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	handler := s.Handler()
	for b.Loop() {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1/", nil))
		b.ReportMetric(float64(w.Body.Len()), "B/page")
	}
}

// busy is a view whose arrays have a history of 120 samples.
type busy View

func (v busy) View() View { return View(v) }

func (busy) History(string) []Point {
	points := make([]Point, 120)
	for i := range points {
		x := float64(i*31%97) + 0.5
		points[i] = Point{At: noon.Add(time.Duration(i) * time.Minute), LoadPercent: x, Operations: x * 100, BytesPerSec: x * 1e7, ReadUsec: x * 9, WriteUsec: x * 5}
	}
	return slices.Clip(points)
}
