package simulator

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestFixtureAs(t *testing.T) {
	fixtures, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	was := fixtures[0]
	twin := New(was.As("flasharray-twin", "192.0.2.9"), Options{})
	if twin.ID() == New(was, Options{}).ID() || len(twin.ID()) != 36 {
		t.Errorf("the new id is %s, the first array's %s", twin.ID(), was.id)
	}
	server := httptest.NewServer(twin)
	defer server.Close()
	request, err := http.NewRequest(http.MethodPost, server.URL+"/api/2.26/login", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("api-token", "any")
	login, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = login.Body.Close()
	for _, path := range []string{"arrays", "arrays/space", "arrays/performance"} {
		request, err := http.NewRequest(http.MethodGet, server.URL+"/api/2.26/"+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("x-auth-token", login.Header.Get("x-auth-token"))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || !strings.Contains(string(body), "flasharray-twin") || strings.Contains(string(body), was.id) {
			t.Errorf("%s returns %s (%v)", path, body, err)
		}
	}
}
