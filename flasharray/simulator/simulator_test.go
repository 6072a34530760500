package simulator_test

import (
	"net/http"
	"testing"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

func TestEveryEndpointOfEveryFixture(t *testing.T) {
	all, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	endpoints := []string{
		"arrays", "arrays/space", "arrays/performance", "controllers", "volumes", "volumes/space", "volumes/performance",
		"volume-snapshots", "hosts", "hosts/space", "hosts/performance", "protection-groups", "pods", "pods/space",
		"pods/performance", "array-connections", "alerts", "network-interfaces", "ports", "subscriptions", "subscription-assets",
	}
	for _, f := range all {
		t.Run(f.Name, func(t *testing.T) {
			l := environmentOf(t, simulator.New(f, simulator.Options{}), simulator.ServeOptions{})
			for _, e := range endpoints {
				p := l.get(e + "?limit=3&total_item_count=true")
				if p.Count == nil || len(p.Items) != min(*p.Count, 3) {
					t.Errorf("%s: %d items of %v", e, len(p.Items), p.Count)
				}
			}
		})
	}
}

func TestSessionRequired(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
	if r := l.do("GET", "2.26/arrays", nil); r.status != http.StatusUnauthorized {
		t.Errorf("without a session: status %d, want 401", r.status)
	}
	if r := l.request("arrays"); r.status != http.StatusOK {
		t.Errorf("with a session: status %d", r.status)
	}
	if n := l.array.Sessions(); n != 1 {
		t.Errorf("%d sessions are open, want 1", n)
	}
}
