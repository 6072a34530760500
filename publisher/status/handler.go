package status

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/config/listen"
)

// Handler serves every endpoint, and requires the token where it is needed.
func (s *Server) Handler() http.Handler {
	open := http.NewServeMux()
	open.HandleFunc("GET /livez", s.livez)
	open.HandleFunc("GET /readyz", s.readyz)

	guarded := http.NewServeMux()
	guarded.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	guarded.HandleFunc("GET /v1/reports", s.reports(func(b Backend) *capability.Report { return b.Report }))
	guarded.HandleFunc("GET /v1/effective", s.reports(func(b Backend) *capability.Report { return b.Effective }))
	guarded.HandleFunc("GET /v1/failures", s.failures)
	guarded.HandleFunc("GET /v1/openapi.yaml", s.openAPI)
	s.pages(guarded)
	if s.opts.Placer != nil {
		guarded.HandleFunc("GET /v1/place", s.place)
	}
	if s.opts.Scheduler != nil {
		guarded.HandleFunc("GET /v1/scheduler", func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, http.StatusOK, s.opts.Scheduler())
		})
	}
	open.Handle("/", s.requireToken(limitConcurrent(guarded)))
	return withLimits(s.checkHost(open))
}

// checkHost refuses requests that a web page of another site may have caused.
// Without a token the server listens on loopback only, and with a host name that
// resolves to 127.0.0.1 such a page could read the responses.
func (s *Server) checkHost(next http.Handler) http.Handler {
	if s.opts.Token != nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "" && !listen.IsLoopback(hostname(r.Host)) {
			http.Error(w, "This host name is not accepted: use localhost or 127.0.0.1, or set bearer_token_file in [poolcast].", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname returns the host of a Host header, without its port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// limitConcurrent bounds how many responses are in memory.
func limitConcurrent(next http.Handler) http.Handler {
	slots := make(chan struct{}, maxResponses)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wait := time.NewTimer(queueTimeout)
		defer wait.Stop()
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(w, r)
		case <-wait.C:
			w.Header().Set("Retry-After", "1")
			writeError(w, http.StatusServiceUnavailable, "too many concurrent requests; retry later")
		case <-r.Context().Done():
		}
	})
}

// withLimits bounds the body and keeps responses out of caches and frames.
func withLimits(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

// requireToken checks the token: a bearer token, or from a browser the password of
// any user name. Hashes are compared, so that the time does not depend on length
// and contents of the token.
func (s *Server) requireToken(next http.Handler) http.Handler {
	if s.opts.Token == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !isBearer {
			_, given, _ = r.BasicAuth() // from a browser's dialog
		}
		got, want := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.opts.Token()))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="poolcast"`)
			w.Header().Add("WWW-Authenticate", `Basic realm="poolcast", charset="UTF-8"`)
			writeError(w, http.StatusUnauthorized, "a bearer token is needed: send the contents of bearer_token_file as Authorization: Bearer …")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// reports serves /v1/reports, as --dry-run prints it, and /v1/effective in the same
// form.
func (s *Server) reports(of func(Backend) *capability.Report) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		reports := []capability.Report{}
		for _, b := range s.opts.Source.View().Backends {
			if r := of(b); r != nil {
				reports = append(reports, *r)
			}
		}
		writeJSON(w, http.StatusOK, reports)
	}
}

func writeError(w http.ResponseWriter, code int, message string) {
	writeJSON(w, code, map[string]string{"error": message})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)                                  // of types that can be encoded
	_, _ = w.Write(format.PrintableJSON(text.Bytes())) // the client may have gone away
}

// Query describes a volume to be placed.
type Query struct {
	Size       int64             // GiB
	Zone       string            // availability zone; "" for the one that cinder-api chooses
	VolumeType string            // name of the volume type; "" for none
	ExtraSpecs map[string]string // extra specs of the volume type; they replace those of VolumeType
	QoS        map[string]string // specs of the type's QoS
	Hints      [][2]string       // scheduler hints: names and values
	Policy     string            // strict or prefer
}

// Decision is where a volume would be placed, and why, in three forms.
type Decision struct {
	// JSON is what poolcast place --output json prints.
	JSON any
	// Summary is one sentence: which backend and why, or why none.
	Summary string
	// Fits reports whether some backend takes the volume.
	Fits bool
	// Notes are remarks on the request, such as where its zone comes from.
	Notes []string
	// Basis are lines about what it was decided on: the source, its age, what is not
	// known.
	Basis []string
	// Rows are the backends, best first, then those refused.
	Rows []DecisionRow
}

// DecisionRow is the result for one backend.
type DecisionRow struct {
	Backend string
	Rank    string // "1", "2 (tie)"; "" if refused
	Reason  string // the filter that refused it, with its operands, or the weights
	Weight  string
}

// Placer decides where a volume would be placed, on the present effective reports.
// An error means that the query is invalid; that no backend fits is a decision. It
// is called from the goroutines of HTTP requests.
type Placer func(Query) (Decision, error)

const maxProperties = 64

// place serves /v1/place.
func (s *Server) place(w http.ResponseWriter, r *http.Request) {
	q, err := readQuery(r.URL.Query())
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	decision, err := s.opts.Placer(q)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, decision.JSON)
}

func readQuery(v url.Values) (Query, error) {
	q := Query{Zone: strings.TrimSpace(v.Get("availability_zone")), VolumeType: strings.TrimSpace(v.Get("volume_type")), Policy: v.Get("policy"), ExtraSpecs: map[string]string{}, QoS: map[string]string{}}
	if q.Policy == "" {
		q.Policy = "strict"
	}
	size, err := strconv.ParseInt(strings.TrimSpace(v.Get("size")), 10, 64)
	if err != nil || size < 1 {
		return Query{}, fmt.Errorf("size %q: want a whole number of GiB, 1 or more", v.Get("size"))
	}
	q.Size = size
	for _, pairs := range []struct {
		name, example string
		add           func(key, value string)
	}{
		{"property", "volume_backend_name=pure_performance", func(key, value string) { q.ExtraSpecs[key] = value }},
		{"qos", "maxIOPS=500", func(key, value string) { q.QoS[key] = value }},
		{"hint", "different_host=flasharray_x_01", func(key, value string) { q.Hints = append(q.Hints, [2]string{key, value}) }},
	} {
		if err := readPairs(v, pairs.name, pairs.example, pairs.add); err != nil {
			return Query{}, err
		}
	}
	return q, nil
}

// readPairs reads key=value of a parameter that may be repeated.
func readPairs(v url.Values, name, example string, add func(key, value string)) error {
	lines := propertyLines(v[name])
	for _, line := range lines {
		key, value, ok := strings.Cut(line, "=")
		if !ok || strings.TrimSpace(key) == "" {
			return fmt.Errorf("%s %q: want key=value, such as %s", name, line, example)
		}
		add(strings.TrimSpace(key), strings.TrimSpace(value))
	}
	if len(lines) > maxProperties {
		return fmt.Errorf("%d parameters %s: at most %d", len(lines), name, maxProperties)
	}
	return nil
}

// propertyLines splits parameters into lines: a property is a parameter of its own,
// or a line of the form's text area.
func propertyLines(values []string) []string {
	var lines []string
	for _, v := range values {
		for _, line := range strings.Split(v, "\n") {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// openAPI serves the description of the JSON endpoints.
func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) {
	text, err := assets.ReadFile("assets/openapi.yaml")
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(text)
}
