package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher/status/client"
)

const probeTimeout = 5 * time.Second

const probeHelp = `Request a health check of the agent on this host from its status address. --live
fails only when the main loop is stuck, and is meant for restarts. --ready fails
while the broker or an array is away or a backend is not served, and prints
which.

The address of the agent is that of --url, of --listen or of the environment,
else listen in [poolcast] as far as the files can be read, else 127.0.0.1:9748.
Nothing else of the configuration is read: an agent that still runs after it
refused a broken file is alive.

Exit codes: 0 yes, 1 no, or no response, 2 usage, 3 the agent has no status
address, because listen is off.`

// probeFlags are which check to make, of which agent.
type probeFlags struct {
	sourceFlags
	live, ready bool
	url         string
}

// newProbeCommand is for the health checks of a container, which need no other
// program.
func newProbeCommand() *cobra.Command {
	f := &probeFlags{}
	cmd := &cobra.Command{
		Use:   "probe --live|--ready",
		Short: "Check whether the agent on this host is alive, or ready",
		Long:  probeHelp,
		Example: `  poolcast probe --live
  poolcast probe --ready --url http://127.0.0.1:9748`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.addInputs(cmd)
	f.addOptions(cmd, func(o config.Option) bool { return o.Name == "listen" })
	cmd.Flags().BoolVar(&f.live, "live", false, "is the main loop running?")
	cmd.Flags().BoolVar(&f.ready, "ready", false, "do reports reach the scheduler?")
	cmd.Flags().StringVar(&f.url, "url", "", "`URL` of the agent, such as http://127.0.0.1:9748, in place of the configuration")
	return cmd
}

func (f *probeFlags) run(cmd *cobra.Command) error {
	if f.live == f.ready {
		return exit.With(exit.Usage, errors.New("choose one of --live and --ready"))
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), probeTimeout)
	defer cancel()
	base, err := f.base(ctx)
	if err != nil {
		return err
	}
	agent, err := client.New(client.Options{URL: base.String(), SameHost: true})
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	defer agent.Close()
	check, failure := agent.Live, "the agent is not alive"
	if f.ready {
		check, failure = agent.Ready, "the agent is not ready"
	}
	health, err := check(ctx)
	if err != nil {
		return fmt.Errorf("probe: %w; is the agent running?", err)
	}
	if _, err := io.WriteString(cmd.OutOrStdout(), health.Text); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	if !health.OK {
		return fmt.Errorf("probe: %s", failure)
	}
	return nil
}

// base is the URL of the agent, without a path.
func (f *probeFlags) base(ctx context.Context) (*url.URL, error) {
	if f.url != "" {
		u, err := url.Parse(f.url)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, exit.With(exit.Usage, fmt.Errorf("--url %s: want http://host:port or https://host:port", f.url))
		}
		return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
	}
	base := backends.AgentURL(ctx, config.Sources{Inputs: f.inputs, Environ: os.Environ(), Flags: f.source().Options})
	if base == nil {
		return nil, exit.With(exit.Config, errors.New("the agent has no status address: listen in [poolcast] is off"))
	}
	return base, nil
}
