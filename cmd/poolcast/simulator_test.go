package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
)

func TestSimulatorServesUntilItIsInterrupted(t *testing.T) {
	t.Parallel()
	e := &environment{t: t, folder: t.TempDir()}
	write(t, e.path("cinder.conf"), "")
	root := newRootCommand()
	var out safeBuffer
	root.SetOut(&out)
	root.SetArgs([]string{"simulator", "--listen", "127.0.0.1:0", "--ca", e.path("ca.pem")})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx) }()
	e.await("the table of arrays", out.has("127.0.0.1:"))
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(out.String(), "ARRAY") {
		t.Errorf("printed %s", &out)
	}
	if pem, err := os.ReadFile(e.path("ca.pem")); err != nil || !strings.Contains(string(pem), "CERTIFICATE") {
		t.Errorf("the authority's certificate is %q, %v", pem, err)
	}
}

// TestSimulatorChangedOnlyWhenWritable creates a volume over HTTPS.
func TestSimulatorChangedOnlyWhenWritable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args   []string
		status int
	}{
		{[]string{"--writable"}, http.StatusOK},
		{nil, http.StatusForbidden},
	} {
		e := &environment{t: t, folder: t.TempDir()}
		root := newRootCommand()
		var out safeBuffer
		root.SetOut(&out)
		root.SetArgs(append([]string{"simulator", "--listen", "127.0.0.1:0", "--ca", e.path("ca.pem")}, c.args...))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- root.ExecuteContext(ctx) }()
		e.await("the table of arrays", out.has("127.0.0.1:"))
		if status := createVolume(t, regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(out.String()), e.path("ca.pem")); status != c.status {
			t.Errorf("%v: status %d, want %d", c.args, status, c.status)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func createVolume(t *testing.T, address, ca string) int {
	t.Helper()
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	send := func(path, header, value, body string) (status int, session string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+address+"/api/2.4/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(header, value)
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode, response.Header.Get("x-auth-token")
	}
	_, session := send("login", "api-token", "any", "")
	status, _ := send("volumes?names=a", "x-auth-token", session, `{"provisioned":1048576}`)
	return status
}

func TestSimulatorRefusesWrongAddresses(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--listen", "8443"},
		{"--listen", "127.0.0.1:nothing"},
		{"--fixtures", filepath.Join(t.TempDir(), "none")},
		{"--listen", "127.0.0.1:0", "--ca", filepath.Join(t.TempDir(), "none", "ca.pem")},
	} {
		root := newRootCommand()
		root.SetArgs(append([]string{"simulator"}, args...))
		if err := root.ExecuteContext(t.Context()); exitCode(err) != exit.Config {
			t.Errorf("%v: got %v", args, err)
		}
	}
}
