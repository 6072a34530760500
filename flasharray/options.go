package flasharray

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// DefaultTimeout is the default of [Options].Timeout.
const DefaultTimeout = 10 * time.Second

const (
	// connectTimeout bounds the setup of a connection, TLS included.
	connectTimeout = 5 * time.Second
	// loginTimeout bounds a login, if Options.Timeout is not longer. A sample
	// waits for a login no longer than Timeout; the login continues, as the array
	// may have opened a session already, and the next sample uses its session.
	loginTimeout       = time.Minute
	defaultIdleTimeout = 90 * time.Second
	defaultUserAgent   = "poolcast"
)

const httpsPort = "443"

var errAddress = errors.New("write a host name or an IP address, with :port if it is not 443, and no https://")

// Options are the address of an array and how to connect to it.
type Options struct {
	// Address is the array's management address, as in Cinder's san_ip: a host
	// name or an IP address, with or without a port. An IPv6 address needs
	// brackets only when a port follows it.
	Address string

	// Token returns the API token. It is called only before a login, so it may
	// read a file or run a command. See [StaticToken].
	Token func(context.Context) (string, error)
	// TokenRefused, if set, is called when the array refused the token. Token
	// is then called once more, and a token other than the refused one is tried
	// at once: that is how a rotated token takes effect without a restart.
	TokenRefused func()

	// UserAgent is sent with every request; an array's audit log shows it.
	UserAgent string

	// Verify makes the client check the array's certificate, as
	// driver_ssl_cert_verify does in Cinder. Without it the API token can be
	// read by a man in the middle.
	Verify bool
	// CAPath is a PEM file, or a folder of them, with the certificates to
	// trust in place of the system's; it has no effect without Verify.
	CAPath string
	// RootCAs are certificates that were read already, see [ReadCAs]; it is used
	// instead of CAPath. Clients that trust the same certificates should share
	// one pool, to save memory.
	RootCAs *x509.CertPool

	// Timeout bounds one request from its start to the last byte of the response.
	Timeout time.Duration
	// IdleTimeout is how long a connection is kept between requests. Longer
	// than the polling interval saves a handshake a sample; negative closes the
	// connection after each sample, which saves memory.
	IdleTimeout time.Duration

	// Dial replaces net.Dialer for TCP connections; TLS is added to them.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// StaticToken is an [Options] Token for a token that never changes.
func StaticToken(token string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return token, nil }
}

func (o Options) withDefaults() Options {
	o.UserAgent = cmp.Or(o.UserAgent, defaultUserAgent)
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	o.IdleTimeout = cmp.Or(o.IdleTimeout, defaultIdleTimeout)
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	return o
}

func (o Options) check() error {
	var errs []error
	if o.Token == nil {
		errs = append(errs, errors.New("no API token was given"))
	}
	if strings.ContainsAny(o.UserAgent, "\r\n") {
		errs = append(errs, errors.New("the user agent contains a line break"))
	}
	return errors.Join(errs...)
}

// hostPort returns an address in the form host:port, with brackets around an
// IPv6 address. The port 443 is omitted, as in a URL.
func hostPort(address string) (string, error) {
	host, port := strings.TrimSpace(address), ""
	if strings.Contains(host, "://") {
		return "", fmt.Errorf("address %q: %w", address, errAddress)
	}
	if h, p, err := net.SplitHostPort(host); err == nil {
		host, port = h, p
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", fmt.Errorf("address %q: port %q is not a number from 1 to 65535", address, port)
		}
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if err := checkHost(host); err != nil {
		return "", fmt.Errorf("address %q: %w", address, err)
	}
	if port == httpsPort {
		port = ""
	}
	switch {
	case port != "":
		return net.JoinHostPort(host, port), nil
	case strings.Contains(host, ":"):
		return "[" + host + "]", nil
	}
	return host, nil
}

func checkHost(host string) error {
	if strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err != nil {
			return errAddress
		}
		return nil
	}
	if host == "" {
		return errors.New("the host is missing")
	}
	if i := strings.IndexFunc(host, func(r rune) bool { return !hostRune(r) }); i >= 0 {
		return fmt.Errorf("%q cannot be part of a host name", host[i:i+1])
	}
	return nil
}

func hostRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		r == '-' || r == '.' || r == '_' || r > 0x7f
}
