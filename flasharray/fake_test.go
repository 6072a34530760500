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

// fake is the smallest array there can be: fixed answers by path, sessions, and
// a log of what was asked. The simulator is for everything that looks real;
// this is for answers that no array would give.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	answers  map[string]http.HandlerFunc
	asked    []*http.Request
	sessions map[string]bool
	logins   int
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{answers: map[string]http.HandlerFunc{}, sessions: map[string]bool{}}
	f.answer("/api/api_version", `{"version":["2.4","2.26","2.10"]}`)
	f.answer("arrays", `{"items":[{"id":"A1","name":"fa1","version":"6.4.10"}]}`)
	f.answer("controllers", `{"items":[{"name":"CT0","type":"array_controller","mode":"secondary","model":"FA-X20R4"},{"name":"CT1","type":"array_controller","mode":"primary","model":"FA-X50R4"}]}`)
	f.answer("subscriptions", `{"items":[{"id":"s","service":"Evergreen//One"}]}`)
	f.answer("arrays/space", `{"items":[{"id":"A1","name":"fa1","capacity":1000,"space":{"total_physical":400.0,"total_provisioned":null,"used_provisioned":700,"data_reduction":4,"total_reduction":16.5}}]}`)
	f.answer("arrays/performance", "")
	f.answers["arrays/performance"] = func(w http.ResponseWriter, _ *http.Request) {
		sayf(w, `{"items":[%s,%s]}`, sample(time.Now().Add(-10*time.Second), 7), sample(time.Now().Add(-40*time.Second), 5))
	}
	for path, n := range map[string]int{"volumes": 3, "volume-snapshots": 4, "hosts": 5, "protection-groups": 6} {
		f.answer(path, fmt.Sprintf(`{"items":[],"total_item_count":%d}`, n))
	}
	f.answer("array-connections", `{"items":[{"name":"fa2","status":"connected","type":"async-replication"}]}`)
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.StartTLS()
	t.Cleanup(f.Close)
	return f
}

// hang waits until the client gives up. Without the abort, net/http would send
// a complete and empty answer after that, and it may still arrive.
func hang(_ http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

func say(w io.Writer, text string) { sayf(w, "%s", text) }

// sayf writes an answer; whether it arrives is what the tests find out.
func sayf(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

func closeClient(t *testing.T, c *flasharray.Client) {
	t.Helper()
	if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("close the client: %v", err)
	}
}

func sample(at time.Time, reads int) string {
	return fmt.Sprintf(`{"time":%d,"reads_per_sec":%d,"writes_per_sec":2,"usec_per_read_op":310,"queue_depth":null}`, at.UnixMilli(), reads)
}

func (f *fake) answer(path, body string) {
	f.handle(path, func(w http.ResponseWriter, _ *http.Request) { say(w, body) })
}

func (f *fake) fail(path string, status int, body string) {
	f.handle(path, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		say(w, body)
	})
}

func (f *fake) handle(path string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[path] = h
}

// expire ends all sessions, as an upgrade of the array does.
func (f *fake) expire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.sessions)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if parts := strings.SplitN(path, "/", 4); len(parts) == 4 {
		path = parts[3]
	}
	f.mu.Lock()
	f.asked = append(f.asked, r)
	h, open := f.answers[path], f.sessions[r.Header.Get("x-auth-token")]
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
		say(w, `{"errors":[{"message":"Invalid session.","location_context":{"id":null,"name":"fa1"}}]}`)
	case h == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		h(w, r)
	}
}

func (f *fake) login(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("api-token") != apiToken {
		w.WriteHeader(http.StatusUnauthorized)
		say(w, `{"errors":[{"message":"Invalid API token."}]}`)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logins++
	session := fmt.Sprintf("session-secret-%d", f.logins)
	f.sessions[session] = true
	w.Header().Set("x-auth-token", session)
	say(w, `{"items":[{"username":"cinder-ro"}]}`)
}

// paths lists what was asked for, in order, and forgets it.
func (f *fake) paths() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var paths []string
	for _, r := range f.asked {
		paths = append(paths, r.Method+" "+r.URL.RequestURI())
	}
	f.asked = nil
	return paths
}

func (f *fake) openSessions() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sessions)
}

func (f *fake) options() flasharray.Options {
	return flasharray.Options{
		Address: f.Listener.Addr().String(),
		Token:   flasharray.StaticToken(apiToken),
		Timeout: 5 * time.Second,
	}
}

func (f *fake) client(t *testing.T) *flasharray.Client {
	t.Helper()
	c, err := flasharray.New(f.options())
	if err != nil {
		t.Fatal(err)
	}
	return c
}
