package simulator_test

import (
	"net/http"
	"strings"
	"testing"

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

func TestWritableVolumeVisibleInEveryList(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{Writable: true})
	before := l.get("arrays/space").Items[0]["space"].(map[string]any)["total_provisioned"].(float64)
	count := *l.get("volumes?limit=1&total_item_count=true").Count
	if r := l.send("POST", "volumes?names=a", `{"provisioned": 1073741824}`); r.status != http.StatusOK {
		t.Fatalf("create: %d %s", r.status, r.body)
	}
	if n := *l.get("volumes?limit=1&total_item_count=true").Count; n != count+1 {
		t.Errorf("%d volumes, want %d", n, count+1)
	}
	if r := l.send("PATCH", "volumes?names=A", `{"provisioned": 2147483648}`); r.status != http.StatusOK {
		t.Fatalf("extend: %d %s", r.status, r.body)
	}
	after := l.get("arrays/space").Items[0]["space"].(map[string]any)["total_provisioned"].(float64)
	if after-before != 2<<30 {
		t.Errorf("provisioned size grew by %.0f bytes, want 2 GiB", after-before)
	}
	if r := l.send("DELETE", "volumes?names=a", ""); r.status != http.StatusBadRequest {
		t.Errorf("eradicate a live volume: %d %s", r.status, r.body)
	}
	if r := l.send("PATCH", "volumes?names=a", `{"destroyed": true}`); r.status != http.StatusOK {
		t.Fatalf("destroy: %d %s", r.status, r.body)
	}
	if r := l.send("DELETE", "volumes?names=a", ""); r.status != http.StatusOK {
		t.Fatalf("eradicate: %d %s", r.status, r.body)
	}
	if n := *l.get("volumes?limit=1&total_item_count=true").Count; n != count {
		t.Errorf("%d volumes, want %d", n, count)
	}
}
