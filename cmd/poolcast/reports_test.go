package main

import (
	"strings"
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
	token, authority := "--agent-token-file="+e.path("token"), "--agent-ca-file="+e.path("cert.pem")
	for name, tc := range map[string]struct {
		args []string
		code int
		want string // of the output, or of the error
	}{
		"authority and token":    {[]string{"--agent=" + a.base, token, authority}, exit.OK, "fa1"},
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
