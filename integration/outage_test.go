//go:build integration

package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
	"github.com/poolcast/poolcast/publisher"
)

// TestAgentBrokerAndSchedulerOutages takes away, one after the other, everything
// the agent needs, from the very start. Each time it waits, says so once, and is
// back within an interval or so; it makes nothing on the broker that outlives
// it, and nothing that a scheduler would have made.
func TestAgentBrokerAndSchedulerOutages(t *testing.T) {
	t.Parallel()
	broker, transport := startBroker(t)
	env := newEnvironment(t, threeArrays(t), transport)
	a := env.startAgent()
	a.awaitLog(0, "session", string(publisher.NoScheduler))
	if found := broker.Exchanges(); len(found) != 0 {
		t.Errorf("the agent made exchanges: %+v", found)
	}

	cinder := scheduler.Start(t, scheduler.Options{Broker: broker, Backends: env.backends()})
	env.startVolume(broker)
	env.awaitPools(cinder, reconnectBound)
	made := broker.Exchanges()

	seen := len(a.log())
	broker.Kill()
	env.setFrame(1)
	a.awaitLog(seen, "session", string(publisher.Connecting))
	broker.Start()
	env.awaitPools(cinder, reconnectBound)

	seen = len(a.log())
	cinder.Stop()
	env.setFrame(2)
	a.awaitLog(seen, "session", string(publisher.NoScheduler))
	cinder.Start()
	env.awaitPools(cinder, reconnectBound)

	a.finish()
	awaitOnlyCinderQueues(t, broker)
	if now := broker.Exchanges(); !sameNames(made, now) {
		t.Errorf("exchanges were %+v and are %+v", made, now)
	}
}

// awaitOnlyCinderQueues waits until every queue on the broker is one of Cinder's.
func awaitOnlyCinderQueues(t *testing.T, broker *rabbitmq.Broker) {
	t.Helper()
	process.Await(t, pollBound, "the agent's queue to be gone", func() error {
		for _, q := range broker.Queues() {
			if q.Exclusive {
				return fmt.Errorf("%+v is left", q)
			}
		}
		return nil
	})
}

// sameNames says whether two lists of exchanges have the same members, but for
// those through which answers come back, which are new at each start.
func sameNames(a, b []rabbitmq.Exchange) bool {
	names := func(list []rabbitmq.Exchange) (names []string) {
		for _, e := range list {
			if !strings.HasPrefix(e.Name, "reply_") {
				names = append(names, e.Name)
			}
		}
		slices.Sort(names)
		return names
	}
	return slices.Equal(names(a), names(b))
}
