package flasharray

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"github.com/go-resty/resty/v2"
)

const (
	headerAPIToken  = "Api-Token"
	headerSession   = "X-Auth-Token"
	headerRequestID = "X-Request-Id"

	// bufferSize suits answers of a few kilobytes; a process may hold a
	// thousand clients.
	bufferSize = 2 << 10
	// bodyLimit is far above any answer that was asked for, and low enough
	// that a thousand confused arrays do not exhaust the host.
	bodyLimit = 4 << 20
	// headerLimit likewise.
	headerLimit = 64 << 10
)

func newTransport(o Options, config *tls.Config) *http.Transport {
	return &http.Transport{
		// No proxy: neither Cinder's driver nor Pure's client uses one, and a
		// management network is not reached through it.
		Proxy:               nil,
		TLSClientConfig:     config,
		TLSHandshakeTimeout: o.ConnectTimeout,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     max(o.IdleTimeout, 0),
		DisableCompression:  true,
		ReadBufferSize:      bufferSize,
		WriteBufferSize:     bufferSize,

		MaxResponseHeaderBytes: headerLimit,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, o.ConnectTimeout)
			defer cancel()
			return o.Dial(ctx, network, address)
		},
	}
}

// newHTTP never follows a redirect: Go would hand our token, which travels in
// headers it does not know to be secret, to whatever host was named.
func newHTTP(transport http.RoundTripper, userAgent string) *resty.Client {
	client := resty.NewWithClient(&http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	client.SetLogger(silence{})
	client.SetDisableWarn(true)
	client.SetContentLength(true) // or resty sends an empty POST in chunks, as no other client does
	client.SetResponseBodyLimit(bodyLimit)
	client.SetHeader("User-Agent", userAgent)
	client.SetHeader("Accept", "application/json")
	client.OnRequestLog(func(l *resty.RequestLog) error { redact(l.Header); return nil })
	client.OnResponseLog(func(l *resty.ResponseLog) error { redact(l.Header); return nil })
	return client
}

func redact(h http.Header) {
	for _, name := range []string{headerAPIToken, headerSession} {
		if h.Get(name) != "" {
			h.Set(name, redacted)
		}
	}
}

// silence keeps resty from writing to standard error: errors are returned.
type silence struct{}

func (silence) Errorf(string, ...any) {}
func (silence) Warnf(string, ...any)  {}
func (silence) Debugf(string, ...any) {}
