package status

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config/listen"
)

// Handler answers every endpoint, with the token asked for where it is needed.
// It is what Run serves.
func (s *Server) Handler() http.Handler {
	open := http.NewServeMux()
	open.HandleFunc("GET /livez", s.livez)
	open.HandleFunc("GET /readyz", s.readyz)

	guarded := http.NewServeMux()
	guarded.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	guarded.HandleFunc("GET /v1/reports", s.reports(func(b Backend) *capability.Report { return b.Report }))
	guarded.HandleFunc("GET /v1/effective", s.reports(func(b Backend) *capability.Report { return b.Effective }))
	guarded.HandleFunc("GET /v1/openapi.yaml", s.openAPI)
	s.pages(guarded)
	if s.opts.Placer != nil {
		guarded.HandleFunc("GET /v1/place", s.place)
	}
	open.Handle("/", s.guard(inTurn(guarded)))
	return limit(s.local(open))
}

// local refuses what a web page of another site may have asked for. Without a
// token nothing but loopback is listened to, and a name that its owner has
// turned to 127.0.0.1 would let such a page read the answers.
func (s *Server) local(next http.Handler) http.Handler {
	if s.opts.Token != nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "" && !listen.IsLoopback(hostname(r.Host)) {
			http.Error(w, "This host name is not answered: ask for localhost or 127.0.0.1, or set bearer_token_file in [poolcast].", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname is the host of a Host header, without its port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// inTurn bounds how many answers are in memory.
func inTurn(next http.Handler) http.Handler {
	turns := make(chan struct{}, maxAnswers)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wait := time.NewTimer(answerDelay)
		defer wait.Stop()
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
			next.ServeHTTP(w, r)
		case <-wait.C:
			w.Header().Set("Retry-After", "1")
			writeError(w, http.StatusServiceUnavailable, "too many requests are being answered; ask again")
		case <-r.Context().Done():
		}
	})
}

// limit bounds the body and keeps answers out of caches and frames.
func limit(next http.Handler) http.Handler {
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

// guard asks for the token: as a bearer token, or from a browser as the password
// of whatever user name. Comparing hashes keeps the time it takes apart from
// the token's length and contents.
func (s *Server) guard(next http.Handler) http.Handler {
	if s.opts.Token == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !isBearer {
			_, given, _ = r.BasicAuth() // what a browser's dialogue sends
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

// reports answers /v1/reports with what --dry-run prints, and /v1/effective with what
// the scheduler knows, in the same form.
func (s *Server) reports(of func(Backend) *capability.Report) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		reports := []capability.Report{}
		for _, b := range s.source.View().Backends {
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
	_ = enc.Encode(v)                                      // of types that can be encoded
	_, _ = w.Write(capability.PrintableJSON(text.Bytes())) // the client may have gone away
}
