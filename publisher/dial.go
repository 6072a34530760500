package publisher

import (
	"cmp"
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
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// dialTimeout bounds the time from nothing to an open AMQP connection, per host.
const dialTimeout = 10 * time.Second

// dialer opens connections, in the order of kombu_failover_strategy.
type dialer struct {
	opt   Options
	hosts []Broker
	next  int // index of the host to try first
}

// newDialer shuffles the hosts, as oslo.messaging does once for each of its
// connections, so that not every agent begins with the same host.
func newDialer(o Options) *dialer {
	d := &dialer{opt: o, hosts: slices.Clone(o.Brokers)}
	d.shuffle()
	return d
}

func (d *dialer) shuffle() {
	rand.Shuffle(len(d.hosts), func(i, j int) { d.hosts[i], d.hosts[j] = d.hosts[j], d.hosts[i] })
}

// open tries every host once, beginning with the one that was connected last. The
// error holds that of each host, sorted, so that the same faults give the same
// text.
func (d *dialer) open(ctx context.Context) (*connectionPair, error) {
	if d.opt.Shuffle {
		d.shuffle()
		d.next = 0
	}
	var faults []string
	for range d.hosts {
		b := d.hosts[d.next]
		l, err := d.openOne(ctx, b)
		if err == nil {
			return l, nil
		}
		faults = append(faults, fmt.Sprintf("%s: %v", b.address(), err))
		d.next = (d.next + 1) % len(d.hosts)
	}
	slices.Sort(faults)
	return nil, errors.New(strings.Join(faults, "; "))
}

func (d *dialer) openOne(ctx context.Context, b Broker) (*connectionPair, error) {
	listening, err := dial(ctx, b, d.opt)
	if err != nil {
		return nil, err
	}
	if d.opt.ListenOnly {
		return newConnectionPair(b, newConnection(listening, d.opt.ConfirmTimeout), nil), nil
	}
	publishing, err := dial(ctx, b, d.opt)
	if err != nil {
		_ = listening.CloseDeadline(time.Now().Add(closeTimeout))
		return nil, fmt.Errorf("open the second connection: %w", err)
	}
	return newConnectionPair(b, newConnection(listening, d.opt.ConfirmTimeout), newConnection(publishing, d.opt.ConfirmTimeout)), nil
}

// dial opens one connection. amqp091 gets a socket and not a URI, so that its
// errors cannot contain a password.
func dial(ctx context.Context, b Broker, o Options) (*amqp.Connection, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	socket, err := (&net.Dialer{}).DialContext(ctx, "tcp", b.address())
	if err != nil {
		return nil, explain(err) // begins with "connect: …"
	}
	// A context that ends during the handshake ends the handshake; amqp091 removes
	// the deadline when the connection is open.
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
			return nil, fmt.Errorf("secure the connection: %w", withAdvice(err))
		}
		socket = secure
	}
	properties := amqp.NewConnectionProperties()
	properties["product"] = "poolcast"
	properties.SetClientConnectionName("poolcast")
	conn, err := amqp.Open(endedByReading{socket}, amqp.Config{
		SASL: mechanisms(b, o.LoginMethod), Vhost: o.VirtualHost, Heartbeat: o.Heartbeat,
		Locale: "en_US", Properties: properties,
	})
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("log in as %s: no response within %s", b.User, dialTimeout)
	}
	return nil, fmt.Errorf("log in as %s: %w", b.User, loginError(err))
}

// endedByReading is a socket whose end is found by reading. A broker that closes a
// connection sends the reason and may reset it at once. amqp091 confirms that with a write
// before it uses the reason, and the error of that write may be used instead. What came
// before a reset can still be read, and then a read fails.
type endedByReading struct{ net.Conn }

func (s endedByReading) Write(b []byte) (int, error) {
	n, err := s.Conn.Write(b)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return len(b), nil
	}
	return n, err
}

// loginError returns why a login failed. The broker closes the connection without
// a reason if user or password is wrong.
func loginError(err error) error {
	switch {
	case errors.Is(err, amqp.ErrCredentials):
		return errors.New("the user or the password is wrong")
	case errors.Is(err, amqp.ErrVhost):
		return errors.New("the broker closed the connection during the login")
	}
	return explain(err)
}

// mechanisms returns the login methods, the configured one first.
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
		pair, err := tls.LoadX509KeyPair(t.CertFile, cmp.Or(t.KeyFile, t.CertFile))
		if err != nil {
			return nil, fmt.Errorf("read ssl_cert_file and ssl_key_file: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if t.AnyName {
		config.InsecureSkipVerify = true // replaced by the check of the chain alone
		config.VerifyConnection = chainOnly(config.RootCAs)
	}
	return config, nil
}

// withAdvice adds the option that applies to a certificate that was refused.
func withAdvice(err error) error {
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &name):
		return fmt.Errorf("%w; cinder-volume may be configured, or old enough, not to check the name: ssl_enforce_hostname_verification = false in [oslo_messaging_rabbit] does the same here", err)
	case errors.As(err, &authority):
		return fmt.Errorf("%w; set ssl_ca_file in [oslo_messaging_rabbit] to the authority's certificate", err)
	}
	return err
}

// chainOnly verifies who signed the certificate, and not the host name.
func chainOnly(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		intermediates := x509.NewCertPool()
		for _, c := range state.PeerCertificates[1:] {
			intermediates.AddCert(c)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates})
		return err
	}
}

// retryAfter returns how long to wait after the n-th failure in a row, counted
// from one: it grows as oslo.messaging's wait does with the same options. Half of
// it is random, so that agents do not reconnect all at once.
func (o Options) retryAfter(n int) time.Duration {
	longest := min(o.RetryMax, maxRetry)
	wait := longest
	if n < 1000 { // beyond, the product could overflow
		wait = min(longest, o.RetryInterval+time.Duration(n-1)*o.RetryBackoff)
	}
	return jittered(wait)
}

// reconnectAfter returns how long to wait after a connection or consumer was lost
// that had been open for a while: ReconnectDelay if that was long, else as after
// the n-th failure.
func (o Options) reconnectAfter(open time.Duration, n int) time.Duration {
	if open > stableAfter {
		return jittered(o.ReconnectDelay)
	}
	return o.retryAfter(n)
}

func jittered(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}

// sleep waits, unless the context ends first.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
