package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// send is a request with a body, in the client's session.
func (l *environment) send(method, path, body string) response {
	l.t.Helper()
	url := "https://" + l.array.Addresses()[0] + "/api/" + l.version + "/" + path
	r, err := http.NewRequestWithContext(l.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	return l.roundTrip(r, map[string]string{"x-auth-token": l.token})
}

// must sends "METHOD path body" and fails the test unless the array accepts it. It
// returns the items of the response.
func (l *environment) must(requests ...string) []map[string]any {
	l.t.Helper()
	var p page
	for _, request := range requests {
		method, rest, _ := strings.Cut(request, " ")
		path, body, _ := strings.Cut(rest, " ")
		r := l.send(method, path, body)
		if r.err != nil || r.status != http.StatusOK {
			l.t.Fatalf("%s: status %d, error %v: %s", request, r.status, r.err, r.body)
		}
		p = page{}
		if err := json.Unmarshal(r.body, &p); err != nil {
			l.t.Fatalf("%s: %v in %s", request, err, r.body)
		}
	}
	return p.Items
}

// refused sends a request and returns the context and the message of the error.
func (l *environment) refused(request string) string {
	l.t.Helper()
	method, rest, _ := strings.Cut(request, " ")
	path, body, _ := strings.Cut(rest, " ")
	r := l.send(method, path, body)
	var e struct {
		Errors []struct{ Context, Message string }
	}
	if err := json.Unmarshal(r.body, &e); r.status != http.StatusBadRequest || err != nil || len(e.Errors) != 1 {
		l.t.Fatalf("%s: status %d, want 400 with an error: %s", request, r.status, r.body)
	}
	return strings.TrimPrefix(e.Errors[0].Context+": "+e.Errors[0].Message, ": ")
}

// value is a member of the one item of a list, by its dotted path.
func (l *environment) value(path, member string) any {
	l.t.Helper()
	items := l.get(path).Items
	if len(items) != 1 {
		l.t.Fatalf("%s has %d items", path, len(items))
	}
	var v any = items[0]
	for _, name := range strings.Split(member, ".") {
		o, _ := v.(map[string]any)
		v = o[name]
	}
	return v
}

func (l *environment) expect(path, member string, want any) {
	l.t.Helper()
	if n, ok := want.(int); ok {
		want = float64(n)
	}
	if got := l.value(path, member); got != want {
		l.t.Errorf("%s %s is %v, want %v", path, member, got, want)
	}
}

// names are those of the items of a list.
func (l *environment) names(path string) string {
	l.t.Helper()
	var names []string
	for _, item := range l.get(path).Items {
		names = append(names, fmt.Sprint(item["name"]))
	}
	return strings.Join(names, " ")
}

// counted is how many objects a list has.
func (l *environment) counted(path string) int {
	l.t.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return *l.get(path + separator + "limit=0&total_item_count=true").Count
}

// testClock is a clock that tests set.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func newTestClock() *testClock { return &testClock{now: time.UnixMilli(1_790_000_000_000)} }

func (c *testClock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// few are small populations, so that lists are short.
func few() simulator.Population {
	return simulator.Population{
		"volumes": {Live: 3}, "volume-snapshots": {Live: 3}, "hosts": {Live: 4}, "protection-groups": {Live: 1},
	}
}

// newWritable is a writable array with few objects.
func newWritable(t *testing.T) (*environment, *testClock) {
	t.Helper()
	clock := newTestClock()
	return newEnvironment(t, "flasharray-x-01", simulator.Options{Writable: true, Population: few(), Clock: clock.read, SessionIdle: -1}), clock
}
