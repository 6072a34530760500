package flasharray

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/go-resty/resty/v2"

	"github.com/poolcast/poolcast/config/files"
)

const (
	headerAPIToken  = "Api-Token"
	headerSession   = "X-Auth-Token"
	headerRequestID = "X-Request-Id"

	// bufferSize suits responses of a few kilobytes; a process may have a
	// thousand clients.
	bufferSize = 2 << 10
	// bodyLimit is far above any expected response, and low enough that a
	// thousand faulty arrays do not exhaust the host.
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
		TLSHandshakeTimeout: connectTimeout,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     max(o.IdleTimeout, 0),
		DisableCompression:  true,
		ReadBufferSize:      bufferSize,
		WriteBufferSize:     bufferSize,

		MaxResponseHeaderBytes: headerLimit,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connectTimeout)
			defer cancel()
			return o.Dial(ctx, network, address)
		},
	}
}

// newHTTP never follows a redirect: Go would send our token, in headers that it
// does not treat as secret, to the host that the redirect names.
func newHTTP(host string, transport http.RoundTripper, userAgent string) *resty.Client {
	client := resty.NewWithClient(&http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	client.SetBaseURL((&url.URL{Scheme: "https", Host: host}).String())
	client.SetLogger(noLogger{})
	client.SetDisableWarn(true)
	client.SetContentLength(true) // or resty sends an empty POST in chunks, as no other client does
	client.SetResponseBodyLimit(bodyLimit)
	client.SetHeader("User-Agent", userAgent)
	client.SetHeader("Accept", "application/json")
	client.OnRequestLog(func(l *resty.RequestLog) error { redactHeader(l.Header); return nil })
	client.OnResponseLog(func(l *resty.ResponseLog) error { redactHeader(l.Header); return nil })
	return client
}

func redactHeader(h http.Header) {
	for _, name := range []string{headerAPIToken, headerSession} {
		if h.Get(name) != "" {
			h.Set(name, redacted)
		}
	}
}

// noLogger keeps resty from writing to standard error: errors are returned.
type noLogger struct{}

func (noLogger) Errorf(string, ...any) {}
func (noLogger) Warnf(string, ...any)  {}
func (noLogger) Debugf(string, ...any) {}

func tlsConfig(o Options) (*tls.Config, error) {
	// Arrays with an old release support TLS 1.2 only.
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if !o.Verify {
		config.InsecureSkipVerify = true // the operator's explicit choice, warned about by the program
		return config, nil
	}
	config.RootCAs = o.RootCAs
	if config.RootCAs != nil || o.CAPath == "" {
		return config, nil
	}
	pool, err := ReadCAs(o.CAPath)
	config.RootCAs = pool
	return config, err
}

// ReadCAs reads the certificates to trust from a PEM file, or from every file in
// a folder that has any, as Cinder's driver_ssl_cert_path may name either. A
// path that cannot be read or has no certificate is an error: a fallback to the
// system's certificates would hide a typing mistake.
func ReadCAs(path string) (*x509.CertPool, error) {
	paths, err := regularFiles(path)
	if err != nil {
		return nil, fmt.Errorf("read trusted certificates: %w", err)
	}
	pool, found := x509.NewCertPool(), false
	for _, file := range paths {
		pem, err := files.Read(file, files.MaxCertificates)
		if err != nil {
			return nil, fmt.Errorf("read trusted certificates: %w", err)
		}
		found = pool.AppendCertsFromPEM(pem) || found
	}
	if !found {
		return nil, fmt.Errorf("read trusted certificates: %s holds no PEM certificate", path)
	}
	return pool, nil
}

// regularFiles returns the path itself, or the files of the folder, also through
// symbolic links, as c_rehash and Kubernetes use them.
func regularFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, entry := range entries {
		file := filepath.Join(path, entry.Name())
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			paths = append(paths, file)
		}
	}
	return paths, nil
}
