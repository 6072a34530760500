package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

func TestFaultResponses(t *testing.T) {
	for name, c := range map[string]struct {
		fault  simulator.Fault
		status int
		body   string
		header string
	}{
		"401":                {simulator.Unauthorized(), 401, "Invalid session.", ""},
		"403":                {simulator.Forbidden(), 403, `{"message":`, ""},
		"429 bare":           {simulator.TooManyRequests(), 429, `{"message":`, ""},
		"429 with headers":   {simulator.RateLimited("7"), 429, `{"message":`, "Retry-After"},
		"429 of the gateway": {simulator.RateLimited(""), 429, `{"message":`, "X-RateLimit-Remaining-minute"},
		"500":                {simulator.ServerError(500), 500, `"errors"`, ""},
		"503":                {simulator.ServerError(503), 503, "<html>", ""},
		"not JSON":           {simulator.NotJSON(), 200, "<html>", ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
			l.array.SetFaults(c.fault.On("arrays/space").Times(2))
			for range 2 {
				r := l.request("arrays/space")
				if r.status != c.status || !strings.Contains(string(r.body), c.body) {
					t.Errorf("status %d, body %s", r.status, r.body)
				}
				if c.header != "" && r.header.Get(c.header) == "" {
					t.Errorf("no header %s in %v", c.header, r.header)
				}
				if r := l.request("arrays/performance"); r.status != http.StatusOK {
					t.Errorf("another endpoint: status %d", r.status)
				}
			}
			if r := l.request("arrays/space"); r.status != http.StatusOK {
				t.Errorf("after the fault: status %d", r.status)
			}
		})
	}
}

func TestSessionsExpireBetweenPages(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{PageMax: 100})
	l.array.SetFaults(simulator.Expire().On("volumes").After(1).Times(1))
	first := l.get("volumes")
	next := "volumes?continuation_token=" + *first.NextToken
	if r := l.request(next); r.status != http.StatusUnauthorized {
		t.Fatalf("second page: status %d, want 401", r.status)
	}
	l.login("secret")
	if p := l.get(next); len(p.Items) != 100 || p.Items[0]["name"] == first.Items[0]["name"] {
		t.Errorf("second page after login: %d items", len(p.Items))
	}
}

func TestCutBody(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
	l.array.SetFaults(simulator.CutBody().Times(1))
	if r := l.request("arrays"); !errors.Is(r.err, io.ErrUnexpectedEOF) || len(r.body) == 0 {
		t.Errorf("a cut body has %d bytes and %v", len(r.body), r.err)
	}
	if r := l.request("arrays"); r.status != http.StatusOK || r.err != nil {
		t.Errorf("after it: status %d, %v", r.status, r.err)
	}
}

func TestNullFieldsAndWithoutRights(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
	l.array.SetFaults(simulator.NullFields("space.total_physical", "capacity").On("arrays/space"))
	o := l.get("arrays/space").Items[0]
	if v, present := space(o)["total_physical"]; v != nil || !present || o["capacity"] != nil || space(o)["unique"] == nil {
		t.Errorf("wrong fields are null: %v", o)
	}
	l.array.SetFaults(simulator.WithoutRights()...)
	for _, path := range []string{"arrays", "arrays/space"} {
		for name, v := range space(l.get(path).Items[0]) {
			if v != nil {
				t.Errorf("%s has space.%s for a role without rights", path, name)
			}
		}
	}
	l.array.SetFaults()
	if space(l.get("arrays").Items[0])["unique"] == nil {
		t.Error("a removed fault still has an effect")
	}
}

func TestLatencyAndHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := environmentOf(t, simulator.New(fixture(t, "flasharray-x-01"), simulator.Options{}), simulator.ServeOptions{
			Listen: func(*simulator.Array) (net.Listener, error) { return simulator.NewPipeListener(), nil },
		})
		l.array.SetFaults(simulator.Latency(3 * time.Second))
		start := time.Now()
		if r := l.request("arrays"); r.status != http.StatusOK || time.Since(start) != 3*time.Second {
			t.Errorf("status %d after %v", r.status, time.Since(start))
		}
		l.array.SetFaults(simulator.Hang())
		l.client.Timeout = time.Minute
		if r := l.request("arrays"); !errors.Is(r.err, context.DeadlineExceeded) {
			t.Errorf("a hanging array returns %d, %v", r.status, r.err)
		}
		l.array.SetFaults()
		if r := l.request("arrays"); r.status != http.StatusOK {
			t.Errorf("without the fault: status %d, %v", r.status, r.err)
		}
	})
}

func TestRequestsCounted(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
	l.array.ResetTraffic()
	for range 3 {
		l.request("arrays/space")
	}
	l.request("nothing")
	requests := l.array.Requests()
	if requests["GET arrays/space"] != 3 || requests["GET nothing"] != 1 || len(requests) != 2 {
		t.Errorf("requests are %v", requests)
	}
}

// FuzzQuery checks that the response to any query is JSON with a status of the
// API.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{
		"", "limit=0", "filter=state%3D%27open%27", "sort=name-,created", "names=a,b&ids=c", "offset=99999999&limit=5",
		"start_time=0&end_time=9223372036854775807&resolution=30000", "start_time=9223372036854775807&end_time=9223372036854775807",
		"resolution=86400000&start_time=0", "continuation_token=djE6OTk5OTk5OTk5OTk5", "total_only=true&destroyed=false",
	} {
		for i := range uint8(24) {
			f.Add(i, q)
		}
	}
	paths := []string{
		"arrays", "arrays/space", "arrays/performance", "controllers", "volumes", "volumes/space", "volumes/performance",
		"volume-snapshots", "hosts", "hosts/space", "hosts/performance", "protection-groups", "protection-groups/targets", "pods",
		"pods/space", "pods/performance", "pods/arrays", "array-connections", "alerts", "network-interfaces", "ports",
		"subscriptions", "subscription-assets", "login",
	}
	a := simulator.New(fixture(f, "flasharray-r-01"), simulator.Options{Clock: noon, PageMax: 20})
	token := loginDirect(f, a)
	f.Fuzz(func(t *testing.T, which uint8, query string) {
		w := serveDirect(t, a, paths[int(which)%len(paths)], query, token)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest && w.Code != http.StatusNotFound {
			t.Errorf("status %d", w.Code)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("the response is not JSON: %s", w.Body)
		}
	})
}
