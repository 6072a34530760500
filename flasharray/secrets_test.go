package flasharray_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/flasharray"
)

const sessionToken = "session-secret-1"

// revealed reports whether a text contains one of the secrets.
func revealed(s string) bool {
	return strings.Contains(s, apiToken) || strings.Contains(s, sessionToken)
}

func TestErrorsHaveNoSecret(t *testing.T) {
	echo := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			writef(w, body, r.Header.Get("api-token")+r.Header.Get("x-auth-token"))
		}
	}
	hijack := func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		writef(conn, "HTTP/9 %s%s\r\n\r\n", r.Header.Get("api-token"), r.Header.Get("x-auth-token"))
	}
	for _, path := range []string{"login", "arrays/space", "volumes"} {
		for name, h := range map[string]http.HandlerFunc{
			"message":   echo(500, `{"message":"header was %s"}`),
			"context":   echo(500, `{"errors":[{"context":"%s","message":"x"}]}`),
			"long":      echo(500, `{"message":"`+strings.Repeat("x", 290)+`%s"}`),
			"body":      echo(200, `%s`),
			"list":      echo(200, `{"items":[],"errors":[{"message":"%s"}]}`),
			"malformed": hijack,
		} {
			f := newFakeArray(t)
			f.handle(path, h)
			stats, err := f.client(t).Sample(t.Context())
			if text := fmt.Sprintf("%v %+v %#v %v", err, err, err, stats.Faults); revealed(text) || strings.Contains(text, apiToken[:9]) {
				t.Errorf("%s, %s: %s", path, name, text)
			}
		}
	}
}

func TestTokenInvalidAsHeader(t *testing.T) {
	f := newFakeArray(t)
	o := f.options()
	o.Token = flasharray.StaticToken(apiToken + "\n" + apiToken)
	c, err := flasharray.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Sample(t.Context()); err == nil || revealed(err.Error()) {
		t.Errorf("got %v", err)
	}
}

func TestPrintedClientHasNoSecret(t *testing.T) {
	f := newFakeArray(t)
	c := f.client(t)
	if _, err := c.Sample(t.Context()); err != nil {
		t.Fatal(err)
	}
	type holder struct{ Client *flasharray.Client }
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{c, holder{c}, &holder{c}, f.options()} {
			if text := fmt.Sprintf(verb, v); revealed(text) {
				t.Errorf("%s prints %s", verb, text)
			}
		}
	}
	if c.String() != "FlashArray at "+f.Listener.Addr().String() {
		t.Errorf("String returns %s", c)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	followed := 0
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed++ }))
	defer elsewhere.Close()
	for _, path := range []string{"/api/api_version", "login", "arrays/space"} {
		f := newFakeArray(t)
		f.handle(path, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/", http.StatusTemporaryRedirect)
		})
		_, err := f.client(t).Sample(t.Context())
		if err == nil || !strings.Contains(err.Error(), "redirects are not followed") || followed > 0 {
			t.Errorf("%s: followed %d times, %v", path, followed, err)
		}
	}
}

func TestRequestHeaders(t *testing.T) {
	f := newFakeArray(t)
	o := f.options()
	o.UserAgent = "poolcast/1.2.3"
	dialled := 0
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled++
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	c, err := flasharray.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]int{}
	for range 2 {
		if _, err := c.Sample(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range f.requests {
		ids[r.Header.Get("X-Request-ID")]++
		if r.UserAgent() != "poolcast/1.2.3" {
			t.Errorf("%s by %q", r.URL, r.UserAgent())
		}
	}
	if len(ids) != 2 || ids[""] > 0 {
		t.Errorf("two samples have the request ids %v", ids)
	}
	if dialled != 1 {
		t.Errorf("%d connections were made", dialled)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOneLetterSecret checks that a very short secret is not replaced in texts.
func TestOneLetterSecret(t *testing.T) {
	f := newFakeArray(t)
	f.handle("login", func(w http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.sessions["t"] = true
		w.Header().Set("x-auth-token", "t")
	})
	c := f.client(t)
	stats, err := c.Sample(t.Context())
	if err != nil || len(stats.Faults) > 0 || stats.Identity.Model != "FA-X50R4" {
		t.Fatalf("read %+v (%v)", stats, err)
	}
	f.fail("hosts", http.StatusForbidden, `{"message":"You cannot list the hosts that exist."}`)
	if stats, err = c.Sample(t.Context()); err != nil || !strings.Contains(faults(stats), "You cannot list the hosts that exist.") {
		t.Errorf("faults are %s (%v)", faults(stats), err)
	}
}

func TestRedactedErrorUnwraps(t *testing.T) {
	errCable := errors.New("cable is out")
	f := newFakeArray(t)
	f.handle("/api/api_version", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		write(w, `{"version":["2.26"]}`)
	})
	o, dials := f.options(), 0
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials++; dials > 1 {
			return nil, fmt.Errorf("dial for %s: %w", apiToken, errCable)
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	c, err := flasharray.New(o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Sample(t.Context())
	if !errors.Is(err, errCable) || !strings.Contains(err.Error(), "dial for [redacted]: cable is out") {
		t.Errorf("got %v", err)
	}
	if text := fmt.Sprintf("%v %+v %#v", err, err, err); revealed(text) {
		t.Errorf("it shows %s", text)
	}
}
