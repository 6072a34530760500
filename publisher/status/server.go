package status

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/config/listen"
)

// Options of a [Server].
type Options struct {
	// Listen is host:port. Anything but a loopback address needs Certificate
	// and Token, or New refuses.
	Listen string
	// Certificate, if set, enables TLS. It is called for each handshake, so that
	// a renewed certificate is used without a restart.
	Certificate func() (*tls.Certificate, error)
	// Token, if set, must be sent as "Authorization: Bearer …" for everything
	// but /livez and /readyz. It is called for each request.
	Token func() string
	// Source makes the views; required.
	Source Source
	// Placer decides for /v1/place and the form; nil leaves both out.
	Placer Placer
	// Scheduler returns what /v1/scheduler serves: the scheduler's list of backends,
	// which may take some seconds. Nil leaves it out.
	Scheduler func() any
	// Listed returns the scheduler's list as it was received last, and has a newer one
	// requested. It is called once for each view of the page, and returns at once. Nil
	// leaves the section out.
	Listed func() SchedulerList
	Logger zerolog.Logger
}

// Server serves the HTTP API, which is read-only. Its methods may be called from
// any goroutine.
type Server struct {
	opts     Options
	registry *prometheus.Registry
}

// The bounds of one request. Nothing served here is large or slow.
const (
	headerTimeout  = 5 * time.Second
	requestTimeout = 10 * time.Second
	idleTimeout    = time.Minute
	maxHeaderBytes = 16 << 10
	maxBodyBytes   = 64 << 10
	stopTimeout    = 3 * time.Second
	// maxResponses is how many responses are made and sent at a time. A client that
	// does not read occupies one of them until requestTimeout.
	maxResponses = 8
	queueTimeout = 2 * time.Second // how long a request waits before that
)

// New checks the options and does no I/O. It refuses to serve anything but
// loopback without TLS and a token, by the rule of package listen.
func New(o Options) (*Server, error) {
	if o.Source == nil {
		return nil, errors.New("status server needs a source of views")
	}
	switch err := listen.Check(o.Listen, o.Certificate != nil, o.Token != nil); {
	case errors.Is(err, listen.ErrAddress):
		return nil, fmt.Errorf("read listen address %q: it %w, such as 127.0.0.1:9748", o.Listen, err)
	case err != nil:
		return nil, fmt.Errorf("listen on %s: it %w; set tls_cert_file, tls_key_file and bearer_token_file in [poolcast], or listen = 127.0.0.1:9748", o.Listen, err)
	}
	registry, err := newRegistry(o.Source)
	if err != nil {
		return nil, err
	}
	return &Server{opts: o, registry: registry}, nil
}

// Serve serves on an open listener until ctx ends, then lets running requests
// finish within a bound, and closes the listener. It returns nil after a clean
// stop.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if s.opts.Certificate != nil {
		l = tls.NewListener(l, &tls.Config{
			MinVersion: tls.VersionTLS12,
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				return s.opts.Certificate()
			},
		})
	}
	server := &http.Server{
		Handler:           s.Handler(),
		ErrorLog:          newErrorLog(s.opts.Logger),
		ConnState:         newConnections(maxConnections).change,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
	}
	s.opts.Logger.Info().Stringer("address", l.Addr()).Bool("tls", s.opts.Certificate != nil).Msg("status page is up")
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve status page: %w", err)
	case <-ctx.Done():
	}
	return stop(ctx, server)
}

func stop(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		_ = server.Close()
	}
	return nil
}

// maxConnections is how many clients may be connected: Prometheus, probes, and
// the six connections of each of some browsers.
const maxConnections = 64

// connections bounds the number of open connections. When there are too many, one
// is closed: the one that has been idle longest, or else the one whose request has
// taken longest. So clients that send nothing, or do not read the response, do not
// block others.
type connections struct {
	most int

	mu   sync.Mutex
	open []connection // by the time of their last change, the earliest first
}

type connection struct {
	net.Conn
	active bool // a request is read or a response is written
}

func newConnections(most int) *connections { return &connections{most: most} }

// change is http.Server.ConnState.
func (c *connections) change(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.IndexFunc(c.open, func(o connection) bool { return o.Conn == conn })
	if at >= 0 {
		c.open = slices.Delete(c.open, at, at+1)
	}
	switch {
	case state == http.StateNew:
		if len(c.open) >= c.most {
			c.closeOne()
		}
	case at < 0, state == http.StateClosed, state == http.StateHijacked:
		return
	}
	c.open = append(c.open, connection{conn, state == http.StateActive})
}

func (c *connections) closeOne() {
	at := max(0, slices.IndexFunc(c.open, func(o connection) bool { return !o.active }))
	conn := c.open[at].Conn
	c.open = slices.Delete(c.open, at, at+1)
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn() // without the last message of TLS, which may block
	}
	_ = conn.Close()
}

// errorPause is how long an error of one kind is not logged again: every client
// can cause errors.
const errorPause = time.Minute

// maxKinds is how many kinds of errors are counted separately; further ones are
// one more kind.
const maxKinds = 16

// errorLog receives the errors of net/http, and logs the first error of a kind and
// then one a minute, with the number of those between.
type errorLog struct {
	log zerolog.Logger

	mu    sync.Mutex
	kinds map[string]errorKind
}

type errorKind struct {
	last    time.Time
	skipped int
}

func newErrorLog(l zerolog.Logger) *log.Logger {
	return log.New(&errorLog{log: l, kinds: map[string]errorKind{}}, "", 0)
}

// Write implements io.Writer; log.Logger calls it once for each error.
func (e *errorLog) Write(p []byte) (int, error) {
	text := strings.TrimPrefix(strings.TrimSpace(string(p)), "http: ")
	if skipped, wanted := e.count(kindOf(text), time.Now()); wanted {
		event := e.log.Warn().Str("reason", format.Shorten(text, maxLine))
		if skipped > 0 {
			event = event.Int("others", skipped)
		}
		event.Msg("status page: a connection failed")
	}
	return len(p), nil
}

// kindOf returns the beginning of an error, which is the same for its kind.
func kindOf(text string) string {
	words := strings.Fields(text)
	return strings.Join(words[:min(2, len(words))], " ")
}

func (e *errorLog) count(kind string, now time.Time) (skipped int, wanted bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, known := e.kinds[kind]; !known && len(e.kinds) >= maxKinds {
		kind = ""
	}
	k := e.kinds[kind]
	if !k.last.IsZero() && now.Sub(k.last) < errorPause {
		e.kinds[kind] = errorKind{k.last, k.skipped + 1}
		return 0, false
	}
	e.kinds[kind] = errorKind{last: now}
	return k.skipped, true
}
