package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Set by the build: -ldflags "-X main.version=… -X main.commit=…".
var (
	version = "devel"
	commit  = ""
)

// versionInfo is what `poolcast version --output json` prints.
type versionInfo struct {
	Version string       `json:"version"`
	Commit  string       `json:"commit,omitempty"`
	Go      string       `json:"go"`
	Tested  testedRanges `json:"tested"`
}

// testedRanges are what the project's own tests run against.
type testedRanges struct {
	PurityREST string `json:"purity_rest"`
	CinderRPC  string `json:"cinder_scheduler_rpc"`
	Cinder     string `json:"cinder"`
	RabbitMQ   string `json:"rabbitmq"`
}

func currentVersion() versionInfo {
	info := versionInfo{Version: version, Commit: commit, Go: runtime.Version(), Tested: tested()}
	if build, ok := debug.ReadBuildInfo(); ok && info.Commit == "" {
		for _, s := range build.Settings {
			if s.Key == "vcs.revision" {
				info.Commit = s.Value
			}
		}
	}
	return info
}

func newVersionCommand() *cobra.Command {
	output := "table"
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version and what it is tested against",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printVersion(cmd.OutOrStdout(), output)
		},
	}
	outputFlag(cmd, &output, "table", "json")
	return cmd
}

func printVersion(w io.Writer, output string) error {
	info := currentVersion()
	if output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(info)
	}
	_, err := fmt.Fprintf(w, "poolcast %s %s\n%s\ntested with Purity REST %s, Cinder %s (scheduler RPC %s), RabbitMQ %s\n",
		info.Version, info.Commit, info.Go, info.Tested.PurityREST, info.Tested.Cinder, info.Tested.CinderRPC, info.Tested.RabbitMQ)
	return err
}
