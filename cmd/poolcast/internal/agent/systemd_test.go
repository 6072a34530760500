package agent

import "testing"

func TestNotifierIsOffWithoutSystemd(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if newNotifier().enabled {
		t.Error("states are sent, and there is no socket")
	}
}
