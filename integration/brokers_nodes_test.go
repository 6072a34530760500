//go:build brokers

package integration

import (
	"fmt"
	"sync"
	"testing"

	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/internal/network"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// nodeFault is something that happens to the agent's node of a cluster.
type nodeFault struct {
	name         string
	inject, lift func(*incident)
	// reason is in the agent's log; "" where nobody can know it.
	reason string
	// orderly faults let the node move away what it has.
	orderly bool
	// reachable is the node for the agent, which may therefore stay with it.
	reachable bool
}

func nodeFaults() []nodeFault {
	return []nodeFault{
		{
			name: "drained", reason: "maintenance", orderly: true,
			inject: func(i *incident) { i.cluster[i.at].Drain() },
			lift:   func(i *incident) { i.cluster[i.at].Revive() },
		}, {
			name:   "killed",
			inject: func(i *incident) { i.cluster[i.at].Kill() },
			lift:   func(i *incident) { i.cluster[i.at].Start() },
		}, {
			name:   "disconnected",
			inject: func(i *incident) { i.cluster[i.at].Host().Disconnect() },
			lift:   func(i *incident) { i.cluster[i.at].Host().Connect() },
		}, {
			name:   "isolated", // from the other nodes, but not from the agent
			inject: func(i *incident) { i.eachPeer(i.cluster[i.at].Host().Part) },
			lift:   func(i *incident) { i.eachPeer(i.cluster[i.at].Host().Join) },
		},
	}
}

// eachPeer does something with the hosts of all nodes but the agent's.
func (i *incident) eachPeer(do func(*network.Host)) {
	for n, b := range i.cluster {
		if n != i.at {
			do(b.Host())
		}
	}
}

// testNodeFault lets something happen to the agent's node while a cinder-volume
// goes on reporting through another one.
func testNodeFault(t *testing.T, cluster []*rabbitmq.Broker, mode listenMode, f nodeFault) {
	i := newIncident(t, cluster, mode)
	before := i.service.Count(cindertest.Tally{})
	lift := sync.OnceFunc(func() { f.lift(i) })
	t.Cleanup(lift) // so that the next test has a whole cluster
	f.inject(i)
	if f.reason != "" {
		i.logs(f.reason)
	}
	i.goesOn(before)
	if claimed := mode.name != "exclusive" || f.orderly; claimed {
		if !f.reachable {
			i.works() // at another node
		}
		i.undisturbed(before)
	} else {
		t.Logf("with an exclusive queue, while the node is away: %+v", i.service.Count(before))
	}
	lift()
	process.Await(t, recovery, "the node to be back", func() error {
		if n := len(i.other.Running()); n != len(cluster) {
			return fmt.Errorf("%d nodes run", n)
		}
		return nil
	})
	i.recovers()
	i.undisturbed(i.service.Count(cindertest.Tally{}))
	i.leavesNothing()
}

// goesOn waits until the cinder-volume has reported for a while.
func (i *incident) goesOn(since cindertest.Tally) {
	i.t.Helper()
	process.Await(i.t, recovery, "the reports of cinder-volume", func() error {
		if c := i.service.Count(since); c.Acked+c.Nacked < 20 {
			return fmt.Errorf("%+v", c)
		}
		return nil
	})
}
