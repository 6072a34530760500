package main

import (
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/config"
)

func TestMistypedCommandIsSuggested(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"plce": "did you mean place or plan?", "chekc": "did you mean check?", "re": "record or reference or rehearse", "nonsense": "unknown command",
	} {
		if err := understood(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) || exitCode(err) != exit.Usage {
			t.Errorf("%s: got %v", args, err)
		}
	}
}

// TestOptionsAreFlagsWhereTheyAct: each option of [poolcast] is a flag of the agent,
// and of a subcommand only if it has an effect there.
func TestOptionsAreFlagsWhereTheyAct(t *testing.T) {
	t.Parallel()
	root := newRootCommand()
	for _, o := range config.AgentOptions() {
		if name := strings.ReplaceAll(o.Name, "_", "-"); root.Flags().Lookup(name) == nil {
			t.Errorf("the agent has no --%s", name)
		}
	}
	for _, cmd := range root.Commands() {
		for _, name := range []string{"on-stale", "stale-after", "tls-key-file", "bearer-token-file", "notify-service-capabilities"} {
			if cmd.Flags().Lookup(name) != nil {
				t.Errorf("%s has --%s, which has no effect", cmd.Name(), name)
			}
		}
	}
	for command, flag := range map[string]string{
		"check": "fix-provisioned-capacity", "diff": "overlay", "place": "poll-timeout", "pools": "log-level",
		"probe": "listen", "record": "poll-timeout", "rehearse": "poll-interval",
	} {
		if err := understood([]string{command, "--" + flag + "=x"}); err != nil && strings.Contains(err.Error(), "unknown flag") {
			t.Errorf("%s has no --%s", command, flag)
		}
	}
}
