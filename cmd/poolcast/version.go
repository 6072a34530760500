package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/publisher"
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
	PurityREST testedRange `json:"purity_rest"`
	Cinder     testedRange `json:"cinder"`
	CinderRPC  string      `json:"cinder_scheduler_rpc"`
	RabbitMQ   testedRange `json:"rabbitmq"`
}

// testedRange has two ends that are tested. What lies between is expected to
// work.
type testedRange struct {
	Oldest string `json:"oldest"`
	Newest string `json:"newest"`
}

func (r testedRange) String() string {
	if r.Oldest == r.Newest {
		return r.Oldest
	}
	return r.Oldest + " to " + r.Newest
}

// tested are the versions that the tests use: the API versions that the client
// accepts; the schedulers and brokers of make brokers; and the Cinder whose own
// classes made the placement vectors.
func tested() testedRanges {
	return testedRanges{
		PurityREST: testedRange{Oldest: flasharray.OldestVersion, Newest: flasharray.NewestVersion},
		Cinder:     testedRange{Oldest: "21", Newest: "29"},
		CinderRPC:  publisher.RPCVersion,
		RabbitMQ:   testedRange{Oldest: "3.10", Newest: "4.3"},
	}
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
		return render.JSON(w, info)
	}
	if _, err := fmt.Fprintf(w, "poolcast %s\n", strings.TrimSpace(info.Version+" "+info.Commit)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "built with %s\ntested with Purity REST %s, Cinder %s (scheduler RPC %s), RabbitMQ %s\n",
		info.Go, info.Tested.PurityREST, info.Tested.Cinder, info.Tested.CinderRPC, info.Tested.RabbitMQ)
	return err
}
