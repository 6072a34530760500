package openstack_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
)

const (
	password = "not-to-be-printed"
	project  = "6ecd9c9e328d4e7997dbd056aac3c685"
)

// fake is a Keystone and a cinder-api on one port. The real ones are in the integration
// tests.
type fake struct {
	*httptest.Server
	responses map[string]any // bodies by path below the project, or an int for a status
	requests  []*http.Request
	auth      int // status of the request for a token
	kind      string
}

func startFake(t *testing.T, responses map[string]any) *fake {
	t.Helper()
	f := &fake{responses: responses, auth: http.StatusCreated, kind: "volumev3"}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	f.write(t, f.URL+"/identity/v3")
	return f
}

// write writes clouds.yaml and names it in the environment.
func (f *fake) write(t *testing.T, authURL string) {
	t.Helper()
	writeClouds(t, fmt.Sprintf(`clouds:
  prod:
    auth: {auth_url: %q, username: operator, password: %s, project_name: ops, user_domain_name: Default, project_domain_name: Default}
  other: {auth: {auth_url: "http://127.0.0.1:1/v3"}}
`, authURL, password))
}

func writeClouds(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "clouds.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OS_CLIENT_CONFIG_FILE", path)
	return path
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	f.requests = append(f.requests, r)
	path := strings.TrimPrefix(r.URL.Path, "/volume/v3/"+project+"/")
	switch {
	case strings.HasSuffix(r.URL.Path, "/auth/tokens"):
		w.Header().Set("X-Subject-Token", "token")
		w.WriteHeader(f.auth)
		if f.auth == http.StatusCreated {
			_, _ = fmt.Fprintf(w, `{"token": {"expires_at": "2026-11-25T21:33:24.000000Z", "catalog": [{"type": %q, "endpoints":
				[{"interface": "public", "region": "one", "region_id": "one", "url": "%s/volume/v3/%s"}]}]}}`, f.kind, f.URL, project)
		}
	case path != r.URL.Path && r.Header.Get("X-Auth-Token") == "token":
		f.respond(w, path)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (f *fake) respond(w http.ResponseWriter, path string) {
	switch body := f.responses[path].(type) {
	case nil:
		w.WriteHeader(http.StatusNotFound)
	case int:
		w.Header().Set("Location", "http://127.0.0.1:1/")
		w.WriteHeader(body)
		_, _ = w.Write([]byte(`{"forbidden": {"message": "of ` + project + `"}}`))
	case string:
		_, _ = w.Write([]byte(body))
	default:
		_ = json.NewEncoder(w).Encode(body)
	}
}

func (f *fake) connect(t *testing.T) *openstack.Client {
	t.Helper()
	c, err := openstack.Connect(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// checkError checks that an error has a text, and nothing that must not be printed.
func checkError(t *testing.T, err error, wants ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", wants)
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to have %q", err, want)
		}
	}
	for _, secret := range []string{password, project} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q has %q", err, secret)
		}
	}
}
