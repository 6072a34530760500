package simulator_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// environment is one served array and a client with a session on it.
type environment struct {
	t       *testing.T
	array   *simulator.Array
	server  *simulator.Server
	client  *http.Client
	version string
	token   string
}

func fixture(t testing.TB, name string) simulator.Fixture {
	t.Helper()
	f, err := simulator.BuiltinNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func newEnvironment(t *testing.T, name string, o simulator.Options) *environment {
	t.Helper()
	return environmentOf(t, simulator.New(fixture(t, name), o), simulator.ServeOptions{})
}

func environmentOf(t *testing.T, a *simulator.Array, o simulator.ServeOptions) *environment {
	t.Helper()
	server, err := simulator.Serve([]*simulator.Array{a}, o)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		DialContext: server.DialContext, TLSClientConfig: &tls.Config{RootCAs: server.CertPool()},
	}
	l := &environment{t: t, array: a, server: server, client: &http.Client{Transport: transport}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
	})
	var versions struct{ Version []string }
	l.decode(l.do("GET", "api_version", nil), &versions)
	l.version = versions.Version[len(versions.Version)-1]
	l.login("secret")
	return l
}

type response struct {
	status int
	header http.Header
	body   []byte
	err    error
}

func (l *environment) do(method, path string, header map[string]string) response {
	l.t.Helper()
	url := "https://" + l.array.Addresses()[0] + "/api/" + path
	r, err := http.NewRequestWithContext(l.t.Context(), method, url, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.roundTrip(r, header)
}

func (l *environment) roundTrip(r *http.Request, header map[string]string) response {
	for k, v := range header {
		r.Header.Set(k, v)
	}
	res, err := l.client.Do(r)
	if err != nil {
		return response{err: err}
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return response{res.StatusCode, res.Header, body, err}
}

func (l *environment) login(apiToken string) response {
	l.t.Helper()
	r := l.do("POST", l.version+"/login", map[string]string{"api-token": apiToken})
	if r.err == nil {
		l.token = r.header.Get("x-auth-token")
	}
	return r
}

func (l *environment) request(path string) response {
	l.t.Helper()
	return l.do("GET", l.version+"/"+path, map[string]string{"x-auth-token": l.token})
}

func (l *environment) decode(r response, into any) {
	l.t.Helper()
	if r.err != nil || r.status != http.StatusOK {
		l.t.Fatalf("status %d, error %v: %s", r.status, r.err, r.body)
	}
	if err := json.Unmarshal(r.body, into); err != nil {
		l.t.Fatalf("%v in %s", err, r.body)
	}
}

// page is the response to a list request.
type page struct {
	Items     []map[string]any `json:"items"`
	Total     []map[string]any `json:"total"`
	Count     *int             `json:"total_item_count"`
	More      *bool            `json:"more_items_remaining"`
	NextToken *string          `json:"continuation_token"`
}

func (l *environment) get(path string) page {
	l.t.Helper()
	var p page
	l.decode(l.request(path), &p)
	return p
}
