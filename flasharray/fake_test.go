package flasharray_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray"
)

const apiToken = "4d6e9a0d-very-secret-token"

// fakeArray is a minimal array: fixed responses by path, sessions, and a log of
// requests. The simulator is for realistic responses; this is for responses that
// no array would send.
type fakeArray struct {
	*httptest.Server
	mu       sync.Mutex
	handlers map[string]http.HandlerFunc
	requests []*http.Request
	sessions map[string]bool
	logins   int
}

func newFakeArray(t *testing.T) *fakeArray {
	t.Helper()
	f := &fakeArray{handlers: map[string]http.HandlerFunc{}, sessions: map[string]bool{}}
	f.respond("/api/api_version", `{"version":["2.4","2.26","2.10"]}`)
	f.respond("arrays", `{"items":[{"id":"A1","name":"fa1","version":"6.4.10"}]}`)
	f.respond("controllers", `{"items":[{"name":"CT0","type":"array_controller","mode":"secondary","model":"FA-X20R4"},{"name":"CT1","type":"array_controller","mode":"primary","model":"FA-X50R4"}]}`)
	f.respond("subscriptions", `{"items":[{"id":"s","service":"Evergreen//One"}]}`)
	f.respond("arrays/space", `{"items":[{"id":"A1","name":"fa1","capacity":1000,"space":{"total_physical":400.0,"total_provisioned":null,"used_provisioned":700,"data_reduction":4,"total_reduction":16.5}}]}`)
	f.respond("arrays/performance", "")
	f.handlers["arrays/performance"] = func(w http.ResponseWriter, _ *http.Request) {
		writef(w, `{"items":[%s,%s]}`, sample(time.Now().Add(-10*time.Second), 7), sample(time.Now().Add(-40*time.Second), 5))
	}
	for path, n := range map[string]int{"volumes": 3, "volume-snapshots": 4, "hosts": 5, "protection-groups": 6} {
		f.respond(path, fmt.Sprintf(`{"items":[],"total_item_count":%d}`, n))
	}
	f.respond("array-connections", `{"items":[{"name":"fa2","status":"connected","type":"async-replication"}]}`)
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.StartTLS()
	t.Cleanup(f.Close)
	return f
}

// hang waits until the client closes the connection. Without the abort, net/http
// would send a complete and empty response after that, which may still arrive.
func hang(_ http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

func write(w io.Writer, text string) { writef(w, "%s", text) }

// writef writes a response; the tests check what arrives.
func writef(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

func closeClient(t *testing.T, c *flasharray.Client) {
	t.Helper()
	if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("close the client: %v", err)
	}
}

func sample(at time.Time, reads int) string {
	return fmt.Sprintf(`{"time":%d,"reads_per_sec":%d,"writes_per_sec":2,"usec_per_read_op":310,"queue_depth":null}`, at.UnixMilli(), reads)
}

func (f *fakeArray) respond(path, body string) {
	f.handle(path, func(w http.ResponseWriter, _ *http.Request) { write(w, body) })
}

func (f *fakeArray) fail(path string, status int, body string) {
	f.handle(path, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		write(w, body)
	})
}

func (f *fakeArray) handle(path string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handlers[path] = h
}

// expire ends all sessions, as an upgrade of the array does.
func (f *fakeArray) expire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.sessions)
}

func (f *fakeArray) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if parts := strings.SplitN(path, "/", 4); len(parts) == 4 {
		path = parts[3]
	}
	f.mu.Lock()
	f.requests = append(f.requests, r)
	h, open := f.handlers[path], f.sessions[r.Header.Get("x-auth-token")]
	f.mu.Unlock()
	switch {
	case path == "login" && h == nil:
		f.login(w, r)
	case path == "logout" && h == nil:
		f.mu.Lock()
		delete(f.sessions, r.Header.Get("x-auth-token"))
		f.mu.Unlock()
	case path != "login" && path[0] != '/' && !open:
		w.WriteHeader(http.StatusUnauthorized)
		write(w, `{"errors":[{"message":"Invalid session.","location_context":{"id":null,"name":"fa1"}}]}`)
	case h == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		h(w, r)
	}
}

func (f *fakeArray) login(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("api-token") != apiToken {
		w.WriteHeader(http.StatusUnauthorized)
		write(w, `{"errors":[{"message":"Invalid API token."}]}`)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logins++
	session := fmt.Sprintf("session-secret-%d", f.logins)
	f.sessions[session] = true
	w.Header().Set("x-auth-token", session)
	write(w, `{"items":[{"username":"cinder-ro"}]}`)
}

// paths returns the requests so far, in order, and clears them.
func (f *fakeArray) paths() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var paths []string
	for _, r := range f.requests {
		paths = append(paths, r.Method+" "+r.URL.RequestURI())
	}
	f.requests = nil
	return paths
}

func (f *fakeArray) openSessions() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sessions)
}

func (f *fakeArray) options() flasharray.Options {
	return flasharray.Options{
		Address: f.Listener.Addr().String(),
		Token:   flasharray.StaticToken(apiToken),
		Timeout: 5 * time.Second,
	}
}

func (f *fakeArray) client(t *testing.T) *flasharray.Client {
	t.Helper()
	c, err := flasharray.New(f.options())
	if err != nil {
		t.Fatal(err)
	}
	return c
}
