package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config/files"
	"github.com/poolcast/poolcast/flasharray"
)

// reportFlags say where reports come from if not from a poll.
type reportFlags struct {
	file      string
	agent     string
	tokenFile string
	caFile    string
	told      bool // ask the agent for what the scheduler was told, not for its own reading
}

func (f *reportFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "reports", "", "use the reports of a saved dry run; - reads standard input")
	cmd.Flags().StringVar(&f.agent, "agent", "", "use the reports of a running agent, by the URL of its status page, such as http://127.0.0.1:9748")
	cmd.Flags().StringVar(&f.tokenFile, "agent-token-file", "", "file with the bearer token of that agent")
	cmd.Flags().StringVar(&f.caFile, "agent-ca-file", "", "PEM file with the certificates to trust for an https:// agent, in place of the system's")
	_ = cmd.MarkFlagFilename("reports", "json")
}

// given reports whether reports come from elsewhere than a poll.
func (f *reportFlags) given() bool { return f.file != "" || f.agent != "" }

const (
	agentTimeout  = 10 * time.Second
	maxInputBytes = 64 << 20 // reports of thousands of arrays are a tenth of it
)

// get returns the reports: saved, the agent's, or polled now. An error beside
// reports means that some backend failed and the others are good.
func (f *reportFlags) get(cmd *cobra.Command, sources *sourceFlags) ([]capability.Report, error) {
	switch {
	case f.file != "" && f.agent != "":
		return nil, withCode(exitUsage, errors.New("--reports and --agent both say where reports come from: choose one"))
	case f.file != "":
		reports, err := readReports(cmd.Context(), cmd.InOrStdin(), f.file)
		return reports, withCode(exitUsage, err)
	case f.agent == "" && (f.tokenFile != "" || f.caFile != ""):
		return nil, withCode(exitUsage, errors.New("--agent-token-file and --agent-ca-file need --agent"))
	case f.agent != "":
		return f.ask(cmd.Context())
	}
	s, err := sources.open(cmd)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.poll(cmd.Context())
}

// readReports reads what --dry-run printed.
func readReports(ctx context.Context, stdin io.Reader, path string) ([]capability.Report, error) {
	data, err := readInput(ctx, stdin, path)
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	return parseReports(data, path)
}

// readInput reads a file of the command line, or standard input for "-".
func readInput(ctx context.Context, stdin io.Reader, path string) ([]byte, error) {
	if path == "-" {
		data, err := files.Do(ctx, new(files.Reader), func() ([]byte, error) { return readBounded(stdin) })
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return data, err
	}
	return readInputFile(path)
}

func readInputFile(path string) ([]byte, error) {
	data, err := files.Read(path, maxInputBytes)
	if errors.Is(err, files.ErrNotRegular) {
		err = fmt.Errorf("%w; write what it gives to a file first", err)
	}
	return data, err
}

// readBounded reads to the end of what may have no end.
func readBounded(in io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxInputBytes+1))
	if err == nil && len(data) > maxInputBytes {
		err = fmt.Errorf("%w: the limit is %d bytes", files.ErrTooLarge, maxInputBytes)
	}
	return data, err
}

func parseReports(data []byte, from string) ([]capability.Report, error) {
	var reports []capability.Report
	if err := json.Unmarshal(data, &reports); err != nil {
		return nil, fmt.Errorf("read reports from %s: want the output of poolcast --dry-run: %w", from, err)
	}
	return reports, nil
}

// ask fetches /v1/reports, or /v1/effective.
func (f *reportFlags) ask(ctx context.Context) ([]capability.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, agentTimeout)
	defer cancel()
	url := strings.TrimSuffix(f.agent, "/") + "/v1/reports"
	if f.told {
		url = strings.TrimSuffix(f.agent, "/") + "/v1/effective"
	}
	request, err := f.request(ctx, url)
	if err != nil {
		return nil, withCode(exitUsage, err)
	}
	client, err := f.client()
	if err != nil {
		return nil, withCode(exitUsage, err)
	}
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	if unknown := (x509.UnknownAuthorityError{}); errors.As(err, &unknown) {
		return nil, fmt.Errorf("ask the agent: %w; name the authority with --agent-ca-file", err)
	}
	if err != nil {
		return nil, fmt.Errorf("ask the agent: %w; is it running, and is that its listen address?", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask the agent: %s says %s", url, answer.Status)
	}
	data, err := readBounded(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("ask the agent: %w", err)
	}
	reports, err := parseReports(data, url)
	if err == nil && len(reports) == 0 {
		err = errors.New("the agent has no report yet; its /readyz says why")
	}
	return reports, err
}

func (f *reportFlags) request(ctx context.Context, url string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("--agent %s: %w", f.agent, err)
	}
	if f.tokenFile == "" {
		return request, nil
	}
	token, err := (&fileToken{path: f.tokenFile}).read()
	if err != nil {
		return nil, fmt.Errorf("--agent-token-file: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	return request, nil
}

// client trusts the certificates of --agent-ca-file, or the system's.
func (f *reportFlags) client() (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.caFile != "" {
		pool, err := flasharray.ReadCAs(f.caFile)
		if err != nil {
			return nil, fmt.Errorf("--agent-ca-file: %w", err)
		}
		config.RootCAs = pool
	}
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config}}, nil
}
