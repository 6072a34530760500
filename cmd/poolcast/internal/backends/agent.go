package backends

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/config/files"
	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// RunningAgent is a running agent, by the flags that name it.
type RunningAgent struct {
	URL       string // of its status page
	TokenFile string // with its bearer token; empty for none
	CAFile    string // with the certificates to trust; empty for the system's
	// ServerName is the name in its certificate; empty for the host of URL.
	ServerName string
	Timeout    time.Duration // of a request; 0 is the client's default

	ofHost bool // the files are those of the agent's own options
}

// HostAgent is the agent of this host by its options, and whether it has an address. Its
// certificate and token are those of the agent's files.
func HostAgent(o config.Agent) (a RunningAgent, ok bool) {
	if o.Listen == "" {
		return RunningAgent{}, false
	}
	a = RunningAgent{URL: "http://" + connectAddress(o.Listen), TokenFile: o.BearerTokenFile, ofHost: true}
	if o.TLSCertFile != "" {
		a.URL = "https://" + connectAddress(o.Listen)
		a.CAFile, a.ServerName = o.TLSCertFile, certificateName(o.TLSCertFile)
	}
	return a, true
}

// certificateName is the first name in a certificate, empty if it cannot be read.
func certificateName(path string) string {
	data, err := files.Read(path, files.MaxConfig)
	if err != nil {
		return ""
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return ""
	}
	c, err := x509.ParseCertificate(block.Bytes)
	switch {
	case err != nil:
		return ""
	case len(c.DNSNames) > 0:
		return strings.Replace(c.DNSNames[0], "*", "agent", 1)
	case len(c.IPAddresses) > 0:
		return c.IPAddresses[0].String()
	}
	return ""
}

// Scheduler gets the scheduler's list of the agent.
func (a RunningAgent) Scheduler(ctx context.Context) (*client.SchedulerList, error) {
	agent, err := a.connect(ctx)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	defer agent.Close()
	list, err := agent.Scheduler(ctx)
	if failed, ok := errors.AsType[*client.Error](err); ok && failed.StatusCode == http.StatusNotFound {
		return nil, errors.New("the agent is of an older version, without /v1/scheduler")
	}
	return list, err
}

// Reports gets the reports of the agent: the effective reports, or those of
// its own samples.
func (a RunningAgent) Reports(ctx context.Context, effective bool) ([]capability.Report, error) {
	agent, err := a.connect(ctx)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	defer agent.Close()
	get := agent.Reports
	if effective {
		get = agent.Effective
	}
	reports, err := get(ctx)
	if unknown := (x509.UnknownAuthorityError{}); errors.As(err, &unknown) {
		return nil, fmt.Errorf("%w; name the authority with --agent-ca-file", err)
	}
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		return nil, fmt.Errorf("%w; check that the agent runs, and that this is its listen address", err)
	}
	if err == nil && len(reports) == 0 {
		err = errors.New("the agent has no report yet; its /readyz has the reason")
	}
	return reports, err
}

// connect reads the files and makes a client of the agent.
func (a RunningAgent) connect(ctx context.Context) (*client.Client, error) {
	tokenName, caName := "--agent-token-file", "--agent-ca-file"
	if a.ofHost {
		tokenName, caName = "bearer_token_file", "tls_cert_file"
	}
	o := client.Options{URL: a.URL, ServerName: a.ServerName, Timeout: a.Timeout}
	var err error
	if a.TokenFile != "" {
		if o.Token, err = setup.BearerToken(ctx, new(files.Reader), a.TokenFile); err != nil {
			return nil, fmt.Errorf("%s: %w", tokenName, err)
		}
	}
	if a.CAFile != "" {
		if o.CAs, err = flasharray.ReadCAs(a.CAFile); err != nil {
			return nil, fmt.Errorf("%s: %w", caName, err)
		}
	}
	agent, err := client.New(o)
	if err != nil {
		return nil, fmt.Errorf("--agent: %w", err)
	}
	return agent, nil
}

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
