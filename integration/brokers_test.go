//go:build brokers

package integration

import (
	"slices"
	"testing"

	"github.com/poolcast/poolcast/integration/internal/network"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// TestBrokers runs the bus tests on the RabbitMQ of each Debian release, as one
// broker and as a cluster of three nodes, each node with a network of its own.
// `make brokers` prepares what it needs.
func TestBrokers(t *testing.T) {
	m := newMatrix(t)
	for _, release := range brokerReleases() {
		t.Run(release, func(t *testing.T) {
			t.Run("one", func(t *testing.T) { m.testBroker(t, release, 1) })
			t.Run("three", func(t *testing.T) { m.testBroker(t, release, 3) })
		})
	}
	t.Run("versions", m.testVersions)
}

// testBroker runs all tests on one broker or on a cluster. Tests that have the
// broker to themselves come last.
func (m *matrix) testBroker(t *testing.T, release string, nodes int) {
	root := m.root(t, release)
	var hosts []*network.Host
	for range nodes {
		hosts = append(hosts, m.lan.Host(t, root))
	}
	cluster := rabbitmq.StartCluster(t, rabbitmq.Options{User: "cinder", Password: `p@ss:"w.rd%`, TLS: true}, hosts...)
	t.Run("bus", func(t *testing.T) {
		testPublisher(t, cluster[0], m.run)
		if nodes == 1 {
			testPublisherAlone(t, cluster[0], m.run)
		}
	})
	t.Run("scheduler", func(t *testing.T) { m.testSchedulers(t, cluster) })
	t.Run("fault", func(t *testing.T) { m.eachFault(t, cluster, localFaults(), true) })
	t.Run("alarm", func(t *testing.T) { m.eachFault(t, cluster, alarms(), false) })
	if nodes > 1 {
		t.Run("node", func(t *testing.T) { m.eachNodeFault(t, cluster) })
	}
}

// eachFault lets each fault happen in each mode of listening: on one broker to
// an exclusive queue, on a cluster to what only a cluster is for.
func (m *matrix) eachFault(t *testing.T, cluster []*rabbitmq.Broker, faults []fault, parallel bool) {
	modes := listenModes()[:1]
	if len(cluster) > 1 {
		modes = listenModes()[1:]
	}
	for _, mode := range modes {
		for _, f := range faults {
			if f.modes != nil && !slices.Contains(f.modes, mode.name) {
				continue
			}
			m.run(t, f.name+"/"+mode.name, parallel, func(t *testing.T) { testFault(t, cluster, mode, f) })
		}
	}
}

func (m *matrix) eachNodeFault(t *testing.T, cluster []*rabbitmq.Broker) {
	for _, f := range nodeFaults() {
		for _, mode := range listenModes() {
			m.run(t, f.name+"/"+mode.name, false, func(t *testing.T) { testNodeFault(t, cluster, mode, f) })
		}
	}
}
