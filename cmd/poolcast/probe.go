package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

const probeTimeout = 5 * time.Second

// newProbeCommand asks the agent on this host how it is, so that a container
// needs no other program for its health checks.
func newProbeCommand(flags *sourceFlags) *cobra.Command {
	var live, ready bool
	cmd := &cobra.Command{
		Use:   "probe --live|--ready",
		Short: "Ask the agent on this host whether it is alive, or ready",
		Long: `Ask the agent on this host over its status address, which is read from the same
configuration. --live fails only when the main loop is stuck, and is meant for
restarts. --ready fails while the broker or an array is away, and prints which.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if live == ready {
				return withCode(exitUsage, errors.New("choose one of --live and --ready"))
			}
			cfg, err := flags.load()
			if err != nil {
				return err
			}
			if cfg.Agent.Listen == "" {
				return withCode(exitConfig, errors.New("the agent has no status address: listen in [poolcast] is off"))
			}
			path := "/livez"
			if ready {
				path = "/readyz"
			}
			return probe(cmd.Context(), cmd.OutOrStdout(), cfg.Agent.Listen, path, cfg.Agent.TLSCertFile != "")
		},
	}
	cmd.Flags().BoolVar(&live, "live", false, "is the main loop turning?")
	cmd.Flags().BoolVar(&ready, "ready", false, "do reports reach the scheduler?")
	return cmd
}

func probe(ctx context.Context, out io.Writer, listen, path string, secure bool) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	url := "http://" + local(listen) + path
	client := &http.Client{}
	if secure {
		url = "https://" + local(listen) + path
		// The certificate is made out to the name others use; this is the very
		// same host, and the answer is no secret.
		client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	answer, err := client.Do(request)
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
