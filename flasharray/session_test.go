package flasharray_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray"
)

func TestExpiredSessionRenewedOnce(t *testing.T) {
	for _, path := range []string{"arrays/space", "volumes", "array-connections"} {
		t.Run(path, func(t *testing.T) {
			f := newFakeArray(t)
			c := f.client(t)
			for range samplesOfTurn {
				if _, err := c.Sample(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			whole := f.handlers[path]
			f.handle(path, func(w http.ResponseWriter, r *http.Request) {
				f.handle(path, whole)
				f.expire()
				f.ServeHTTP(w, r)
			})
			stats, err := c.Sample(t.Context())
			if err != nil || len(stats.Faults) > 0 {
				t.Fatalf("the sample failed: %v %v", err, stats.Faults)
			}
			if f.logins != 2 || f.openSessions() != 1 {
				t.Errorf("%d logins, %d sessions open", f.logins, f.openSessions())
			}
		})
	}
}

func TestSessionAlwaysRefusedCostsOneLogin(t *testing.T) {
	f := newFakeArray(t)
	f.fail("arrays/space", http.StatusUnauthorized, `{"errors":[{"message":"Invalid session."}]}`)
	c := f.client(t)
	_, err := c.Sample(t.Context())
	var api *flasharray.APIError
	if !errors.Is(err, flasharray.ErrUnauthorized) || !errors.As(err, &api) || api.Message != "Invalid session." {
		t.Errorf("got %v", err)
	}
	if f.logins != 2 || f.openSessions() != 1 {
		t.Errorf("%d logins, %d sessions: the refused session should have been logged out", f.logins, f.openSessions())
	}
}

func TestConcurrentRequestsShareLogin(t *testing.T) {
	f := newFakeArray(t)
	c := f.client(t)
	for round := 1; round <= 3; round++ {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := c.Get(t.Context(), "volumes", nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if f.logins != round {
			t.Errorf("round %d: %d logins", round, f.logins)
		}
		f.expire()
	}
}

func TestRotatedTokenTriedAtOnce(t *testing.T) {
	f := newFakeArray(t)
	tokens, refused := []string{"yesterday's", apiToken}, 0
	o := f.options()
	o.Token = func(context.Context) (string, error) { return tokens[refused] + "\n", nil }
	o.TokenRefused = func() { refused++ }
	c, err := flasharray.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer closeClient(t, c)
	if _, err := c.Sample(t.Context()); err != nil || refused != 1 {
		t.Errorf("refused %d times, then %v", refused, err)
	}
}

func TestRefusedToken(t *testing.T) {
	for _, status := range []int{400, 401, 403} {
		f := newFakeArray(t)
		f.fail("login", status, `{"errors":[{"message":"Invalid API token."}]}`)
		asked, refused := 0, 0
		o := f.options()
		o.Token = func(context.Context) (string, error) { asked++; return apiToken, nil }
		o.TokenRefused = func() { refused++ }
		c, err := flasharray.New(o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Sample(t.Context())
		if !errors.Is(err, flasharray.ErrTokenRefused) || !strings.Contains(err.Error(), "Invalid API token.") {
			t.Errorf("status %d: got %v", status, err)
		}
		logins := slices.DeleteFunc(f.paths(), func(p string) bool { return !strings.Contains(p, "login") })
		if asked != 2 || refused != 1 || len(logins) != 1 {
			t.Errorf("status %d: token read %d times, refused %d times, tried as %q", status, asked, refused, logins)
		}
	}
}

func TestTokenUnavailable(t *testing.T) {
	errVault := errors.New("vault is sealed")
	for name, tc := range map[string]struct {
		token string
		err   error
		want  string
	}{
		"error": {"", errVault, "get the API token: vault is sealed"},
		"empty": {" \n", nil, "get the API token: it is empty"},
	} {
		f := newFakeArray(t)
		o := f.options()
		o.Token = func(context.Context) (string, error) { return tc.token, tc.err }
		c, err := flasharray.New(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Sample(t.Context()); err == nil || err.Error() != tc.want || f.logins != 0 {
			t.Errorf("%s: got %v after %d logins", name, err, f.logins)
		}
	}
}

func TestLoginWithoutSessionToken(t *testing.T) {
	f := newFakeArray(t)
	f.respond("login", `{"items":[]}`)
	c := f.client(t)
	if _, err := c.Sample(t.Context()); err == nil || !strings.Contains(err.Error(), "no session token") {
		t.Errorf("got %v", err)
	}
}

func TestCloseLogsOut(t *testing.T) {
	f := newFakeArray(t)
	c := f.client(t)
	if err := c.Close(t.Context()); err != nil || len(f.paths()) != 0 {
		t.Errorf("closing a client without requests: %v", err)
	}
	if _, err := c.Sample(t.Context()); !errors.Is(err, flasharray.ErrClosed) {
		t.Errorf("a closed client took a sample: %v", err)
	}

	c = f.client(t)
	if _, err := c.Sample(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(t.Context()); err != nil || f.openSessions() != 0 {
		t.Errorf("%d sessions open (%v)", f.openSessions(), err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Errorf("the second Close: %v", err)
	}
	if _, err := c.Sample(t.Context()); !errors.Is(err, flasharray.ErrClosed) || f.openSessions() != 0 {
		t.Errorf("a closed client logged in again: %v", err)
	}
}

func TestCloseIsBounded(t *testing.T) {
	f := newFakeArray(t)
	o := f.options()
	o.Timeout = 500 * time.Millisecond
	c, err := flasharray.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Sample(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.handle("logout", hang)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := c.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestCloseAfterSessionExpired(t *testing.T) {
	f := newFakeArray(t)
	c := f.client(t)
	if _, err := c.Sample(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.fail("logout", http.StatusUnauthorized, "")
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestVersions(t *testing.T) {
	for _, tc := range []struct{ offered, want string }{
		{`["1.19","2.0","2.4"]`, "2.4"},
		{`["2.10","2.9","2.4"]`, "2.10"},
		{`["2.56","2.57","2.100","3.0"]`, "2.56"},
		{`["2.55","2.DEV","2.X","x",7,null]`, "2.55"},
	} {
		f := newFakeArray(t)
		f.respond("/api/api_version", fmt.Sprintf(`{"version":%s}`, tc.offered))
		stats, err := f.client(t).Sample(t.Context())
		if err != nil || stats.Identity.REST != tc.want {
			t.Errorf("%s: chose %q (%v), want %s", tc.offered, stats.Identity.REST, err, tc.want)
		}
	}
	for offered, want := range map[string]string{
		`["1.0","1.19","2.3"]`: "the array offers 1.0 to 2.3, this client supports 2.4 to 2.56",
		`["3.0"]`:              "the array offers 3.0 to 3.0",
		`["2.DEV"]`:            "the array offers none",
	} {
		f := newFakeArray(t)
		f.respond("/api/api_version", fmt.Sprintf(`{"version":%s}`, offered))
		_, err := f.client(t).Sample(t.Context())
		if !errors.Is(err, flasharray.ErrUnsupportedVersion) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", offered, err)
		}
	}
	for _, body := range []string{`{}`, `{"version":"2.4"}`, `[]`, `<html>`, ``} {
		f := newFakeArray(t)
		f.respond("/api/api_version", body)
		if _, err := f.client(t).Sample(t.Context()); err == nil || f.logins != 0 {
			t.Errorf("%s: %d logins", body, f.logins)
		}
	}
}

func TestNewVersionAfterUpgrade(t *testing.T) {
	f := newFakeArray(t)
	c := f.client(t)
	if _, err := c.Sample(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.respond("/api/api_version", `{"version":["2.4","2.30"]}`)
	f.respond("arrays", `{"items":[{"id":"A1","name":"fa1","version":"6.6.3"}]}`)
	f.expire()
	stats, err := c.Sample(t.Context())
	if err != nil || stats.Identity.REST != "2.30" || stats.Identity.Purity != "6.6.3" {
		t.Errorf("after the upgrade the array is %+v (%v)", stats.Identity, err)
	}
}
