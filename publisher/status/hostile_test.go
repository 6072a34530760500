package status

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
)

// startServer serves on a real port until the test ends.
func startServer(t *testing.T, o Options) (address string) {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	if o.Source == nil {
		o.Source = fixed(sampleView())
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func getAs(t *testing.T, url, host, token string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// TestOtherHostNameIsRefused: a web page of another site makes its name resolve to
// 127.0.0.1 and sends a request.
func TestOtherHostNameIsRefused(t *testing.T) {
	server := serve(t, Options{Placer: func(Query) (Decision, error) { return Decision{}, nil }})
	for _, host := range []string{"evil.example", "evil.example:9748", "127.0.0.1.evil.example", "localhost.evil.example", "192.0.2.1:9748", "[2001:db8::1]:9748"} {
		for _, path := range []string{"/", "/livez", "/readyz", "/metrics", "/v1/reports", "/v1/effective", "/v1/place?size=1", "/v1/openapi.yaml", "/assets/page.js", "/nothing"} {
			code, body := getAs(t, server.URL+path, host, "")
			if code != http.StatusMisdirectedRequest || strings.Count(body, "\n") != 1 || !strings.Contains(body, "bearer_token_file") {
				t.Errorf("%s of %s: %d %q", path, host, code, body)
			}
		}
	}
	for _, host := range []string{"localhost", "LOCALHOST:1234", "127.0.0.1", "127.0.0.1:9748", "127.1.2.3:80", "[::1]:9748", "[::1]"} {
		if code, body := getAs(t, server.URL+"/livez", host, ""); code != http.StatusOK {
			t.Errorf("%s: %d %q", host, code, body)
		}
	}
	guarded := serve(t, Options{Token: func() string { return "s3cret" }})
	if code, _ := getAs(t, guarded.URL+"/v1/effective", "agent.example", "s3cret"); code != http.StatusOK {
		t.Errorf("with a token, another name got %d", code)
	}
}

// TestConnectionErrorsAreLoggedOnce: 200 invalid connections give one line, in the
// form of the log.
func TestConnectionErrorsAreLoggedOnce(t *testing.T) {
	pair := httptest.NewTLSServer(nil)
	certificate := pair.TLS.Certificates[0]
	pair.Close()
	var out lockedBuffer
	address := startServer(t, Options{Logger: zerolog.New(&out), Certificate: func() (*tls.Certificate, error) { return &certificate, nil }})
	for range 200 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte("\x1b[31mGET / HTTP/1.1\r\n\r\n"))
		_, _ = io.Copy(io.Discard, conn) // until the server closes it
		_ = conn.Close()
	}
	warnings := 0
	for line := range strings.Lines(out.String()) {
		var event struct{ Level, Reason string }
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Errorf("not in the log's form: %q", line)
		}
		if event.Level == "warn" && strings.Contains(event.Reason, "TLS handshake error") {
			warnings++
		}
	}
	if warnings != 1 {
		t.Errorf("%d warnings:\n%s", warnings, out.String())
	}
}

func TestErrorLogCountsSkippedErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := newErrorLog(zerolog.New(&out))
		for range 3 {
			for i := range 100 {
				l.Printf("http: TLS handshake error from 192.0.2.1:%d: EOF", i)
				l.Printf("http: Accept error: accept tcp: too many open files; retrying in %dms", i)
			}
			time.Sleep(errorPause)
		}
		if n := strings.Count(out.String(), "\n"); n != 6 {
			t.Errorf("600 errors are %d lines:\n%s", n, out.String())
		}
		if n := strings.Count(out.String(), `"others":99`); n != 4 {
			t.Errorf("%d lines count what was skipped:\n%s", n, out.String())
		}
		for i := range 1000 {
			l.Printf("kind %d", i)
		}
		if n := strings.Count(out.String(), "\n"); n > 6+maxKinds+1 {
			t.Errorf("a thousand kinds are %d lines", n)
		}
	})
}

// TestConnectionsAreBounded: idle clients make room for others, and a client
// that is connected and quiet costs nothing for long.
func TestConnectionsAreBounded(t *testing.T) {
	address := startServer(t, Options{Logger: zerolog.Nop()})
	var open []net.Conn
	for range 5 * maxConnections {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		open = append(open, conn)
	}
	if code, _ := get(t, "http://"+address+"/livez"); code != http.StatusOK {
		t.Errorf("idle clients keep others out: %d", code)
	}
	// One more than the bound was open with the client above.
	for i, conn := range open[:4*maxConnections] {
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !isReset(err) {
			t.Fatalf("connection %d is still open: %v", i, err)
		}
	}
}

func isReset(err error) bool { return err != nil && strings.Contains(err.Error(), "reset") }

// TestClientsThatNeverReadDoNotBlockOthers: each sends requests and reads nothing.
func TestClientsThatNeverReadDoNotBlockOthers(t *testing.T) {
	v := sampleView()
	for i := range 300 {
		b := v.Backends[0]
		report := *b.Report
		report.Host, b.Host, b.Name = fmt.Sprintf("ctl1@%d", i), fmt.Sprintf("ctl1@%d", i), fmt.Sprint(i)
		b.Report = &report
		v.Backends = append(v.Backends, b)
	}
	address := startServer(t, Options{Logger: zerolog.Nop(), Source: fixed(v)})
	for range 2 * maxConnections {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.(*net.TCPConn).SetReadBuffer(4096)
		_, _ = fmt.Fprint(conn, strings.Repeat("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 40))
	}
	if code, body := get(t, "http://"+address+"/livez"); code != http.StatusOK {
		t.Errorf("liveness: %d %s", code, body)
	}
}

// slowSource makes no view until it is released.
type slowSource struct {
	fixed
	release chan struct{}
	calls   atomic.Int32
}

func (h *slowSource) View() View {
	h.calls.Add(1)
	<-h.release
	return h.fixed.View()
}

// TestConcurrentResponsesAreBounded: each is in memory as a whole, of a thousand
// arrays too.
func TestConcurrentResponsesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slowSource{fixed: fixed(sampleView()), release: make(chan struct{})}
		s, err := New(Options{Listen: "127.0.0.1:0", Source: source, Logger: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		handler, codes := s.Handler(), make(chan int, 100)
		for range 100 {
			go func() {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/v1/reports", nil))
				codes <- w.Code
			}()
		}
		time.Sleep(queueTimeout + time.Second)
		synctest.Wait()
		if n := source.calls.Load(); n != maxResponses {
			t.Errorf("%d responses are made at a time", n)
		}
		close(source.release)
		got := map[int]int{}
		for range 100 {
			got[<-codes]++
		}
		if got[http.StatusOK] != maxResponses || got[http.StatusServiceUnavailable] != 100-maxResponses {
			t.Errorf("got %v", got)
		}
	})
}

// TestResponsesHaveNoControlCharacters: operators read them with curl.
func TestResponsesHaveNoControlCharacters(t *testing.T) {
	const attack = "x\x1b[2J\u009b31m\u202e\nFORGED"
	v := sampleView()
	v.Bus.Connected, v.Bus.Reason = false, attack
	v.Backends[0].Name = attack
	v.Backends[0].Report.Capabilities["a"+attack] = capability.OfString(attack)
	server := serve(t, Options{Source: fixed(v)})
	for _, path := range []string{"/readyz", "/v1/reports"} {
		_, body := get(t, server.URL+path)
		if printed := format.Printable(strings.ReplaceAll(body, "\n", " ")); printed != strings.ReplaceAll(body, "\n", " ") || strings.Contains(body, "\nFORGED") {
			t.Errorf("%s: %q", path, body)
		}
	}
}

// TestMetricValuesAreRounded: 382 µs are 0.000382 s, not 0.00038199999999999996.
func TestMetricValuesAreRounded(t *testing.T) {
	v := sampleView()
	c := v.Backends[0].Report.Capabilities
	c[capability.KeyUsecPerRead], c[capability.KeyLoadPercent] = capability.OfInt(382), capability.OfInt(57)
	_, body := get(t, serve(t, Options{Source: fixed(v)}).URL+"/metrics")
	for _, want := range []string{"read_latency_seconds{backend=\"fa_01\",host=\"ctl1@fa_01\",volume_backend_name=\"gold\"} 0.000382\n", "} 0.57\n"} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in the metrics", want)
		}
	}
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
