package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// TestWritableConcurrentChanges changes and reads from several goroutines: each
// list has a consistent state.
func TestWritableConcurrentChanges(t *testing.T) {
	all, _ := newConnected(t, "flasharray-r-01", "flasharray-r-02")
	before := all["flasharray-r-01"].counted("volumes")
	var wait sync.WaitGroup
	for n := range 8 {
		l := *all[fmt.Sprintf("flasharray-r-0%d", 1+n%2)]
		wait.Go(func() {
			for i := range 5 {
				name := fmt.Sprintf("cinder-pod::v%d-%d", n, i)
				l.send("POST", "volumes?names="+name, `{"provisioned":1073741824}`)
				l.request("volumes?limit=5&total_item_count=true")
				l.request("arrays/space")
				l.send("PATCH", "volumes?names="+name, `{"provisioned":2147483648}`)
			}
		})
	}
	wait.Wait()
	for name, l := range all {
		if n := l.counted("volumes?filter=name='cinder-pod::v*'%20and%20provisioned=2147483648"); n != 40 {
			t.Errorf("%s has %d of 40 volumes", name, n)
		}
	}
	if n := all["flasharray-r-01"].counted("volumes"); n != before+40 {
		t.Errorf("%d volumes, want %d", n, before+40)
	}
}

func TestRecordingNeverChanges(t *testing.T) {
	l := newEnvironment(t, "flasharray-r-01", simulator.Options{Clock: newTestClock().read})
	before := string(l.request("volumes").body)
	for _, request := range []string{
		`POST volumes?names=a {"provisioned":1048576}`, `PATCH volumes?names=a {"destroyed":true}`, `POST hosts?names=h {}`,
	} {
		method, rest, _ := strings.Cut(request, " ")
		path, body, _ := strings.Cut(rest, " ")
		if r := l.send(method, path, body); r.status != http.StatusForbidden {
			t.Errorf("%s: status %d, want 403", request, r.status)
		}
	}
	for _, path := range []string{"protection-groups/volumes", "volumes/tags", "protection-group-snapshots"} {
		if r := l.request(path); r.status != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404 as it was not recorded", path, r.status)
		}
	}
	if string(l.request("volumes").body) != before {
		t.Error("the volumes have changed")
	}
}

// FuzzWritableBody sends hostile bodies and parameters: none is an internal error,
// and the array answers afterwards.
func FuzzWritableBody(f *testing.F) {
	targets := []string{
		"POST volumes", "PATCH volumes", "PUT volumes/tags/batch", "POST volume-snapshots", "PATCH volume-snapshots",
		"POST hosts", "PATCH hosts", "POST connections", "POST pods", "PATCH pods", "POST protection-groups",
		"PATCH protection-groups", "PATCH container-default-protections", "POST volume-groups", "POST protection-group-snapshots",
	}
	for i := range targets {
		f.Add(i, "names=a", `{"provisioned":1048576}`)
	}
	f.Add(1, "names=v", `{"pod":{"name":null},"qos":[1],"name":7}`)
	f.Add(2, "resource_names=v", `[{"key":1},null]`)
	f.Add(6, "names=compute-0001", `{"iqns":[[]],"chap":{"x":{}}}`)
	f.Add(11, "names=g", `{"replication_schedule":{"enabled":"x","frequency":-1e400}}`)
	f.Add(12, "", `{"default_protections":[7]}`)
	f.Add(13, "names=::/", strings.Repeat("[", 10000))
	all, err := simulator.BuiltinNamed("flasharray-x-01")
	if err != nil {
		f.Fatal(err)
	}
	a := simulator.New(all, simulator.Options{Writable: true, Population: few()})
	token := httptest.NewRecorder()
	login := httptest.NewRequest(http.MethodPost, "/api/2.26/login", nil)
	login.Header.Set("api-token", "any")
	a.ServeHTTP(token, login)
	send := func(method, path, query, body string) int {
		r := httptest.NewRequest(method, "/api/2.26/"+path, strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("x-auth-token", token.Header().Get("x-auth-token"))
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return w.Code
	}
	send(http.MethodPost, "volumes", "names=v", `{"provisioned":1048576}`)
	send(http.MethodPost, "protection-groups", "names=g", "")
	f.Fuzz(func(t *testing.T, n int, query, body string) {
		method, path, _ := strings.Cut(targets[(n%len(targets)+len(targets))%len(targets)], " ")
		if status := send(method, path, query, body); status != http.StatusOK && status != http.StatusBadRequest {
			t.Errorf("%s %s?%s %s: status %d", method, path, query, body, status)
		}
		for _, list := range []string{"volumes", "hosts", "protection-groups", "volumes/tags", "container-default-protections"} {
			if status := send(http.MethodGet, list, "limit=3&sort=name", ""); status != http.StatusOK && list != "volumes/tags" {
				t.Fatalf("%s: status %d", list, status)
			}
		}
	})
}
