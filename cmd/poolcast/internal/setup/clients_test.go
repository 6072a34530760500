package setup

import (
	"testing"

	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/config"
)

// TestCollectorTargetHistory: the limits of a backend reach its poller, if the agent keeps
// a history.
func TestCollectorTargetHistory(t *testing.T) {
	b := config.Backend{LoadClassLimits: config.ClassLimits{Low: 20, High: 60}}
	if got := newCollectorTarget(b, config.Agent{}).History; got != nil {
		t.Errorf("without load_history it is %v", got)
	}
	got := newCollectorTarget(b, config.Agent{LoadHistory: true}).History
	if got == nil || *got != (collector.ClassLimits{Low: 20, High: 60}) {
		t.Errorf("with load_history it is %v", got)
	}
}
