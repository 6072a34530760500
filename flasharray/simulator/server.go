package simulator

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// ServeOptions say where arrays listen. The zero value gives each a free port
// of 127.0.0.1.
type ServeOptions struct {
	// Listen opens the listener of one array; it may be in memory, as that of
	// [NewPipeListener]. Nil listens on 127.0.0.1:0.
	Listen func(a *Array) (net.Listener, error)
}

// Server is several arrays, each behind a listener and a certificate of its own,
// all signed by one authority made at the start. HTTP/1.1 with keep-alive over
// TLS, as the array has it.
type Server struct {
	ca     *authority
	arrays []*served
	wait   sync.WaitGroup
}

type served struct {
	array      *Array
	listener   net.Listener
	http       *http.Server
	good, late *tls.Certificate
	expired    atomic.Bool
}

// Serve starts to serve arrays and returns at once. Close it when done.
func Serve(arrays []*Array, o ServeOptions) (*Server, error) {
	if o.Listen == nil {
		o.Listen = func(*Array) (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
	}
	ca, err := newAuthority()
	if err != nil {
		return nil, err
	}
	s := &Server{ca: ca}
	for _, a := range arrays {
		if err := s.start(a, o.Listen); err != nil {
			return nil, errors.Join(fmt.Errorf("serve %s: %w", a.Name(), err), s.Close())
		}
	}
	return s, nil
}

func (s *Server) start(a *Array, listen func(*Array) (net.Listener, error)) error {
	one := &served{array: a}
	hosts := append([]string{a.Name(), "localhost", "127.0.0.1", "::1"}, a.fixture.Addresses...)
	var err error
	if one.good, err = s.ca.issue(hosts, notAfter); err != nil {
		return err
	}
	if one.late, err = s.ca.issue(hosts, expiredAt); err != nil {
		return err
	}
	if one.listener, err = listen(a); err != nil {
		return err
	}
	one.http = &http.Server{
		Handler: a, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute,
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // no HTTP/2
	}
	s.arrays = append(s.arrays, one)
	secure := tls.NewListener(one.listener, &tls.Config{GetCertificate: one.certificate, MinVersion: tls.VersionTLS12})
	s.wait.Go(func() { _ = one.http.Serve(secure) }) // always ErrServerClosed, once Close is called
	return nil
}

func (one *served) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if one.expired.Load() {
		return one.late, nil
	}
	return one.good, nil
}

// Close stops all listeners, ends all connections and waits for both.
func (s *Server) Close() error {
	var faults []error
	for _, one := range s.arrays {
		faults = append(faults, one.http.Close())
	}
	s.wait.Wait()
	return errors.Join(faults...)
}

func (s *Server) named(name string) *served {
	for _, one := range s.arrays {
		if one.array.Name() == name {
			return one
		}
	}
	return nil
}

// Array returns a served array by its name, or nil.
func (s *Server) Array(name string) *Array {
	if one := s.named(name); one != nil {
		return one.array
	}
	return nil
}

// Addr is the host:port at which an array is served, or "" if there is none of
// that name. It is what a client's target, or san_ip, may be set to.
func (s *Server) Addr(name string) string {
	if one := s.named(name); one != nil {
		return one.listener.Addr().String()
	}
	return ""
}

// ExpireCertificate makes an array show a certificate that ran out in 1999, or
// its good one again. Connections that are open stay open.
func (s *Server) ExpireCertificate(name string, expired bool) {
	if one := s.named(name); one != nil {
		one.expired.Store(expired)
	}
}

// CertPool holds the authority that signed every array's certificate.
func (s *Server) CertPool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.ca.certificate)
	return pool
}

// CAPEM is the authority's certificate, for driver_ssl_cert_path.
func (s *Server) CAPEM() []byte { return s.ca.pem() }

// DialContext connects to the array that has the management address, so that a
// client can be left with the san_ip of its configuration. Give it to a
// client's transport. Addresses of no array are refused: nothing leaves the
// machine.
func (s *Server) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	one := s.addressed(address)
	if one == nil {
		return nil, fmt.Errorf("dial %s: no simulated array has this address", address)
	}
	if d, ok := one.listener.(dialer); ok {
		return d.DialContext(ctx, "", address)
	}
	var d net.Dialer
	return d.DialContext(ctx, one.listener.Addr().Network(), one.listener.Addr().String())
}

// dialer is a listener that makes its own connections.
type dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// addressed finds an array by management address, name, or where it listens.
func (s *Server) addressed(address string) *served {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	for _, one := range s.arrays {
		for _, known := range append(one.array.Addresses(), one.array.Name(), one.listener.Addr().String()) {
			if known == host || known == address {
				return one
			}
		}
	}
	return nil
}
