package status

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
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
	data := newPageData(s.opts.Source.View(), s.opts.Source.History, s.list())
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
	Pools  []poolData
	Form   *formData
	List   *listData // the scheduler's list; nil without

	RecentFailures, EarlierFailures []failureData
}

// failureData is one failed create.
type failureData struct {
	Failure
	Now time.Time
}

type poolData struct {
	capability.LogicalPool
	Cards []card
}

// card is one array of a pool with its sparklines. A series has one scale for
// all arrays of a pool, so that they can be compared.
type card struct {
	Backend
	Now         time.Time
	MeanVolumes *float64
	Span        string // the time that the sparklines show

	Operations, Bandwidth, Read, Write template.HTML
}

// list is the scheduler's list; nil without one.
func (s *Server) list() *SchedulerList {
	if s.opts.Listed == nil {
		return nil
	}
	list := s.opts.Listed()
	return &list
}

func newPageData(v View, history func(host string) []Point, list *SchedulerList) pageData {
	d := pageData{View: v}
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
	var reports []capability.Report
	byHost := map[string]Backend{}
	for _, b := range v.Backends {
		r := capability.Report{Host: b.Host, Backend: b.Name, Pool: b.Pool, Zone: b.Zone}
		if b.Report != nil {
			r = *b.Report
		}
		reports = append(reports, r)
		byHost[r.Host] = b
	}
	for _, p := range capability.GroupPools(reports) {
		d.Pools = append(d.Pools, newPoolData(p, v.Now, byHost, history))
	}
	return d
}

func newPoolData(p capability.LogicalPool, now time.Time, backends map[string]Backend, history func(host string) []Point) poolData {
	data := poolData{LogicalPool: p}
	mean := p.Mean(capability.KeyTotalVolumes)
	histories := make([][]Point, len(p.Reports))
	for i, r := range p.Reports {
		histories[i] = history(r.Host)
	}
	chart := newChart(histories)
	for i, r := range p.Reports {
		data.Cards = append(data.Cards, card{
			Backend: backends[r.Host], Now: now, MeanVolumes: mean, Span: chart.span(),
			Operations: chart.line(histories[i], operations),
			Bandwidth:  chart.line(histories[i], bandwidth),
			Read:       chart.line(histories[i], readLatency),
			Write:      chart.line(histories[i], writeLatency),
		})
	}
	return data
}

// shownFailures is how many failures the page shows before the earlier ones.
const shownFailures = 5

// pageFuncs are the functions of the templates.
func pageFuncs() template.FuncMap {
	return template.FuncMap{
		"figure": numberAs(grouped), "room": numberAs(gibText), "rate": numberAs(bytesText), "latency": numberAs(latencyText),
		"gib": gibText, "used": used, "sum": sum, "ago": ago, "percent": percent,
		"deviation": deviation, "state": stateText,
		"usedPercent": usedPercent, "schedulers": schedulers, "text": capability.Value.String, "count": format.Count,
		"fitsNow": func() string { return FitsNow },
	}
}
