package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/config"
)

// health is an agent as a probe sees it.
func health(t *testing.T, secure bool) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("main loop is running\n")) })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("[-] bus: not connected\n"))
	})
	s := httptest.NewUnstartedServer(mux)
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// TestProbeNeedsNoValidConfiguration: a typo in a file must not end an agent that
// runs.
func TestProbeNeedsNoValidConfiguration(t *testing.T) {
	plain, secure := health(t, false), health(t, true)
	at := func(s *httptest.Server) string { return s.Listener.Addr().String() }
	own := func(s *httptest.Server, more string) string { return "[poolcast]\nlisten = " + at(s) + "\n" + more }
	for name, c := range map[string]struct {
		config string
		args   []string
		env    string
	}{
		"a sound file":            {config: sound + own(plain, "")},
		"a broken section":        {config: "[DEFAULT]\nenabled_backends = a\n[a]\nextra_capabilities = {\"tier\": \n" + own(plain, "")},
		"no syntax at all":        {config: "words\n[open\n   indented\n" + own(plain, "") + "more words\n"},
		"no backend":              {config: own(plain, "")},
		"faults of its own":       {config: own(plain, "on_stale = perhaps\nno_such_option = 1\npoll_timeout = 1h\n")},
		"a broker of nonsense":    {config: "[DEFAULT]\ntransport_url = nonsense\n" + own(plain, "")},
		"TLS":                     {config: own(secure, "tls_cert_file = /nowhere/cert\ntls_key_file = /nowhere/key\n")},
		"TLS since it started":    {config: own(plain, "tls_cert_file = /nowhere/cert\n")},
		"TLS until it started":    {config: own(secure, "")},
		"the flag":                {config: "words", args: []string{"--listen", at(plain)}},
		"a URL":                   {config: "words", args: []string{"--url", plain.URL}},
		"a URL with TLS":          {config: "words", args: []string{"--url", secure.URL + "/"}},
		"the environment":         {config: "words", env: at(plain)},
		"no file":                 {args: []string{"--listen", at(plain)}},
		"a reference to nothing":  {config: "[DEFAULT]\nhost = $nothing\n" + own(plain, "")},
		"a byte that is no UTF-8": {config: "[DEFAULT]\nhost = \xff\n" + own(plain, "")},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cinder.conf")
			if c.config != "" {
				write(t, path, c.config)
			}
			if c.env != "" {
				t.Setenv("OS_POOLCAST__LISTEN", c.env)
			}
			e := &environment{t: t, folder: filepath.Dir(path)}
			stdout, stderr, code := e.command(append([]string{"probe", "--live"}, c.args...)...)
			if code != exit.OK || stdout != "main loop is running\n" {
				t.Errorf("--live ended with %d: %s %s", code, stdout, stderr)
			}
			stdout, _, code = e.command(append([]string{"probe", "--ready"}, c.args...)...)
			if code != exit.Partial || !strings.Contains(stdout, "[-] bus") {
				t.Errorf("--ready ended with %d: %s", code, stdout)
			}
		})
	}
}

func TestProbeExitCodes(t *testing.T) {
	t.Parallel()
	e := &environment{t: t, folder: t.TempDir()}
	write(t, e.path("cinder.conf"), "[poolcast]\nlisten = off\n")
	for want, args := range map[int][]string{
		exit.Usage:   {"probe"},
		exit.Config:  {"probe", "--live"},
		exit.Partial: {"probe", "--live", "--listen", "127.0.0.1:1"},
	} {
		if _, _, code := e.command(args...); code != want {
			t.Errorf("%v ended with %d, want %d", args, code, want)
		}
	}
	for _, args := range [][]string{{"probe", "--live", "--ready"}, {"probe", "--live", "--url", "127.0.0.1:9748"}, {"probe", "--live", "--url", "ftp://x"}} {
		if _, _, code := e.command(args...); code != exit.Usage {
			t.Errorf("%v ended with %d, want 2", args, code)
		}
	}
}

// Where nothing can be read, the agent has its usual address.
func TestProbeUsesTheDefaultAddress(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "words", "[poolcast\nlisten = off"} {
		path := filepath.Join(t.TempDir(), "cinder.conf")
		write(t, path, text)
		if base := backends.AgentURL(t.Context(), config.Sources{Inputs: config.Files(path)}); base.String() != "http://127.0.0.1:9748" {
			t.Errorf("%q: got %v", text, base)
		}
	}
}
