package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/input"
	"github.com/poolcast/poolcast/collector/capability"
)

// reportFlags are where reports come from, if not from a poll.
type reportFlags struct {
	file      string
	agent     string
	tokenFile string
	caFile    string
	effective bool // use the effective reports of the agent, not those of its samples
}

func (f *reportFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "reports", "", "use the reports of a saved dry run, a `file`; - reads standard input")
	cmd.Flags().StringVar(&f.agent, "agent", "", "use the reports of a running agent, by the `URL` of its status page, such as http://127.0.0.1:9748")
	cmd.Flags().StringVar(&f.tokenFile, "agent-token-file", "", "`file` with the bearer token of the agent of --agent")
	cmd.Flags().StringVar(&f.caFile, "agent-ca-file", "", "PEM `file` with the certificates to trust for an https:// agent, in place of the system's")
	_ = cmd.MarkFlagFilename("reports", "json")
}

// given reports whether reports do not come from a poll.
func (f *reportFlags) given() bool { return f.file != "" || f.agent != "" }

// get returns the reports: saved, the agent's, or polled now. An error that comes
// with reports means that some backends failed.
func (f *reportFlags) get(cmd *cobra.Command, sources *sourceFlags) ([]capability.Report, error) {
	switch {
	case f.file != "" && f.agent != "":
		return nil, exit.With(exit.Usage, errors.New("--reports and --agent both give reports: choose one"))
	case f.file != "":
		reports, err := input.Reports(cmd.Context(), cmd.InOrStdin(), f.file)
		return reports, exit.With(exit.Usage, err)
	case f.agent == "" && (f.tokenFile != "" || f.caFile != ""):
		return nil, exit.With(exit.Usage, errors.New("--agent-token-file and --agent-ca-file need --agent"))
	case f.agent != "":
		return input.Agent{URL: f.agent, TokenFile: f.tokenFile, CAFile: f.caFile}.Reports(cmd.Context(), f.effective)
	}
	runtime, err := sources.open(cmd)
	if err != nil {
		return nil, err
	}
	defer runtime.Close()
	return runtime.Poll(cmd.Context())
}
