package flasharray_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/flasharray"
)

func TestAddressForms(t *testing.T) {
	errDialled := errors.New("dialled")
	for address, want := range map[string]string{
		"fa1.example":        "fa1.example:443",
		"fa1.example:8443":   "fa1.example:8443",
		"192.0.2.10\n":       "192.0.2.10:443",
		"192.0.2.10:443":     "192.0.2.10:443",
		"2001:db8::1":        "[2001:db8::1]:443",
		"[2001:db8::1]":      "[2001:db8::1]:443",
		"[2001:db8::1]:8443": "[2001:db8::1]:8443",
	} {
		dialled := ""
		c, err := flasharray.New(flasharray.Options{
			Address: address, Token: flasharray.StaticToken(apiToken),
			Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
				dialled = addr
				return nil, errDialled
			},
		})
		if err != nil {
			t.Errorf("%q: %v", address, err)
			continue
		}
		if _, err := c.Sample(t.Context()); !errors.Is(err, errDialled) {
			t.Errorf("%q: %v", address, err)
		}
		if dialled != want {
			t.Errorf("%q: dialled %s, want %s", address, dialled, want)
		}
	}
}

func TestNewInvalidOptions(t *testing.T) {
	token := flasharray.StaticToken(apiToken)
	empty := t.TempDir()
	for name, tc := range map[string]struct {
		options flasharray.Options
		want    string
	}{
		"no address":     {flasharray.Options{Token: token}, "host is missing"},
		"URL":            {flasharray.Options{Address: "https://fa1", Token: token}, "no https://"},
		"path":           {flasharray.Options{Address: "fa1/api", Token: token}, `"/" cannot be part of a host name`},
		"credentials":    {flasharray.Options{Address: "me@fa1", Token: token}, `"@" cannot be part`},
		"port":           {flasharray.Options{Address: "fa1:https", Token: token}, "1 to 65535"},
		"port 0":         {flasharray.Options{Address: "fa1:0", Token: token}, "1 to 65535"},
		"IPv6":           {flasharray.Options{Address: "2001:db8::zz", Token: token}, "write a host name or an IP address"},
		"no token":       {flasharray.Options{Address: "fa1"}, "no API token"},
		"user agent":     {flasharray.Options{Address: "fa1", Token: token, UserAgent: "a\nb: c"}, "line break"},
		"no CA path":     {flasharray.Options{Address: "fa1", Token: token, Verify: true, CAPath: empty + "/none"}, "no such file"},
		"empty CA path":  {flasharray.Options{Address: "fa1", Token: token, Verify: true, CAPath: empty}, "holds no PEM certificate"},
		"CA is no PEM":   {flasharray.Options{Address: "fa1", Token: token, Verify: true, CAPath: "doc.go"}, "doc.go holds no PEM certificate"},
		"two at a time":  {flasharray.Options{Address: "fa1", UserAgent: "\r"}, "no API token was given\nthe user agent"},
		"named in error": {flasharray.Options{Address: "fa1"}, "array fa1: "},
	} {
		_, err := flasharray.New(tc.options)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, tc.want)
		}
	}
}
