package publisher

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// dialTimeout bounds the way from nothing to an open AMQP connection, per host.
const dialTimeout = 10 * time.Second

// dialAny opens a connection to the first broker, in random order, that takes
// one. The error names what each of them said, in an order that does not
// change, so that it is the same as long as the fault is.
func dialAny(ctx context.Context, o Options) (*amqp.Connection, Broker, error) {
	var faults []string
	for _, i := range rand.Perm(len(o.Brokers)) {
		b := o.Brokers[i]
		conn, err := dial(ctx, b, o)
		if err == nil {
			return conn, b, nil
		}
		faults = append(faults, fmt.Sprintf("%s: %v", b.address(), err))
	}
	slices.Sort(faults)
	return nil, Broker{}, errors.New(strings.Join(faults, "; "))
}

// dial opens one connection. It hands amqp091 a socket rather than a URI, so
// that no error of it can hold a password.
func dial(ctx context.Context, b Broker, o Options) (*amqp.Connection, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	socket, err := (&net.Dialer{}).DialContext(ctx, "tcp", b.address())
	if err != nil {
		return nil, plain(err) // says "connect: …" itself
	}
	// A context that ends in the midst of the handshake cuts it short; the
	// deadline is lifted by amqp091 when the connection is open.
	stop := context.AfterFunc(ctx, func() { _ = socket.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	conn, err := handshake(ctx, socket, b, o)
	if err != nil {
		_ = socket.Close()
		return nil, err
	}
	return conn, nil
}

func handshake(ctx context.Context, socket net.Conn, b Broker, o Options) (*amqp.Connection, error) {
	if o.TLS != nil {
		config, err := o.TLS.client(b.Host)
		if err != nil {
			return nil, err
		}
		secure := tls.Client(socket, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("secure the connection: %w", err)
		}
		socket = secure
	}
	properties := amqp.NewConnectionProperties()
	properties["product"] = "poolcast"
	properties.SetClientConnectionName("poolcast")
	conn, err := amqp.Open(socket, amqp.Config{
		SASL: mechanisms(b, o.LoginMethod), Vhost: o.VirtualHost, Heartbeat: o.Heartbeat,
		Locale: "en_US", Properties: properties,
	})
	switch {
	case errors.Is(err, amqp.ErrCredentials):
		return nil, fmt.Errorf("log in as %s: the user or the password is wrong", b.User)
	case err != nil:
		return nil, fmt.Errorf("log in as %s: %w", b.User, err)
	}
	return conn, nil
}

// mechanisms lists the ways to log in, the configured one first.
func mechanisms(b Broker, method string) []amqp.Authentication {
	plain := &amqp.PlainAuth{Username: b.User, Password: b.password()}
	amqplain := &amqp.AMQPlainAuth{Username: b.User, Password: b.password()}
	switch method {
	case "PLAIN":
		return []amqp.Authentication{plain, amqplain}
	case "EXTERNAL":
		return []amqp.Authentication{&amqp.ExternalAuth{}}
	}
	return []amqp.Authentication{amqplain, plain}
}

// client returns the TLS configuration for one host.
func (t *TLS) client(host string) (*tls.Config, error) {
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read ssl_ca_file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read ssl_ca_file: %s holds no certificate", t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read ssl_cert_file and ssl_key_file: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	switch {
	case t.AnyCertificate:
		config.InsecureSkipVerify = true
	case t.AnyName:
		config.InsecureSkipVerify = true // replaced by the check of the chain alone
		config.VerifyConnection = chainOnly(config.RootCAs)
	}
	return config, nil
}

// chainOnly verifies who signed the certificate, and not whom it names.
func chainOnly(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		between := x509.NewCertPool()
		for _, c := range state.PeerCertificates[1:] {
			between.AddCert(c)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
		return err
	}
}

// plain drops the addresses that a network error repeats: the local port is a
// different one each time, and would make a new line in the log of it.
func plain(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err
	}
	return err
}

// backoff returns how long to wait after the n-th failure in a row: doubling
// from half a second up to 30 s or half the interval, so that a report is never
// an interval late for it. Half of the wait is chance.
func backoff(n int, interval time.Duration) time.Duration {
	longest := min(30*time.Second, interval/2, 500*time.Millisecond<<min(n, 10))
	return longest/2 + rand.N(longest/2+1)
}

// sleep waits, unless the context ends first.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
