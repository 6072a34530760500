package flasharray_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray"
)

// faults lists the parts of a sample that failed, with their errors.
func faults(stats capability.Sample) string {
	var parts []string
	for _, f := range stats.Faults {
		parts = append(parts, fmt.Sprintf("%s: %v", f.Part, f.Err))
	}
	return strings.ReplaceAll(strings.Join(parts, "; "), "\n", ", ")
}

func TestSpaceUnexpectedMembers(t *testing.T) {
	for name, tc := range map[string]struct {
		item     string
		want     *capability.Space
		warnings string
	}{
		"floats": {
			`{"capacity":1e3,"space":{"total_physical":400.6,"total_used":0.0}}`,
			&capability.Space{Capacity: new(int64(1000)), TotalPhysical: new(int64(401)), TotalUsed: new(int64(0))}, "",
		},
		"no space":   {`{"capacity":1}`, &capability.Space{Capacity: new(int64(1))}, ""},
		"null space": {`{"capacity":1,"space":null}`, &capability.Space{Capacity: new(int64(1))}, ""},
		"space of the wrong type": {
			`{"capacity":1,"space":"none"}`, &capability.Space{Capacity: new(int64(1))},
			"space: arrays/space.space is not an object",
		},
		"text": {
			`{"capacity":1,"space":{"total_physical":"many","data_reduction":{}}}`, &capability.Space{Capacity: new(int64(1))},
			"space: arrays/space.space.total_physical is not a number, arrays/space.space.data_reduction is not a number",
		},
		"negative": {
			`{"capacity":1,"space":{"total_physical":-1,"total_reduction":-0.5}}`, &capability.Space{Capacity: new(int64(1))},
			"space: arrays/space.space.total_physical is negative, arrays/space.space.total_reduction is negative",
		},
		"large": {
			`{"capacity":1,"space":{"total_physical":1e300,"total_used":9223372036854775808,"data_reduction":1e999}}`,
			&capability.Space{Capacity: new(int64(1))},
			"space: arrays/space.space.total_physical is too large, arrays/space.space.total_used is too large, arrays/space.space.data_reduction is not a number",
		},
		"no capacity": {
			`{"space":{"total_physical":1}}`, nil,
			"space: the array did not return its capacity; does the token's role have the right to see it?",
		},
		"not an object": {
			`7`, nil,
			"space: arrays/space is not an object, the array did not return its capacity; does the token's role have the right to see it?",
		},
	} {
		f := newFakeArray(t)
		f.respond("arrays/space", fmt.Sprintf(`{"items":[%s]}`, tc.item))
		stats, err := f.client(t).Sample(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tc.want, stats.Space); diff != "" {
			t.Errorf("%s: space differs (-want +got):\n%s", name, diff)
		}
		if got := faults(stats); got != tc.warnings {
			t.Errorf("%s: faults are %q, want %q", name, got, tc.warnings)
		}
	}
}

func TestPartialSuccess(t *testing.T) {
	f := newFakeArray(t)
	f.fail("hosts", http.StatusMultiStatus, `{"items":[],"total_item_count":5,"errors":[{"context":"realm1","message":"Not reachable."}]}`)
	stats, err := f.client(t).Sample(t.Context())
	if err != nil || faults(stats) != "hosts: hosts.errors contains: Not reachable." {
		t.Errorf("faults are %q (%v)", faults(stats), err)
	}
}

func TestCountFallsBackToOneItem(t *testing.T) {
	uncounted := `{"items":[],"total_item_count":null}`
	for name, zero := range map[string]http.HandlerFunc{
		"null":    func(w http.ResponseWriter, _ *http.Request) { write(w, uncounted) },
		"refused": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) },
	} {
		f := newFakeArray(t)
		f.handle("volumes", func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("limit") == "0" {
				zero(w, r)
				return
			}
			write(w, `{"items":[{"name":"v1"}],"total_item_count":20000}`)
		})
		c := f.client(t)
		for _, want := range []int{8 + 2, 8} {
			f.paths()
			stats, err := c.Sample(t.Context())
			if err != nil || faults(stats) != "" || *stats.Counts.Volumes != 20000 || *stats.Counts.LiveVolumes != 20000 {
				t.Fatalf("%s: counted %+v (%v) %s", name, stats.Counts, err, faults(stats))
			}
			asked := slices.DeleteFunc(f.paths(), func(p string) bool {
				return !strings.Contains(p, "/arrays/") && !strings.Contains(p, "limit=") && !strings.Contains(p, "connections") || strings.Contains(p, "controllers")
			})
			if len(asked) != want {
				t.Errorf("%s: cost %d requests, want %d: %q", name, len(asked), want, asked)
			}
		}
	}
}

func TestCountUnavailable(t *testing.T) {
	f := newFakeArray(t)
	f.respond("hosts", `{"items":[],"total_item_count":null}`)
	c := f.client(t)
	for range 2 {
		f.paths()
		stats, err := c.Sample(t.Context())
		if err != nil || stats.Counts.Hosts != nil || faults(stats) != "hosts: the array returned no count" {
			t.Errorf("counted %v (%v) %q", stats.Counts.Hosts, err, faults(stats))
		}
	}
	if n := len(f.paths()); n != 8 {
		t.Errorf("the second sample cost %d requests", n)
	}
}

func TestModelOfPrimaryController(t *testing.T) {
	for name, tc := range map[string]struct{ items, want string }{
		"none":     {``, ""},
		"shelf":    {`{"type":"shelf_controller","mode":"primary","model":"EXP"},{"type":"array_controller","mode":"primary","model":"FA-X70R3"}`, "FA-X70R3"},
		"failover": {`{"type":"array_controller","mode":"not present"},{"type":"array_controller","mode":"secondary","model":"FA-X70R3"}`, "FA-X70R3"},
		"upgrade":  {`{"type":"array_controller","mode":"secondary","model":"FA-X70R4"},{"type":"array_controller","mode":"primary","model":"FA-X50R2"}`, "FA-X50R2"},
		"nothing":  {`{},7,null,{"model":null}`, ""},
	} {
		f := newFakeArray(t)
		f.respond("controllers", fmt.Sprintf(`{"items":[%s]}`, tc.items))
		stats, err := f.client(t).Sample(t.Context())
		if err != nil || stats.Identity.Model != tc.want {
			t.Errorf("%s: the model is %q (%v)", name, stats.Identity.Model, err)
		}
	}
}

func TestIdentityCompletedLater(t *testing.T) {
	f := newFakeArray(t)
	f.fail("arrays", http.StatusInternalServerError, "")
	f.fail("controllers", http.StatusForbidden, `{"message":"No."}`)
	f.fail("subscriptions", http.StatusNotFound, "")
	c := f.client(t)
	stats, err := c.Sample(t.Context())
	if err != nil || stats.Identity != (capability.Identity{ID: "A1", REST: "2.26"}) || len(stats.Faults) != 2 {
		t.Fatalf("identity is %+v (%v) %s", stats.Identity, err, faults(stats))
	}
	f.respond("arrays", `{"items":[{"id":"A1","name":"fa1","version":"6.4.10"}]}`)
	f.paths()
	stats, err = c.Sample(t.Context())
	if err != nil || stats.Identity.Name != "fa1" || stats.Identity.Purity != "6.4.10" || len(stats.Faults) != 0 {
		t.Errorf("identity is %+v (%v) %s", stats.Identity, err, faults(stats))
	}
	for _, path := range f.paths() {
		if strings.Contains(path, "controllers") || strings.Contains(path, "subscriptions") {
			t.Errorf("requested again after it was refused: %s", path)
		}
	}
}

func TestNoSubscriptionsOnOldVersions(t *testing.T) {
	f := newFakeArray(t)
	f.respond("/api/api_version", `{"version":["2.25"]}`)
	stats, err := f.client(t).Sample(t.Context())
	if err != nil || stats.Identity.Service != "" || slices.ContainsFunc(f.paths(), func(p string) bool { return strings.Contains(p, "subscriptions") }) {
		t.Errorf("identity is %+v (%v)", stats.Identity, err)
	}
}

func TestAnotherArrayAtTheSameAddress(t *testing.T) {
	f := newFakeArray(t)
	c := f.client(t)
	if _, err := c.Sample(t.Context()); err != nil {
		t.Fatal(err)
	}
	space := func(id string) string { return fmt.Sprintf(`{"items":[{"id":"%s","capacity":5}]}`, id) }
	f.respond("arrays/space", space("A2"))
	f.respond("arrays", `{"items":[{"id":"A2","name":"fa2"}]}`)
	stats, err := c.Sample(t.Context())
	if err != nil || stats.Identity.ID != "A2" || stats.Identity.Name != "fa2" {
		t.Errorf("identity is %+v (%v)", stats.Identity, err)
	}

	f.handle("volumes", func(w http.ResponseWriter, r *http.Request) { // the address moves in the middle
		f.respond("volumes", `{"items":[],"total_item_count":9}`)
		f.respond("arrays", `{"items":[{"id":"A3","name":"fa3"}]}`)
		f.respond("arrays/space", space("A3"))
		f.expire()
		f.ServeHTTP(w, r)
	})
	if _, err = c.Sample(t.Context()); err == nil || !strings.Contains(err.Error(), "the id A2 and the id A3 in one sample") {
		t.Errorf("a mixed sample was accepted: %v", err)
	}
	if stats, err = c.Sample(t.Context()); err != nil || stats.Identity.ID != "A3" {
		t.Errorf("identity is %+v (%v)", stats.Identity, err)
	}
}

// historyServer serves samples 10, 11, … minutes old, oldest first.
type historyServer struct {
	samples      int
	sort         int // status for a request with sort; 200 ignores it
	count        bool
	currentStamp bool // whether a Date is sent
}

func (h historyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("sort") != "" && h.sort != http.StatusOK {
		w.WriteHeader(h.sort)
		return
	}
	if !h.currentStamp {
		w.Header()["Date"] = nil
	}
	start, _ := strconv.ParseInt(r.FormValue("start_time"), 10, 64)
	var items []string
	for i := h.samples - 1; i >= 0; i-- {
		if at := time.Now().Add(-10*time.Minute - time.Duration(i)*time.Minute); at.UnixMilli() >= start {
			items = append(items, sample(at, i))
		}
	}
	total := "null"
	if h.count {
		total = strconv.Itoa(len(items))
	}
	offset, _ := strconv.Atoi(r.FormValue("offset"))
	items = items[min(offset, len(items)):]
	if limit, err := strconv.Atoi(r.FormValue("limit")); err == nil {
		items = items[:min(limit, len(items))]
	}
	writef(w, `{"items":[%s],"total_item_count":%s}`, strings.Join(items, ","), total)
}

func TestNewestSampleWithoutSort(t *testing.T) {
	for name, tc := range map[string]struct {
		history historyServer
		fault   string
		found   bool
	}{
		"ignores sort":   {historyServer{40, 200, true, true}, "", true},
		"refuses sort":   {historyServer{40, 400, true, true}, "", true},
		"few":            {historyServer{2, 200, false, true}, "", true},
		"as many":        {historyServer{3, 200, true, true}, "", true},
		"none":           {historyServer{0, 400, true, true}, "", false},
		"does not count": {historyServer{40, 200, false, true}, "performance: the array neither sorts nor counts its samples", false},
		"fails":          {historyServer{40, 500, true, true}, "performance: GET arrays/performance: array returned 500", false},
		"has no clock":   {historyServer{40, 200, true, false}, "", true},
	} {
		f := newFakeArray(t)
		f.handle("arrays/performance", tc.history.ServeHTTP)
		c := f.client(t)
		for range 2 {
			stats, err := c.Sample(t.Context())
			if err != nil || !strings.HasPrefix(faults(stats), tc.fault) || (tc.fault == "") != (len(stats.Faults) == 0) {
				t.Errorf("%s: faults %q (%v)", name, faults(stats), err)
			}
			perf := stats.Performance
			if (perf != nil) != tc.found || perf != nil && (*perf.ReadsPerSec != 0 || (perf.Age-10*time.Minute).Abs() > 2*time.Second) {
				t.Errorf("%s: found %+v", name, perf)
			}
			if stats.Links == nil {
				t.Errorf("%s: no links", name)
			}
		}
	}
}

func TestSamplesWithoutTimeIgnored(t *testing.T) {
	f := newFakeArray(t)
	f.respond("arrays/performance", `{"items":[{"reads_per_sec":5},{"time":"now","reads_per_sec":6},{"time":0},{"time":999999999999999999}]}`)
	stats, err := f.client(t).Sample(t.Context())
	if err != nil || stats.Performance != nil || !strings.Contains(faults(stats), "no sample has a time") {
		t.Errorf("found %+v (%v) %q", stats.Performance, err, faults(stats))
	}
}

func TestClockBehindProxy(t *testing.T) {
	proxy, array := 3*time.Hour, -20*time.Minute
	f := newFakeArray(t)
	inner := f.Config.Handler
	f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(proxy).UTC().Format(http.TimeFormat))
		inner.ServeHTTP(w, r)
	})
	f.handle("arrays", func(w http.ResponseWriter, _ *http.Request) {
		writef(w, `{"items":[{"id":"A1","_as_of":%d}]}`, time.Now().Add(array).UnixMilli())
	})
	f.handle("arrays/performance", func(w http.ResponseWriter, r *http.Request) {
		start, _ := strconv.ParseInt(r.FormValue("start_time"), 10, 64)
		if lag := time.Now().Add(array).Sub(time.UnixMilli(start)); lag < 85*time.Second || lag > 95*time.Second {
			t.Errorf("the window begins %s ago by the array's clock", lag)
		}
		writef(w, `{"items":[%s]}`, sample(time.Now().Add(array-20*time.Second), 1))
	})
	c := f.client(t)
	for range 2 {
		stats, err := c.Sample(t.Context())
		if err != nil || stats.Performance == nil {
			t.Fatalf("got %+v (%v) %s", stats, err, faults(stats))
		}
		if age := stats.Performance.Age; (age - 20*time.Second).Abs() > 2*time.Second {
			t.Errorf("the sample is %s old", age)
		}
		if skew := *stats.ClockSkew; (skew - array).Abs() > 2*time.Second {
			t.Errorf("the skew is %s", skew)
		}
	}
}

func TestTokenRefusedAfterExpiredSession(t *testing.T) {
	f := newFakeArray(t)
	c := f.client(t)
	if _, err := c.Sample(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.expire()
	f.fail("login", http.StatusUnauthorized, "")
	if _, err := c.Sample(t.Context()); !errors.Is(err, flasharray.ErrTokenRefused) {
		t.Errorf("got %v", err)
	}
}

func TestTextsAreBounded(t *testing.T) {
	const limit = 310
	long := strings.Repeat("ä", 1_000_000)
	f := newFakeArray(t)
	f.respond("arrays", fmt.Sprintf(`{"items":[{"id":"A1","name":"%s","version":"%s"}]}`, long, long))
	f.respond("controllers", fmt.Sprintf(`{"items":[{"model":"%s"}]}`, long))
	f.respond("subscriptions", fmt.Sprintf(`{"items":[{"service":"%s"}]}`, long))
	f.respond("array-connections", fmt.Sprintf(`{"items":[{"name":"%s","status":"%s","type":"%s"}]}`, long[:500000], long[:500000], long[:500000]))
	f.respond("hosts", `{"items":[`+strings.Repeat("7,", 500_000)+`7],"total_item_count":5}`)
	f.handle("protection-groups", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", long[:5000]+"\r\x00") })
	stats, err := f.client(t).Sample(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	id, link := stats.Identity, stats.Links[0]
	for what, text := range map[string]string{
		"name": id.Name, "release": id.Purity, "model": id.Model, "service": id.Service,
		"peer": link.Peer, "status": link.Status, "type": link.Type,
	} {
		if n := utf8.RuneCountInString(text); n > limit || n < limit-20 || !utf8.ValidString(text) {
			t.Errorf("the %s has %d characters: %.400q", what, n, text)
		}
	}
	if text := faults(stats); utf8.RuneCountInString(text) > 4*limit || !strings.Contains(text, "hosts is not an object") {
		t.Errorf("the faults have %d characters: %.500s", utf8.RuneCountInString(text), text)
	}
}
