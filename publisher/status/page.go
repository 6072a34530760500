package status

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
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
	page, err := template.New("page.html").Funcs(s.pageFuncs()).ParseFS(assets, "assets/*.html")
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if err != nil {
			writeError(w, http.StatusInternalServerError, err.Error())
			return
		}
		s.page(w, r, page)
	})
}

// page renders into memory first: half a page is worse than an error.
func (s *Server) page(w http.ResponseWriter, r *http.Request, page *template.Template) {
	data := newPageData(s.source.View())
	if s.opts.Placer != nil {
		data.Form = s.form(r)
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
	Ready  bool
	Checks []Check
	Pools  []poolData
	Form   *formData
}

type poolData struct {
	capability.Pool
	Backends    []Backend
	MeanVolumes *float64
}

func newPageData(v View) pageData {
	d := pageData{View: v}
	d.Ready, d.Checks = v.Ready()
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
		data := poolData{Pool: p, MeanVolumes: p.Mean(capability.KeyTotalVolumes)}
		for _, r := range p.Reports {
			data.Backends = append(data.Backends, byHost[r.Host])
		}
		d.Pools = append(d.Pools, data)
	}
	return d
}

func (s *Server) pageFuncs() template.FuncMap {
	return template.FuncMap{
		"history": s.source.History,
		"figure":  figure, "gib": gibText, "room": room, "ago": ago, "spark": sparkline, "percent": percent,
		"bytes": bytesText, "deviation": deviation,
		"usedPercent": usedPercent, "schedulers": schedulers, "join": strings.Join, "text": valueText,
	}
}

// figure prints a number of a report with thousands apart, or a dash.
func figure(r *capability.Report, key string) string {
	if r == nil {
		return "–"
	}
	f, ok := r.Capabilities[key].Float()
	if !ok {
		return "–"
	}
	return grouped(f)
}

func grouped(f float64) string {
	digits := strconv.FormatFloat(math.Round(f), 'f', 0, 64)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "−", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return sign + digits
}

// gibText prints GiB in the unit a person would choose.
func gibText(gib float64) string {
	if math.Abs(gib) >= 10*1024 {
		return grouped(gib/1024) + "\u202fTiB"
	}
	return grouped(gib) + "\u202fGiB"
}

// room prints a capacity of a report, or a dash.
func room(r *capability.Report, key string) string {
	if r == nil {
		return "–"
	}
	f, ok := r.Capabilities[key].Float()
	if !ok {
		return "–"
	}
	return gibText(f)
}

func bytesText(r *capability.Report, key string) string {
	if r == nil {
		return "–"
	}
	f, ok := r.Capabilities[key].Float()
	if !ok {
		return "–"
	}
	return grouped(f/1e6) + " MB/s"
}

func percent(f *float64) string {
	if f == nil {
		return "–"
	}
	return strconv.FormatFloat(*f*100, 'f', 0, 64) + "\u202f%"
}

// usedPercent is how full a backend is, for a <meter>; -1 if it is not known.
func usedPercent(r *capability.Report) int {
	if r == nil {
		return -1
	}
	share, ok := capability.UsedShare(r.Capabilities)
	if !ok {
		return -1
	}
	return int(math.Round(share * 100))
}

// deviation says how far an array's volumes are from the mean of its pool.
func deviation(r *capability.Report, mean *float64) string {
	if r == nil || mean == nil || *mean == 0 {
		return ""
	}
	n, ok := r.Capabilities[capability.KeyTotalVolumes].Float()
	if !ok {
		return ""
	}
	return fmt.Sprintf("%+.0f\u202f%% of mean", (n / *mean - 1)*100)
}

// ago prints how long ago an instant was, as people say it.
func ago(now, then time.Time) string {
	if then.IsZero() {
		return "never"
	}
	d := now.Sub(then)
	switch {
	case d < 2*time.Second:
		return "now"
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s ago", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min ago", d.Minutes())
	}
	return fmt.Sprintf("%.0f h ago", d.Hours())
}

// valueText prints a value or a pointer to one.
func valueText(v any) string {
	switch v := v.(type) {
	case capability.Value:
		return v.String()
	case *capability.Value:
		if v != nil {
			return v.String()
		}
	}
	return ""
}

// schedulers says how many listen, if it is known.
func schedulers(consumers *int) string {
	switch {
	case consumers == nil:
		return ""
	case *consumers == 1:
		return "1 scheduler is listening"
	}
	return fmt.Sprintf("%d schedulers are listening", *consumers)
}
