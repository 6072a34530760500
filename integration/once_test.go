//go:build integration

package integration

import (
	"testing"

	"github.com/poolcast/poolcast/integration/scheduler"
)

// TestOncePublishesAndEnds: one reading of each array reaches a real scheduler,
// and nothing is left behind.
func TestOncePublishesAndEnds(t *testing.T) {
	broker, transport := startBroker(t)
	c := newCloud(t, threeArrays(t), transport)
	cinder := scheduler.Start(t, scheduler.Options{Broker: broker, Backends: c.backends()})
	c.run("--once")
	c.awaitPools(cinder, patience)
	awaitOnlyCinders(t, broker)
	for _, a := range c.arrays {
		if n := a.Sessions(); n != 0 {
			t.Errorf("%d sessions were left open on %s", n, a.Name())
		}
	}
}
