package status

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/config/listen"
)

// Options of a [Server].
type Options struct {
	// Listen is host:port. Anything but a loopback address needs Certificate
	// and Token, or New refuses.
	Listen string
	// Certificate switches TLS on. It is called for each handshake, so that a
	// renewed certificate is used without a restart.
	Certificate func() (*tls.Certificate, error)
	// Token, if set, must be sent as "Authorization: Bearer …" for everything
	// but /livez and /readyz. It is called for each request.
	Token func() string
	// Source makes the views; required.
	Source Source
	// Placer answers /v1/place and the form; nil leaves both out.
	Placer Placer
	Logger zerolog.Logger
}

// Server answers questions over HTTP and changes nothing. Its methods may be
// called from any goroutine.
type Server struct {
	opts     Options
	source   Source
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
	// maxAnswers is how many answers are made and sent at a time. A client that
	// does not read keeps one of them until requestTimeout.
	maxAnswers  = 8
	answerDelay = 2 * time.Second // how long a request waits for its turn
)

// New checks the options and does no I/O. It refuses to serve anything but
// loopback without TLS and a token: the answers name arrays and pools.
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
	return &Server{opts: o, source: o.Source, registry: registry}, nil
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
