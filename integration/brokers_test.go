//go:build brokers

package integration

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/integration/network"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// TestBrokers runs the bus tests on the RabbitMQ of each Debian release, as one
// broker and as a cluster of three nodes, each node with a network of its own.
// `make brokers` prepares what it needs.
func TestBrokers(t *testing.T) {
	m := newMatrix(t)
	for _, release := range []string{"12", "13", "sid"} {
		t.Run(release, func(t *testing.T) {
			root := network.Root(t, m.root(t, release))
			t.Run("one", func(t *testing.T) { m.testBroker(t, root, 1) })
			t.Run("three", func(t *testing.T) { m.testBroker(t, root, 3) })
		})
	}
}

// matrix is what the tests of all brokers share.
type matrix struct {
	lan   *network.Network
	roots string // the folder of Debian roots
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	roots := os.Getenv("POOLCAST_ROOTS")
	if roots == "" {
		t.Fatal("POOLCAST_ROOTS does not name the folder of Debian roots: run make brokers")
	}
	return &matrix{lan: network.New(t), roots: roots}
}

// root is the folder of a release; its versions go to the test's log.
func (m *matrix) root(t *testing.T, release string) string {
	t.Helper()
	folder := filepath.Join(m.roots, release)
	versions, err := os.ReadFile(filepath.Join(folder, "versions"))
	if err != nil {
		t.Fatalf("read what is installed: %v; run make brokers", err)
	}
	t.Log(strings.TrimSpace(string(versions)))
	return folder
}

// testBroker runs all tests on one broker or on a cluster.
func (m *matrix) testBroker(t *testing.T, root string, nodes int) {
	var hosts []*network.Host
	for range nodes {
		hosts = append(hosts, m.lan.Host(t, root))
	}
	cluster := rabbitmq.StartCluster(t, busLogin(), hosts...)
	for _, name := range slices.Sorted(maps.Keys(busTests())) {
		t.Run(name, func(t *testing.T) {
			busTests()[name](t, cluster[0], busVHost(t, cluster[0], name))
		})
	}
	t.Run("faults", func(t *testing.T) { eachFault(t, cluster, localFaults(), true) })
	t.Run("alarms", func(t *testing.T) { eachFault(t, cluster, alarms(), false) })
	if nodes > 1 {
		t.Run("node", func(t *testing.T) { eachNodeFault(t, cluster) })
	}
}

// eachFault lets each fault happen in each mode of listening: on one broker to
// an exclusive queue, on a cluster to what only a cluster is for.
func eachFault(t *testing.T, cluster []*rabbitmq.Broker, faults []fault, parallel bool) {
	modes := busModes()[:1]
	if len(cluster) > 1 {
		modes = busModes()[1:]
	}
	for _, mode := range modes {
		for _, f := range faults {
			if f.modes != nil && !slices.Contains(f.modes, mode.name) {
				continue
			}
			t.Run(f.name+"/"+mode.name, func(t *testing.T) {
				if parallel {
					t.Parallel()
				}
				testFault(t, cluster, mode, f)
			})
		}
	}
}

func eachNodeFault(t *testing.T, cluster []*rabbitmq.Broker) {
	for _, f := range nodeFaults() {
		for _, mode := range busModes() {
			t.Run(f.name+"/"+mode.name, func(t *testing.T) { testNodeFault(t, cluster, mode, f) })
		}
	}
}
