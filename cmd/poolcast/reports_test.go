package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
)

// TestReportsOfAnAgentWithItsOwnAuthority: an agent with TLS and a bearer token, whose
// authority is not one of the system's.
func TestReportsOfAnAgentWithItsOwnAuthority(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 2)
	a, _ := e.secured()
	a.reported(e)
	e.write("empty.pem", "no certificate")
	e.write("listen.conf", "[poolcast]\nlisten = "+strings.TrimPrefix(a.base, "https://")+"\n")
	token, authority := "--agent-token-file="+e.path("token"), "--agent-ca-file="+e.path("cert.pem")
	for name, tc := range map[string]struct {
		args []string
		code int
		want string // of the output, or of the error
	}{
		"authority and token":    {[]string{"--agent=" + a.base, token, authority}, exit.OK, "fa1"},
		"agent of this host":     {[]string{"--source=agent", "--config-file=" + e.path("listen.conf")}, exit.OK, "fa1"},
		"authority not named":    {[]string{"--agent=" + a.base, token}, exit.Partial, "name the authority with --agent-ca-file"},
		"authority not readable": {[]string{"--agent=" + a.base, "--agent-ca-file=" + e.path("none")}, exit.Usage, "--agent-ca-file: read trusted certificates"},
		"file without any":       {[]string{"--agent=" + a.base, "--agent-ca-file=" + e.path("empty.pem")}, exit.Usage, "holds no PEM certificate"},
		"token not given":        {[]string{"--agent=" + a.base, authority}, exit.Partial, "401 Unauthorized"},
		"token not readable":     {[]string{"--agent=" + a.base, "--agent-token-file=" + e.path("none")}, exit.Usage, "--agent-token-file: read bearer token"},
		"no agent":               {[]string{authority}, exit.Usage, "need --agent"},
	} {
		stdout, _, done := e.run(t.Context(), append([]string{"pools"}, tc.args...)...)
		err := <-done
		text := stdout.String()
		if err != nil {
			text = err.Error()
		}
		if exitCode(err) != tc.code || !strings.Contains(text, tc.want) {
			t.Errorf("%s: code %d, %s", name, exitCode(err), text)
		}
	}
}

// TestCommandsUseEffectiveReports: an answer uses the reports that the scheduler holds,
// and its list; diff uses the reports of the samples.
func TestCommandsUseEffectiveReports(t *testing.T) {
	reports, err := os.ReadFile("testdata/check/reports.json")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	requested := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		requested += r.URL.Path + " "
		mu.Unlock()
		_, _ = w.Write(reports)
	}))
	t.Cleanup(server.Close)
	for _, c := range []struct{ command, want string }{
		{"place --size 1", "/v1/effective /v1/scheduler "},
		{"pools", "/v1/effective /v1/scheduler "},
		{"check", "/v1/effective /v1/scheduler "},
		{"rehearse --size 1", "/v1/effective /v1/scheduler "},
		{"diff --base ~/pools.json", "/v1/reports "},
	} {
		d := newWorkspace(t)
		requested = ""
		stdout, stderr, _ := d.run(append(strings.Fields(c.command), "--agent", server.URL)...)
		if requested != c.want || stdout == "" {
			t.Errorf("%s requested %s, want %s: %s", c.command, requested, c.want, stderr)
		}
	}
}

// TestSourceFlags: flags that exclude each other or have a wrong value.
func TestSourceFlags(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--source=scheduler --agent=http://127.0.0.1:1", "--agent and --source scheduler exclude each other"},
		{"--agent-ca-file=x", "need --agent"},
		{"--backend-zone=ctl2=dc2", "--backend-zone ctl2=dc2: want host@backend=zone"},
		{"--backend-zone=ctl2@lvm", "want host@backend=zone"},
		{"--release=-1", "want a release of Cinder"},
		{"--release=28 --source=agent", "--release is for polled arrays"},
		{"--source=~/nowhere.json", "--source ~/nowhere.json"},
	} {
		d := newWorkspace(t)
		d.write("cinder.conf", sound)
		_, stderr, code := d.run(append([]string{"pools"}, strings.Fields(c.args)...)...)
		if code != exit.Usage || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: code %d, %s", c.args, code, stderr)
		}
	}
}
