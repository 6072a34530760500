package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/config/files"
)

const probeTimeout = 5 * time.Second

const probeHelp = `Ask the agent on this host over its status address. --live fails only when the
main loop is stuck, and is meant for restarts. --ready fails while the broker or
an array is away or a backend is not served, and prints which.

The agent is asked, whatever has become of the files since it was started. Its
address is that of --url, of --listen or of the environment, else listen in
[poolcast] as far as the files can be read, else 127.0.0.1:9748. Nothing else of
the configuration is looked at: an agent that runs on after it refused a broken
file is alive.

Exit codes: 0 yes, 1 no, or nobody answers, 2 usage, 3 the agent has no status
address, because listen is off.`

// probeFlags say what to ask whom.
type probeFlags struct {
	*sourceFlags
	live, ready bool
	url         string
}

// newProbeCommand asks the agent on this host how it is, so that a container
// needs no other program for its health checks.
func newProbeCommand(flags *sourceFlags) *cobra.Command {
	f := &probeFlags{sourceFlags: flags}
	cmd := &cobra.Command{
		Use:   "probe --live|--ready",
		Short: "Ask the agent on this host whether it is alive, or ready",
		Long:  probeHelp,
		Example: `  poolcast probe --live
  poolcast probe --ready --url http://127.0.0.1:9748`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	cmd.Flags().BoolVar(&f.live, "live", false, "is the main loop turning?")
	cmd.Flags().BoolVar(&f.ready, "ready", false, "do reports reach the scheduler?")
	cmd.Flags().StringVar(&f.url, "url", "", "the agent to ask, such as http://127.0.0.1:9748, in place of the configuration")
	return cmd
}

func (f *probeFlags) run(cmd *cobra.Command) error {
	if f.live == f.ready {
		return withCode(exitUsage, errors.New("choose one of --live and --ready"))
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), probeTimeout)
	defer cancel()
	base, err := f.base(ctx)
	if err != nil {
		return err
	}
	path := "/livez"
	if f.ready {
		path = "/readyz"
	}
	return probe(ctx, cmd.OutOrStdout(), base, path)
}

// base is the URL of the agent, without a path.
func (f *probeFlags) base(ctx context.Context) (*url.URL, error) {
	if f.url != "" {
		u, err := url.Parse(f.url)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, withCode(exitUsage, fmt.Errorf("--url %s: want http://host:port or https://host:port", f.url))
		}
		return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
	}
	agent := f.agentSettings(ctx)
	if agent.Listen == "" {
		return nil, withCode(exitConfig, errors.New("the agent has no status address: listen in [poolcast] is off"))
	}
	base := &url.URL{Scheme: "http", Host: local(agent.Listen)}
	if agent.TLSCertFile != "" {
		base.Scheme = "https"
	}
	return base, nil
}

// agentSettings reads the files for half of the time there is, as their file
// system may not answer; flags and environment always count.
func (f *probeFlags) agentSettings(ctx context.Context) config.Agent {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout/2)
	defer cancel()
	sources := config.Sources{Inputs: f.inputs, Environ: os.Environ(), Flags: f.given()}
	agent, err := files.Do(ctx, new(files.Reader), func() (config.Agent, error) { return config.LoadAgent(sources), nil })
	if err == nil {
		return agent
	}
	sources.Inputs = config.Files(os.DevNull)
	return config.LoadAgent(sources)
}

// probe asks once more with the other scheme where the agent has that one: the
// files may say otherwise than when it was started.
func probe(ctx context.Context, out io.Writer, base *url.URL, path string) error {
	answer, err := ask(ctx, base, path)
	if other := otherScheme(base, answer, err); other != nil {
		if answer != nil {
			_ = answer.Body.Close()
		}
		answer, err = ask(ctx, other, path)
	}
	if err != nil {
		return fmt.Errorf("probe: %w; is the agent running?", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.Copy(out, io.LimitReader(answer.Body, 64<<10)); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("probe: %s says %s", path, answer.Status)
	}
	return nil
}

func ask(ctx context.Context, base *url.URL, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath(path).String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	// The certificate is made out to the name others use; this is the very same
	// host, and the answer is no secret.
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
	}}
	return client.Do(request)
}

// otherScheme is the URL with the scheme that the agent turned out to have, or
// nil.
func otherScheme(base *url.URL, answer *http.Response, err error) *url.URL {
	other := *base
	switch {
	case base.Scheme == "http" && err == nil && answer.StatusCode == http.StatusBadRequest:
		other.Scheme = "https" // what Go's server says to HTTP on a port for TLS
	case base.Scheme == "https" && err != nil && strings.Contains(err.Error(), http.ErrSchemeMismatch.Error()):
		other.Scheme = "http"
	default:
		return nil
	}
	return &other
}

// local turns an address to listen on into one to connect to.
func local(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
