package manual

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// TestUsageGroupsFlags: in chapters, in the width of the terminal, each flag once.
func TestUsageGroupsFlags(t *testing.T) {
	cmd := &cobra.Command{Use: "place", Example: "  place --size 1", Run: func(*cobra.Command, []string) {}}
	cmd.InitDefaultHelpFlag()
	flags := cmd.Flags()
	flags.Bool("hidden", false, "not shown")
	_ = flags.MarkHidden("hidden")
	flags.Int("count", 1, "place this `number` of volumes")
	flags.Int64("size", 0, "size in `GiB`")
	flags.String("availability-zone", "", strings.Repeat("zone ", 40))
	flags.StringP("output", "o", "table", "output format")
	flags.String("log-level", "info", "Lowest level.")
	got := usage(cmd, 80)
	const want = `Usage:
  place [flags]

Examples:
  place --size 1

Flags:
  --count number            place this number of volumes (default 1)

Volume:
  --size GiB                size in GiB
  --availability-zone string
                            zone zone`
	if !strings.HasPrefix(got, want) {
		t.Errorf("got:\n%s", got)
	}
	const end = `
Configuration:
  --log-level string        Lowest level. (default info)

Output:
  -o, --output string       output format (default table)
  -h, --help                help for place
`
	if !strings.HasSuffix(got, end) || strings.Contains(got, "hidden") {
		t.Errorf("got:\n%s", got)
	}
	for _, line := range strings.Split(got, "\n") {
		if utf8.RuneCountInString(line) > 80 {
			t.Errorf("longer than 80 columns: %s", line)
		}
	}
}

// TestUsageListsCommands: those that are not hidden.
func TestUsageListsCommands(t *testing.T) {
	root := &cobra.Command{Use: "poolcast"}
	root.AddCommand(
		&cobra.Command{Use: "place", Short: "Explain", Run: func(*cobra.Command, []string) {}},
		&cobra.Command{Use: "man", Hidden: true, Run: func(*cobra.Command, []string) {}},
	)
	if got, want := usage(root, 80), "Usage:\n  poolcast [command]\n\nCommands:\n  place       Explain\n"; !strings.HasPrefix(got, want) || strings.Contains(got, "\n  man") {
		t.Errorf("got:\n%s", got)
	}
}
