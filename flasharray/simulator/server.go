package simulator

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
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

// ServeOptions are the options of Serve. By default each array has a free port of
// 127.0.0.1.
type ServeOptions struct {
	// Listen opens the listener of one array; it may be in memory, as that of
	// [NewPipeListener]. Nil listens on 127.0.0.1:0.
	Listen func(a *Array) (net.Listener, error)
}

// Server serves several arrays, each with a listener and a certificate of its
// own, all signed by one authority made at the start. It uses HTTP/1.1 with
// keep-alive over TLS, as arrays do.
type Server struct {
	ca     *authority
	arrays []*served
	wait   sync.WaitGroup
}

type served struct {
	array            *Array
	listener         net.Listener
	http             *http.Server
	valid, outOfDate *tls.Certificate
	expired          atomic.Bool
}

// Serve starts to serve arrays and returns at once. Writable arrays that have a
// connection to each other in their recordings replicate from then on. The caller closes the Server.
func Serve(arrays []*Array, o ServeOptions) (*Server, error) {
	if o.Listen == nil {
		o.Listen = func(*Array) (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
	}
	ca, err := newAuthority()
	if err != nil {
		return nil, err
	}
	connectArrays(arrays)
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
	if one.valid, err = s.ca.issue(hosts, notAfter); err != nil {
		return err
	}
	if one.outOfDate, err = s.ca.issue(hosts, expiredAt); err != nil {
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
		return one.outOfDate, nil
	}
	return one.valid, nil
}

// Close stops all listeners, ends all connections and waits for both.
func (s *Server) Close() error {
	var errs []error
	for _, one := range s.arrays {
		errs = append(errs, one.http.Close())
	}
	s.wait.Wait()
	return errors.Join(errs...)
}

// Addr is the host:port at which an array is served, or "" if there is none of
// that name. A client's address, or san_ip, may be set to it.
func (s *Server) Addr(name string) string {
	if one := s.find(name); one != nil {
		return one.listener.Addr().String()
	}
	return ""
}

// ExpireCertificate makes an array use a certificate that expired in 1999, or its
// valid one again. Open connections stay open.
func (s *Server) ExpireCertificate(name string, expired bool) {
	if one := s.find(name); one != nil {
		one.expired.Store(expired)
	}
}

// CertPool has the authority that signed every array's certificate.
func (s *Server) CertPool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.ca.certificate)
	return pool
}

// CAPEM is the authority's certificate, for driver_ssl_cert_path.
func (s *Server) CAPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.ca.certificate.Raw})
}

// DialContext connects to the array that has the management address, so that a
// client can keep the san_ip of its configuration. It is for a client's
// transport. Other addresses are an error: no connection leaves the machine.
func (s *Server) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	one := s.find(address)
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

// find returns the array with a management address, name, or listener's address.
func (s *Server) find(address string) *served {
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

// PipeListener is a listener in memory. Unlike real sockets its connections can be
// used in virtual time, within testing/synctest.
type PipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// NewPipeListener opens a listener that is reached by its own DialContext only.
func NewPipeListener() *PipeListener {
	return &PipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept waits for the next DialContext.
func (l *PipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// DialContext connects to the listener, whatever the address.
func (l *PipeListener) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends Accept and DialContext. It may be called more than once.
func (l *PipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is a fixed name, as there is no address.
func (l *PipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// authority is a certificate authority in memory.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// The validity is long, because a test's clock may have any time.
var (
	notBefore = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	notAfter  = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	expiredAt = notBefore.Add(24 * time.Hour)
)

func newAuthority() (*authority, error) {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "poolcast simulator"}, NotAfter: notAfter, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	return (&authority{certificate: template}).sign(template)
}

// issue makes a server certificate for host names and addresses.
func (ca *authority) issue(hosts []string, until time.Time) (*tls.Certificate, error) {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: hosts[0]}, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	signed, err := ca.sign(template)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{signed.certificate.Raw}, PrivateKey: signed.key}, nil
}

// sign makes a key and a certificate for it. An authority without a key is signed
// by itself.
func (ca *authority) sign(template *x509.Certificate) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	parent := ca.key
	if parent == nil {
		parent = key
	}
	template.NotBefore = notBefore // x509 chooses a random serial number
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, &key.PublicKey, parent)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read a certificate: %w", err)
	}
	return &authority{certificate, key}, nil
}
