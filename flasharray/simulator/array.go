package simulator

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options are the habits of an array that may differ from one to the next.
// The zero value is an array as the sources describe it.
type Options struct {
	Clock       func() time.Time // the array's own clock; nil is time.Now
	PageMax     int              // most items in one answer; 0 is 1000
	SessionIdle time.Duration    // idle time that ends a session; 0 is arrays.idle_timeout, negative never
	Tokens      []string         // api tokens accepted at login; nil is any but the empty one
	Population  Population       // replaces the fixture's counts, kind by kind
	History     History          // how samples are kept and listed
}

const defaultPageMax = 1000

// Array is one simulated FlashArray: an http.Handler and the switches that
// make it misbehave. Every method may be called from any goroutine.
type Array struct {
	fixture  Fixture
	opts     Options
	schema   schema
	newest   int
	offered  map[string]bool
	sessions *sessions
	traffic  traffic

	mu       sync.Mutex
	timeline timeline
	history  History
	faults   *faultPlan
	totals   totalCache
}

// New builds an array from a fixture. The fixture is not written to, so many
// arrays may share it.
func New(f Fixture, o Options) *Array {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.PageMax <= 0 {
		o.PageMax = defaultPageMax
	}
	a := &Array{fixture: f, opts: o, history: o.History, offered: map[string]bool{}, faults: &faultPlan{}}
	a.schema, _ = builtinSchema() // LoadDir reported the error: no fixture gets here without it
	a.timeline = timeline{period: f.FramePeriod, frames: len(f.frames)}
	for _, v := range f.Versions {
		a.offered[v] = true
		if n, ok := parseVersion(v); ok {
			a.newest = max(a.newest, n)
		}
	}
	a.sessions = newSessions(o.Tokens, a.idleTimeout())
	return a
}

// Name is the fixture's name.
func (a *Array) Name() string { return a.fixture.Name }

// ID is the array's id as GET arrays answers it.
func (a *Array) ID() string { return a.fixture.id }

// Addresses are the fixture's management addresses.
func (a *Array) Addresses() []string { return append([]string(nil), a.fixture.Addresses...) }

func (a *Array) now() time.Time { return a.opts.Clock() }

// idleTimeout is the array's own setting unless the options override it.
func (a *Array) idleTimeout() time.Duration {
	if a.opts.SessionIdle != 0 {
		return a.opts.SessionIdle
	}
	if len(a.fixture.frames) == 0 {
		return time.Hour
	}
	arrays := a.fixture.frames[0].responses["arrays"]
	return time.Duration(intAt(arrays[0], "idle_timeout")) * time.Millisecond
}

// ServeHTTP answers one request as the array would, unless a fault is due.
func (a *Array) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := endpointOf(r.URL.Path)
	a.traffic.count(r.Method + " " + path)
	w = &countingWriter{ResponseWriter: w, traffic: &a.traffic}
	w.Header().Set("X-Request-ID", requestID(r))
	fault := a.strike(path)
	if !fault.wait(r.Context()) {
		return
	}
	if fault.ExpireSessions {
		a.ExpireSessions()
	}
	reply := fault.reply()
	if reply == nil {
		reply = a.answer(r)
	}
	if !pause(r.Context(), fault.Late) {
		return
	}
	fault.write(w, reply)
}

// endpointOf names a request for counters and faults: what follows the version.
func endpointOf(path string) string {
	if rest, ok := strings.CutPrefix(path, "/api/"); ok && rest != "api_version" {
		_, endpoint, _ := strings.Cut(rest, "/")
		return strings.TrimSuffix(endpoint, "/")
	}
	return strings.TrimPrefix(strings.TrimPrefix(path, "/"), "api/")
}

func (a *Array) answer(r *http.Request) *reply {
	switch r.URL.Path {
	case "/api/api_version":
		return ok(object{"version": a.fixture.Versions})
	case "/oauth2/1.0/token":
		return failure(http.StatusBadRequest, "", "OAuth clients are not configured on this array; log in with an api-token.")
	}
	rest, isAPI := strings.CutPrefix(r.URL.Path, "/api/")
	text, path, _ := strings.Cut(rest, "/")
	version, known := parseVersion(text)
	if !isAPI || !known || !a.offered[text] {
		return notFound(r.URL.Path)
	}
	return a.route(r, version, strings.TrimSuffix(path, "/"))
}

func (a *Array) route(r *http.Request, version int, path string) *reply {
	switch {
	case path == "login" && r.Method == http.MethodPost:
		return a.login(r)
	case path == "logout" && r.Method == http.MethodPost:
		a.sessions.close(r.Header.Get(sessionHeader))
		return &reply{status: http.StatusOK}
	case !a.sessions.use(r.Header.Get(sessionHeader), a.now()):
		return a.invalidSession()
	case r.Method != http.MethodGet:
		return a.change(r, version, path)
	}
	e, exists := a.schema[path]
	if !exists || e.since > version {
		return notFound(r.URL.Path)
	}
	return a.list(r, e, version)
}

// list answers GET on a list endpoint.
func (a *Array) list(r *http.Request, e *endpoint, version int) *reply {
	q, err := parseQuery(r.URL.RawQuery, e, version)
	if err != nil {
		return badRequest(err)
	}
	v := a.view()
	body, err := v.answer(e, q, version)
	if err != nil {
		return badRequest(err)
	}
	reply := ok(body)
	if token, _ := body["continuation_token"].(string); token != "" {
		reply.header.Set("x-next-token", token)
	}
	return reply
}
