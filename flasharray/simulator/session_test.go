package simulator_test

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

func TestLoginAndLogout(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{Tokens: []string{"secret", "second"}})
	if r := l.login("wrong"); r.status != http.StatusUnauthorized || l.token != "" {
		t.Errorf("a wrong token: status %d, session %q", r.status, l.token)
	}
	if r := l.login(""); r.status != http.StatusUnauthorized {
		t.Errorf("no token: status %d", r.status)
	}
	r := l.login("second")
	if !strings.Contains(string(r.body), `"username":"cinder-ro"`) || l.array.Sessions() != 2 || l.array.Logins() != 2 {
		t.Errorf("login: %s, %d sessions, %d logins", r.body, l.array.Sessions(), l.array.Logins())
	}
	for range 2 { // a second time does no harm
		if r := l.do("POST", "2.26/logout", map[string]string{"x-auth-token": l.token}); r.status != http.StatusOK || len(r.body) != 0 {
			t.Errorf("logout: status %d, body %q", r.status, r.body)
		}
	}
	if r := l.request("arrays"); r.status != http.StatusUnauthorized {
		t.Errorf("after logout: status %d", r.status)
	}
	if n := l.array.Sessions(); n != 1 {
		t.Errorf("%d sessions are open, want 1", n)
	}
}

func TestRevokedTokens(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
	l.array.SetTokens("fresh")
	if r := l.request("arrays"); r.status != http.StatusUnauthorized {
		t.Errorf("a revoked token's session: status %d", r.status)
	}
	if r := l.login("secret"); r.status != http.StatusUnauthorized {
		t.Errorf("a revoked token: status %d", r.status)
	}
	if r := l.login("fresh"); r.status != http.StatusOK {
		t.Errorf("the new token: status %d", r.status)
	}
	l.array.ExpireSessions()
	if r := l.request("arrays"); r.status != http.StatusUnauthorized || l.array.Sessions() != 0 {
		t.Errorf("an expired session: status %d", r.status)
	}
	l.array.SetTokens()
	if r := l.login("fresh"); r.status != http.StatusUnauthorized {
		t.Errorf("with no token accepted: status %d", r.status)
	}
}

func TestInvalidSessionBody(t *testing.T) {
	for name, want := range map[string]string{
		"flasharray-x-01": `{"errors":[{"context":null,"message":"Invalid session."}]}`,
		"flasharray-c-01": `{"errors":[{"location_context":{"id":null,"name":"flasharray-c-01","resource_type":"remote-arrays"},"message":"Invalid session."}]}`,
	} {
		l := newEnvironment(t, name, simulator.Options{})
		l.token = "unknown"
		if r := l.request("arrays"); string(r.body) != want {
			t.Errorf("%s: %s", name, r.body)
		}
	}
}

// TestSessionIdleTimeout uses virtual time, through real TLS in memory.
func TestSessionIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := simulator.New(fixture(t, "flasharray-x-01"), simulator.Options{})
		l := environmentOf(t, a, simulator.ServeOptions{
			Listen: func(*simulator.Array) (net.Listener, error) { return simulator.NewPipeListener(), nil },
		})
		for range 3 { // each request starts the hour anew
			time.Sleep(59 * time.Minute)
			if r := l.request("arrays"); r.status != http.StatusOK {
				t.Fatalf("within the idle time: status %d", r.status)
			}
		}
		time.Sleep(61 * time.Minute)
		if r := l.request("arrays"); r.status != http.StatusUnauthorized || a.Sessions() != 0 {
			t.Errorf("after the idle time: status %d, %d sessions", r.status, a.Sessions())
		}
	})
}

func TestRequestsBeforeLogin(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
	r := l.do("GET", "api_version", map[string]string{"X-Request-ID": "abc"})
	if r.header.Get("X-Request-ID") != "abc" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers are %v", r.header)
	}
	if !strings.HasSuffix(string(r.body), `"2.25","2.26"]}`) {
		t.Errorf("versions are %s", r.body)
	}
	if r := l.do("GET", "2.26/arrays", nil); r.header.Get("X-Request-ID") == "" {
		t.Error("there is no X-Request-ID")
	}
}
