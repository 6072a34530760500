package status

import (
	"cmp"
	"html/template"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
)

// tableFrom is the number of backends from which the page has a table in place of all
// the cards.
const tableFrom = 6

// selection is what the page shows, by the parameters of its URL. Links with other
// parameters change it, with and without a script.
type selection struct {
	Sort     string // id of a column; "" for the worst first
	Reversed bool
	Pool     string // "" for all
	Zone     string
	Backend  string // host of the array whose card is open; "" for none
}

// readSelection ignores what it does not know, such as a column of another version.
func readSelection(v url.Values) selection {
	s := selection{Pool: v.Get("pool"), Zone: v.Get("zone"), Backend: v.Get("backend")}
	s.Sort, s.Reversed = strings.CutPrefix(v.Get("sort"), "-")
	if !slices.ContainsFunc(columns(), func(c column) bool { return c.ID == s.Sort }) {
		s.Sort, s.Reversed = "", false
	}
	return s
}

// href is the link to a selection and to an element of the page.
func (s selection) href(id string) string {
	v := url.Values{}
	for _, p := range s.parameters() {
		v.Set(p.Name, p.Value)
	}
	if len(v) == 0 {
		return "/#" + id
	}
	return "/?" + v.Encode() + "#" + id
}

// parameter is one of the query of the page.
type parameter struct{ Name, Value string }

// parameters are those of the selection that are set.
func (s selection) parameters() []parameter {
	return slices.DeleteFunc([]parameter{{"sort", s.sortParameter()}, {"pool", s.Pool}, {"zone", s.Zone}, {"backend", s.Backend}}, func(p parameter) bool {
		return p.Value == ""
	})
}

func (s selection) sortParameter() string {
	if s.Reversed {
		return "-" + s.Sort
	}
	return s.Sort
}

// shows reports whether a backend passes the filter.
func (s selection) shows(b Backend) bool {
	return (s.Pool == "" || s.Pool == b.Pool) && (s.Zone == "" || s.Zone == b.Zone)
}

// table is the table of arrays.
type table struct {
	Headers []header
	Rows    []row
	Filters []filter
	All     int // arrays without the filter
}

// header is the head of a column, with a link that sorts by it.
type header struct {
	column
	Href  string
	Order string // ascending or descending if the table is sorted by it
}

// filter is a line of links that select the arrays of a pool or of a zone.
type filter struct {
	Name    string
	Choices []choice
}

type choice struct {
	Text, Href string
	Current    bool
}

// row is one array of the table.
type row struct {
	Backend
	figures
	Volumes, Reduction, Age figure
	Overlay, OverlayText    string
	Spark                   template.HTML
	Href                    string // opens or closes the card
	Open                    bool
	Card                    *card
}

func newRow(b Backend, t Thresholds, now time.Time) row {
	r := row{
		Backend: b, figures: newFigures(b, t, now), Overlay: strings.ReplaceAll(cmp.Or(b.Overlay.State, "not yet"), "_", " "), OverlayText: stateText(b.Overlay),
		Volumes: figure{math.NaN(), none, unmarked}, Reduction: figure{math.NaN(), none, unmarked}, Age: figure{math.NaN(), none, unmarked},
	}
	if v, ok := number(b.Report, capability.KeyTotalVolumes); ok {
		r.Volumes = newFigure(v, Limits{}, grouped)
	}
	if v, ok := number(b.Report, capability.KeyDataReduction); ok {
		r.Reduction = newFigure(v, Limits{}, func(f float64) string { return format.Decimal(f) + "\u202f:\u202f1" })
	}
	if b.Report != nil {
		age := ago(now, b.Report.CollectedAt)
		r.Age = newFigure(now.Sub(b.Report.CollectedAt).Seconds(), Limits{}, func(float64) string { return strings.TrimSuffix(age, " ago") })
	}
	return r
}

// rank orders rows by severity; an array that is down or stale is above others that are
// critical.
func (r row) rank() float64 {
	if r.Absent {
		return float64(r.Severity) + 1
	}
	return float64(r.Severity)
}

// newTable makes the rows of the backends that the selection shows, in its order.
func newTable(v View, s selection, history func(host string) []Point) *table {
	t := &table{All: len(v.Backends), Headers: s.headers(), Filters: s.filters(v.Backends)}
	var histories [][]Point
	for _, b := range v.Backends {
		if !s.shows(b) {
			continue
		}
		r := newRow(b, v.Thresholds, v.Now)
		r.Open = s.Backend == b.Host
		r.Href = s.cardHref(b.Host)
		t.Rows = append(t.Rows, r)
		histories = append(histories, history(b.Host))
	}
	lines := newChart(rowSparkWidth, histories)
	for i := range t.Rows {
		t.Rows[i].Spark = lines.small(histories[i], load)
	}
	s.sort(t.Rows)
	return t
}

// cardHref opens the card of a backend, or closes it if it is open.
func (s selection) cardHref(host string) string {
	if s.Backend == host {
		s.Backend = ""
		return s.href("arrays")
	}
	s.Backend = host
	return s.href("card")
}

// sort sorts by the column of the selection, then puts the worst first: by severity,
// load and name.
func (s selection) sort(rows []row) {
	var by column
	for _, c := range columns() {
		if c.ID == s.Sort {
			by = c
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		column := 0
		if by.ID != "" {
			column = by.order(a, b, s.Reversed)
		}
		return cmp.Or(column, cmp.Compare(b.rank(), a.rank()), cmp.Compare(b.Load.value, a.Load.value), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Host, b.Host))
	})
}

// headers are the heads of the columns. A link sorts by its column, and reverses the
// order of the column that the table is sorted by.
func (s selection) headers() []header {
	var headers []header
	for _, c := range columns() {
		link := s
		link.Sort, link.Reversed = c.ID, false
		h := header{column: c}
		if c.ID == cmp.Or(s.Sort, "state") {
			link.Reversed = !s.Reversed
			h.Order = "ascending"
			if c.falls != s.Reversed {
				h.Order = "descending"
			}
		}
		h.Href = link.href("arrays")
		headers = append(headers, h)
	}
	return headers
}

// filters are the pools and zones to select from, where there is more than one.
func (s selection) filters(backends []Backend) []filter {
	return slices.DeleteFunc([]filter{
		newFilter("pool", s.Pool, backends, func(b Backend) string { return b.Pool }, func(name string) string { l := s; l.Pool = name; return l.href("arrays") }),
		newFilter("zone", s.Zone, backends, func(b Backend) string { return b.Zone }, func(name string) string { l := s; l.Zone = name; return l.href("arrays") }),
	}, func(f filter) bool { return len(f.Choices) == 0 })
}

func newFilter(name, current string, backends []Backend, of func(Backend) string, href func(string) string) filter {
	var names []string
	for _, b := range backends {
		if n := of(b); n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if current != "" && !slices.Contains(names, current) {
		names = append(names, current) // one that is gone, so that the empty table explains itself
	}
	slices.Sort(names)
	f := filter{Name: name}
	if len(names) < 2 {
		return f
	}
	for _, n := range append([]string{""}, names...) {
		f.Choices = append(f.Choices, choice{Text: cmp.Or(n, "all"), Href: href(n), Current: n == current})
	}
	return f
}
