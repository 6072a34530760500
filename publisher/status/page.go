package status

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
)

//go:embed assets
var assets embed.FS

// pages adds the status page and its assets. Templates are parsed here, once;
// a template that does not parse is found by every test of this package.
func (s *Server) pages(mux *http.ServeMux) {
	files, err := fs.Sub(assets, "assets")
	if err == nil {
		mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(files)))
	}
	page, err := template.New("page.html").Funcs(pageFuncs()).ParseFS(assets, "assets/*.html")
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if err != nil {
			writeError(w, http.StatusInternalServerError, err.Error())
			return
		}
		s.page(w, r, page)
	})
}

// page renders into memory first, so that an error does not leave half a page.
func (s *Server) page(w http.ResponseWriter, r *http.Request, page *template.Template) {
	data := newPageData(s.opts.Source.View(), readSelection(r.URL.Query()), s.opts.Source.History, s.list())
	if s.opts.Placer != nil {
		data.Form = s.form(r)
		data.Form.Types = data.Types
	}
	var buf bytes.Buffer
	if err := page.Execute(&buf, data); err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = buf.WriteTo(w)
}

// pageData is what the template sees.
type pageData struct {
	View
	Ready  bool    // all checks passed, without a warning
	Faults []check // those that failed, and warnings
	Passed int
	Legend string // the thresholds; "" without any
	Table  *table // from six arrays on, instead of a card for each
	Pools  []poolData
	Form   *formData
	List   *listData // the scheduler's list; nil without

	Critical, Warning int // how many arrays are marked, of those shown

	RecentFailures, EarlierFailures []failureData
}

// failureData is one failed create.
type failureData struct {
	Failure
	Now time.Time
}

// poolData is a logical pool. There are cards only where there is no table.
type poolData struct {
	capability.LogicalPool
	Cards []*card
}

// card is one array with its sparklines. A series has one scale for all arrays of a
// pool, so that they can be compared.
type card struct {
	Backend
	figures
	Thresholds  Thresholds
	Now         time.Time
	MeanVolumes *float64
	Span, Begin string // the time that the sparklines show
	Close       string // the link that closes it; "" for one that stays open

	LoadLine, Operations, Bandwidth, ReadLine, WriteLine line
}

// list is the scheduler's list; nil without one.
func (s *Server) list() *SchedulerList {
	if s.opts.Listed == nil {
		return nil
	}
	list := s.opts.Listed()
	return &list
}

func newPageData(v View, s selection, history func(host string) []Point, list *SchedulerList) pageData {
	d := pageData{View: v, Legend: v.Thresholds.legend()}
	if list != nil {
		d.List = &listData{*list, v.Now, v.Bus.Connected}
	}
	d.Faults, d.Passed = v.attention(list)
	d.Ready = len(d.Faults) == 0
	for i, f := range v.Failures.Latest {
		if one := (failureData{f, v.Now}); i < shownFailures {
			d.RecentFailures = append(d.RecentFailures, one)
		} else {
			d.EarlierFailures = append(d.EarlierFailures, one)
		}
	}
	d.addArrays(s, history)
	return d
}

// addArrays adds the pools, with a card for each array or with the table.
func (d *pageData) addArrays(s selection, history func(host string) []Point) {
	pools := groupBackends(d.Backends)
	if len(d.Backends) < tableFrom {
		for _, p := range pools {
			d.Pools = append(d.Pools, poolData{p.LogicalPool, p.cards(d.View, "", history)})
			for _, c := range d.Pools[len(d.Pools)-1].Cards {
				d.count(c.Severity)
			}
		}
		return
	}
	d.Table = newTable(d.View, s, history)
	for _, p := range pools {
		if s.shows(p.backends[0]) {
			d.Pools = append(d.Pools, poolData{LogicalPool: p.LogicalPool})
		}
	}
	for i := range d.Table.Rows {
		r := &d.Table.Rows[i]
		d.count(r.Severity)
		if !r.Open {
			continue
		}
		for _, p := range pools {
			if cards := p.cards(d.View, r.Host, history); len(cards) > 0 {
				r.Card = cards[0]
				r.Card.Close = r.Href
			}
		}
	}
}

func (d *pageData) count(s severity) {
	switch s {
	case critical:
		d.Critical++
	case warning:
		d.Warning++
	}
}

// backendPool is a logical pool with its backends, in the order of its reports.
type backendPool struct {
	capability.LogicalPool
	backends []Backend
}

func groupBackends(backends []Backend) []backendPool {
	var reports []capability.Report
	byHost := map[string]Backend{}
	for _, b := range backends {
		r := capability.Report{Host: b.Host, Backend: b.Name, Pool: b.Pool, Zone: b.Zone}
		if b.Report != nil {
			r = *b.Report
		}
		reports = append(reports, r)
		byHost[r.Host] = b
	}
	var pools []backendPool
	for _, p := range capability.GroupPools(reports) {
		pool := backendPool{LogicalPool: p}
		for _, r := range p.Reports {
			pool.backends = append(pool.backends, byHost[r.Host])
		}
		pools = append(pools, pool)
	}
	return pools
}

// cards are the cards of a pool's arrays, or only that of a host.
func (p backendPool) cards(v View, host string, history func(host string) []Point) []*card {
	if host != "" && !slices.ContainsFunc(p.backends, func(b Backend) bool { return b.Host == host }) {
		return nil
	}
	mean := p.Mean(capability.KeyTotalVolumes)
	histories := make([][]Point, len(p.backends))
	for i, b := range p.backends {
		histories[i] = history(b.Host)
	}
	lines := newChart(sparkWidth, histories)
	var cards []*card
	for i, b := range p.backends {
		if host != "" && b.Host != host {
			continue
		}
		cards = append(cards, &card{
			Backend: b, figures: newFigures(b, v.Thresholds, v.Now), Thresholds: v.Thresholds,
			Now: v.Now, MeanVolumes: mean, Span: lines.span(), Begin: lines.begin(),
			LoadLine:   lines.line(histories[i], load),
			Operations: lines.line(histories[i], operations),
			Bandwidth:  lines.line(histories[i], bandwidth),
			ReadLine:   lines.line(histories[i], readLatency),
			WriteLine:  lines.line(histories[i], writeLatency),
		})
	}
	return cards
}

// shownFailures is how many failures the page shows before the earlier ones.
const shownFailures = 5

// pageFuncs are the functions of the templates.
func pageFuncs() template.FuncMap {
	return template.FuncMap{
		"figure": numberAs(grouped), "room": numberAs(gibText), "rate": numberAs(bytesText), "latency": numberAs(latencyText),
		"gib": gibText, "used": used, "sum": sum, "ago": ago, "percent": percent,
		"deviation": deviation, "state": stateText,
		"schedulers": schedulers, "text": capability.Value.String, "count": format.Count,
		"columns": columns, "meaning": meaning,
		"fitsNow": func() string { return FitsNow },
	}
}
