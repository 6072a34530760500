package input

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config/files"
	"github.com/poolcast/poolcast/flasharray"
)

const agentTimeout = 10 * time.Second

// Agent is a running agent, by the flags that name it.
type Agent struct {
	URL       string // of its status page
	TokenFile string // with its bearer token; empty for none
	CAFile    string // with the certificates to trust; empty for the system's
}

// Reports gets the reports of the agent: the effective reports, or those of
// its own samples.
func (a Agent) Reports(ctx context.Context, effective bool) ([]capability.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, agentTimeout)
	defer cancel()
	url := strings.TrimSuffix(a.URL, "/") + "/v1/reports"
	if effective {
		url = strings.TrimSuffix(a.URL, "/") + "/v1/effective"
	}
	request, err := a.request(ctx, url)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	client, err := a.client()
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if unknown := (x509.UnknownAuthorityError{}); errors.As(err, &unknown) {
		return nil, fmt.Errorf("get reports of the agent: %w; name the authority with --agent-ca-file", err)
	}
	if err != nil {
		return nil, fmt.Errorf("get reports of the agent: %w; is it running, and is that its listen address?", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get reports of the agent: %s returned %s", url, response.Status)
	}
	data, err := readBounded(response.Body)
	if err != nil {
		return nil, fmt.Errorf("get reports of the agent: %w", err)
	}
	reports, err := parseReports(data, url)
	if err == nil && len(reports) == 0 {
		err = errors.New("the agent has no report yet; its /readyz has the reason")
	}
	return reports, err
}

func (a Agent) request(ctx context.Context, url string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("--agent %s: %w", a.URL, err)
	}
	if a.TokenFile == "" {
		return request, nil
	}
	token, err := setup.BearerToken(ctx, new(files.Reader), a.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("--agent-token-file: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	return request, nil
}

// client trusts the certificates of --agent-ca-file, or the system's.
func (a Agent) client() (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.CAFile != "" {
		pool, err := flasharray.ReadCAs(a.CAFile)
		if err != nil {
			return nil, fmt.Errorf("--agent-ca-file: %w", err)
		}
		config.RootCAs = pool
	}
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config}}, nil
}
