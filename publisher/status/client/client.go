package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability/format"
)

const (
	defaultTimeout = 10 * time.Second
	maxBody        = 64 << 20 // reports of thousands of arrays are a tenth of it
	maxText        = 64 << 10 // of a health endpoint or an error
	maxReason      = 1000     // characters
)

// Options say where the agent is and how to reach it. Only URL is required.
type Options struct {
	// URL is that of the status page, such as http://127.0.0.1:9748. A path is
	// kept, for an agent behind a reverse proxy.
	URL string
	// Token is the contents of the agent's bearer_token_file; "" means none. The
	// health endpoints need none.
	Token string
	// CAs are trusted for https; nil means the system's.
	CAs *x509.CertPool
	// ServerName is the name in the certificate of an https agent; "" means the host
	// of URL.
	ServerName string
	// SameHost is for health checks of an agent on this host, whose certificate
	// names the host as others see it: any certificate is accepted, no proxy is
	// used, and if the agent serves the other one of http and https, that is
	// used. It excludes Token.
	SameHost bool
	// Timeout bounds each call; zero means 10 s.
	Timeout time.Duration
}

// Client reads the API of one agent. Its methods may be called from any
// goroutine.
type Client struct {
	opt  Options
	base *url.URL
	http *http.Client
}

// New checks the options. It does not connect.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	switch {
	case err != nil: // its text would contain a password
		return nil, errors.New("read URL of the agent: want http://host:port or https://host:port")
	case base.Host == "" || base.Scheme != "http" && base.Scheme != "https":
		return nil, fmt.Errorf("read URL %q of the agent: want http://host:port or https://host:port", base.Redacted())
	}
	if o.SameHost && o.Token != "" {
		return nil, errors.New("configure client: SameHost and Token exclude each other")
	}
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	transport := &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{RootCAs: o.CAs, ServerName: o.ServerName, MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.SameHost},
	}
	if o.SameHost {
		transport.Proxy = nil
	}
	return &Client{opt: o, base: base, http: &http.Client{Transport: transport}}, nil
}

// Close closes idle connections. The client can be used again.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Error is a response of the agent that is not a result.
type Error struct {
	URL        string
	StatusCode int
	Reason     string // as the agent gives it, "" if nothing
}

// Error implements error.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %d %s", e.URL, e.StatusCode, http.StatusText(e.StatusCode))
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// response is a status code and a whole body.
type response struct {
	url  string
	code int
	body []byte
}

// get fetches a path and cuts the body at limit, the one of an error earlier.
func (c *Client) get(ctx context.Context, path string, query url.Values, limit int64) (response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opt.Timeout)
	defer cancel()
	target := c.base.JoinPath(path)
	target.RawQuery = query.Encode()
	got, err := c.fetch(ctx, target, limit)
	if other := otherScheme(target, got, err); c.opt.SameHost && other != nil {
		got, err = c.fetch(ctx, other, limit)
	}
	return got, err
}

func (c *Client) fetch(ctx context.Context, target *url.URL, limit int64) (response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return response{}, fmt.Errorf("make request: %w", err)
	}
	if c.opt.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.opt.Token)
	}
	got, err := c.http.Do(request)
	if err != nil {
		return response{}, err // a *url.Error, which names method and URL
	}
	defer func() { _ = got.Body.Close() }()
	if got.StatusCode != http.StatusOK {
		limit = maxText
	}
	body, err := io.ReadAll(io.LimitReader(got.Body, limit))
	if err != nil {
		return response{}, fmt.Errorf("read response of %s: %w", target.Redacted(), err)
	}
	return response{url: target.Redacted(), code: got.StatusCode, body: body}, nil
}

// otherScheme returns the URL with the scheme that the agent turned out to
// serve, nil if that is not known.
func otherScheme(target *url.URL, got response, err error) *url.URL {
	other := *target
	switch {
	case target.Scheme == "http" && err == nil && got.code == http.StatusBadRequest && bytes.Contains(got.body, []byte("HTTPS server")):
		other.Scheme = "https" // net/http: "Client sent an HTTP request to an HTTPS server."
	case target.Scheme == "https" && err != nil && strings.Contains(err.Error(), http.ErrSchemeMismatch.Error()):
		other.Scheme = "http"
	default:
		return nil
	}
	return &other
}

// getJSON fetches a path and decodes it.
func (c *Client) getJSON(ctx context.Context, path string, query url.Values, into any) error {
	got, err := c.get(ctx, path, query, maxBody+1)
	switch {
	case err != nil:
		return err
	case got.code != http.StatusOK:
		return got.failure()
	case len(got.body) > maxBody:
		return fmt.Errorf("read response of %s: it has more than %d bytes", got.url, maxBody)
	}
	if err := json.Unmarshal(got.body, into); err != nil {
		return fmt.Errorf("decode %s: %w", got.url, err)
	}
	return nil
}

// failure returns the error that a response is.
func (r response) failure() *Error {
	var parsed struct{ Error string }
	if json.Unmarshal(r.body, &parsed) != nil {
		parsed.Error = strings.TrimSpace(string(r.body)) // not of the API, or of a proxy
	}
	return &Error{URL: r.url, StatusCode: r.code, Reason: format.Shorten(format.Printable(parsed.Error), maxReason)}
}
