package input

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/config/files"
)

// maxReadTime is how long reading the configuration may take: its file system may
// not respond.
const maxReadTime = 5 * time.Second / 2

// AgentURL is the URL of the agent on this host, without a path; nil if it has
// none. Files that cannot be read in time are left out; flags and environment
// always count.
func AgentURL(ctx context.Context, sources config.Sources) *url.URL {
	agent := agentOptions(ctx, sources)
	if agent.Listen == "" {
		return nil
	}
	base := &url.URL{Scheme: "http", Host: connectAddress(agent.Listen)}
	if agent.TLSCertFile != "" {
		base.Scheme = "https"
	}
	return base
}

func agentOptions(ctx context.Context, sources config.Sources) config.Agent {
	ctx, cancel := context.WithTimeout(ctx, maxReadTime)
	defer cancel()
	agent, err := files.Do(ctx, new(files.Reader), func() (config.Agent, error) { return config.LoadAgent(sources), nil })
	if err == nil {
		return agent
	}
	sources.Inputs = config.Files(os.DevNull)
	return config.LoadAgent(sources)
}

// connectAddress is the address to connect to for one to listen on.
func connectAddress(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// Probe copies a health check of the agent at base to out, and fails if its status
// is not 200. If the agent uses the other scheme, it is requested with that one: the
// files may have changed since it was started.
func Probe(ctx context.Context, out io.Writer, base *url.URL, path string) error {
	response, err := get(ctx, base, path)
	if other := otherScheme(base, response, err); other != nil {
		if response != nil {
			_ = response.Body.Close()
		}
		response, err = get(ctx, other, path)
	}
	if err != nil {
		return fmt.Errorf("probe: %w; is the agent running?", err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(out, io.LimitReader(response.Body, 64<<10)); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("probe: %s returned %s", path, response.Status)
	}
	return nil
}

func get(ctx context.Context, base *url.URL, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath(path).String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	// The certificate has the name that other hosts use; this is the same host, and
	// the response is no secret.
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
	}}
	return client.Do(request)
}

// otherScheme is the URL with the other scheme if the agent uses that one, or nil.
func otherScheme(base *url.URL, response *http.Response, err error) *url.URL {
	other := *base
	switch {
	case base.Scheme == "http" && err == nil && response.StatusCode == http.StatusBadRequest:
		other.Scheme = "https" // the status of Go's server for HTTP on a port for TLS
	case base.Scheme == "https" && err != nil && strings.Contains(err.Error(), http.ErrSchemeMismatch.Error()):
		other.Scheme = "http"
	default:
		return nil
	}
	return &other
}
