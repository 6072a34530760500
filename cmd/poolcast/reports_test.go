package main

import (
	"strings"
	"testing"
)

// TestReportsOfAnAgentWithItsOwnAuthority: an agent with TLS and a bearer token, whose
// authority is not one of the system's.
func TestReportsOfAnAgentWithItsOwnAuthority(t *testing.T) {
	t.Parallel()
	l := newEnvironment(t, 2)
	a, _ := l.secured()
	a.reported(l)
	l.write("empty.pem", "no certificate")
	token, authority := "--agent-token-file="+l.path("token"), "--agent-ca-file="+l.path("cert.pem")
	for name, tc := range map[string]struct {
		args []string
		code int
		want string // of the output, or of the error
	}{
		"authority and token":    {[]string{"--agent=" + a.base, token, authority}, exitOK, "fa1"},
		"authority not named":    {[]string{"--agent=" + a.base, token}, exitPartial, "name the authority with --agent-ca-file"},
		"authority not readable": {[]string{"--agent=" + a.base, "--agent-ca-file=" + l.path("none")}, exitUsage, "--agent-ca-file: read trusted certificates"},
		"file without any":       {[]string{"--agent=" + a.base, "--agent-ca-file=" + l.path("empty.pem")}, exitUsage, "holds no PEM certificate"},
		"token not given":        {[]string{"--agent=" + a.base, authority}, exitPartial, "401 Unauthorized"},
		"token not readable":     {[]string{"--agent=" + a.base, "--agent-token-file=" + l.path("none")}, exitUsage, "--agent-token-file: read bearer token"},
		"no agent":               {[]string{authority}, exitUsage, "need --agent"},
	} {
		stdout, _, done := l.run(t.Context(), append([]string{"pools"}, tc.args...)...)
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
