package simulator

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are the properties of an array that may differ from one to the next.
// The zero value is an array as the sources describe it.
type Options struct {
	Clock       func() time.Time // the array's own clock; nil is time.Now
	PageMax     int              // most items in one response; 0 is 1000
	SessionIdle time.Duration    // idle time that ends a session; 0 is arrays.idle_timeout, negative never
	Tokens      []string         // api tokens accepted at login; nil is any but the empty one
	Population  Population       // replaces the fixture's counts, kind by kind
	History     History          // how samples are kept and listed
	Writable    bool             // requests may change the array, in memory; false plays back the recording
	Model       Model            // of the load and the space of a writable array
}

const defaultPageMax = 1000

// Array is one simulated FlashArray: an http.Handler with methods that change
// its behaviour. Every method may be called from any goroutine.
type Array struct {
	fixture  Fixture
	opts     Options
	schema   schema
	newest   int
	offered  map[string]bool
	sessions sessions
	totals   totalCache
	link     *link
	measured *measured // nil: not writable

	mu       sync.Mutex
	timeline timeline
	history  History
	faults   []*plannedFault
	requests map[string]int
	state    *state // nil: not writable
}

// New makes an array from a fixture. The fixture is not changed, so many arrays
// may share it.
func New(f Fixture, o Options) *Array {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.PageMax <= 0 {
		o.PageMax = defaultPageMax
	}
	if o.Writable { // it starts with the first frame, and what follows is computed
		f.frames = f.frames[:min(len(f.frames), 1)]
	}
	a := &Array{fixture: f, opts: o, history: o.History, offered: map[string]bool{}}
	a.schema, _ = builtinSchema() // LoadDir has returned the error: there is no fixture without a schema
	a.timeline = timeline{period: f.FramePeriod, frames: len(f.frames)}
	for _, v := range f.Versions {
		a.offered[v] = true
		if n, ok := parseVersion(v); ok {
			a.newest = max(a.newest, n)
		}
	}
	a.sessions = sessions{tokens: slices.Clone(o.Tokens), idle: a.idleTimeout(), open: map[string]*session{}}
	if o.Writable {
		a.link, a.state, a.measured = &link{arrays: []*Array{a}}, newState(a), newMeasured(a)
	}
	return a
}

// Name is the fixture's name.
func (a *Array) Name() string { return a.fixture.Name }

// ID is the array's id as in the response to GET arrays.
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

// ServeHTTP responds as the array would, unless a fault is due.
func (a *Array) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := endpointOf(r.URL.Path)
	a.count(r.Method + " " + path)
	w.Header().Set("X-Request-ID", requestID(r))
	fault := a.dueFault(path)
	if !fault.wait(r.Context()) {
		return
	}
	if fault.ExpireSessions {
		a.ExpireSessions()
	}
	res := fault.response()
	if res == nil {
		res = a.respond(r)
	}
	if !pause(r.Context(), fault.Late) {
		return
	}
	fault.write(w, res)
}

// endpointOf names a request for counters and faults: the path after the version.
func endpointOf(path string) string {
	if rest, ok := strings.CutPrefix(path, "/api/"); ok && rest != "api_version" {
		_, endpoint, _ := strings.Cut(rest, "/")
		return strings.TrimSuffix(endpoint, "/")
	}
	return strings.TrimPrefix(strings.TrimPrefix(path, "/"), "api/")
}

func (a *Array) respond(r *http.Request) *response {
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

func (a *Array) route(r *http.Request, version int, path string) *response {
	switch {
	case path == "login" && r.Method == http.MethodPost:
		return a.login(r)
	case path == "logout" && r.Method == http.MethodPost:
		return a.logout(r)
	case !a.sessions.use(r.Header.Get(sessionHeader), a.now()):
		return a.invalidSession()
	}
	a.update()
	e, exists := a.schema[path]
	switch {
	case !exists || e.since > version || e.writable && !a.opts.Writable:
		return notFound(r.URL.Path)
	case r.Method == http.MethodGet && strings.HasSuffix(path, "/batch"):
		return notFound(r.URL.Path) // only changes have it
	case r.Method != http.MethodGet && a.opts.Writable:
		return a.write(r, e, version)
	case r.Method != http.MethodGet:
		return a.change(r, e, version)
	}
	return a.list(r, e, version)
}

// list responds to GET on a list endpoint.
func (a *Array) list(r *http.Request, e *endpoint, version int) *response {
	q, err := parseQuery(r.URL.RawQuery, e, version)
	if err != nil {
		return badRequest(err)
	}
	body, err := a.view().listBody(e, q, version)
	if err != nil {
		return badRequest(err)
	}
	res := ok(body)
	if token, _ := body["continuation_token"].(string); token != "" {
		res.header.Set("x-next-token", token)
	}
	return res
}

// alreadyDone are the errors for changes that were made before.
var alreadyDone = map[string]string{
	"POST pods":                       "Pod already exists.",
	"POST pods/arrays":                "Array already exists in the pod.",
	"POST protection-groups":          "Protection group already exists.",
	"POST protection-groups/targets":  "Protection group already includes the target.",
	"PATCH protection-groups/targets": "Target protection group is already allowed on the array.",
}

// change responds to a request that would change the array. A recording never
// changes: the response is that of an array on which the change was made before,
// if the recording has its result, and 403 otherwise. That is enough for the
// Cinder driver's do_setup with replication.
func (a *Array) change(r *http.Request, e *endpoint, version int) *response {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest(refuse("", "Invalid query string."))
	}
	v := a.view()
	done, name := v.results(e.path, values)
	text := alreadyDone[r.Method+" "+e.path]
	switch {
	case done != nil && text != "":
		return failure(http.StatusBadRequest, name, text)
	case done != nil && r.Method == http.MethodPatch:
		body := object{"items": done}
		v.finish(body, e, version)
		return ok(body)
	}
	return &response{status: http.StatusForbidden, body: object{"message": "This array plays back what was recorded; it cannot be changed."}}
}

// results finds the recorded objects that a change names, or nothing if one is
// missing, and the first one's name.
func (v *view) results(path string, values url.Values) (found []any, name string) {
	items := recorded(v.frame.responses[path])
	if groups := values.Get("group_names"); groups != "" {
		return v.members(items, strings.Split(groups, ","), values.Get("member_names")), groups
	}
	names := strings.Split(values.Get("names"), ",")
	for _, n := range names {
		i, ok := items.find("name", n)
		if !ok {
			return nil, n
		}
		found = append(found, items.item(i))
	}
	return found, names[0]
}

// members finds pairs of group and member; "" means any member.
func (v *view) members(items recorded, groups []string, members string) []any {
	var found []any
	for _, o := range items {
		if containsFold(groups, textAt(o, "group.name")) && (members == "" || containsFold(strings.Split(members, ","), textAt(o, "member.name"))) {
			found = append(found, clone(o))
		}
	}
	return found
}

func (a *Array) count(request string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.requests == nil {
		a.requests = map[string]int{}
	}
	a.requests[request]++
}

// Requests counts the requests so far by method and endpoint, for instance
// "GET arrays/space", "POST login", "GET api_version".
func (a *Array) Requests() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.requests)
}

// ResetTraffic makes Requests count from zero.
func (a *Array) ResetTraffic() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = nil
}
