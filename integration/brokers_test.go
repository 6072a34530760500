//go:build brokers

package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolcast/poolcast/integration/internal/network"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// TestBrokers runs the publisher tests on the RabbitMQ of each Debian release, as one
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

// testBroker runs all tests on one broker or on a cluster. Tests that need the broker for
// themselves come last.
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

// eachFault runs each fault in each way of listening: on one broker with an exclusive
// queue, on a cluster with those that are made for clusters.
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

// The releases, by the names of their folders in POOLCAST_ROOTS.
func brokerReleases() []string { return []string{"12", "13", "sid"} }
func cinderReleases() []string { return []string{"12", "13", "pypi"} }

// matrix is what the tests of all brokers share.
type matrix struct {
	lan   *network.Network
	roots string // the folder of all releases

	mu     sync.Mutex
	record *os.File
}

// newMatrix makes the network and mounts what the releases of Debian need, and
// begins the record of the run with the versions of all releases.
func newMatrix(t *testing.T) *matrix {
	t.Helper()
	m := &matrix{roots: os.Getenv("POOLCAST_ROOTS")}
	record := os.Getenv("POOLCAST_RECORD")
	if m.roots == "" || record == "" {
		t.Fatal("POOLCAST_ROOTS and POOLCAST_RECORD do not name the folder of Debian roots and the file of results: run make brokers")
	}
	var err error
	if m.record, err = os.Create(record); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.record.Close() })
	m.lan = network.New(t)
	for _, release := range []string{"12", "13", "sid", "pypi"} {
		versions := m.versions(release)
		if versions == nil {
			continue
		}
		m.note(t, "%s: %s", release, strings.Join(versions, ", "))
		if release != "pypi" {
			network.Root(t, filepath.Join(m.roots, release))
		}
	}
	return m
}

// note writes a line to the record and to the test's log.
func (m *matrix) note(t *testing.T, format string, values ...any) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	t.Logf(format, values...)
	if _, err := fmt.Fprintf(m.record, format+"\n", values...); err != nil {
		t.Error(err)
	}
}

// run runs one cell of the matrix and records how it ended.
func (m *matrix) run(t *testing.T, name string, parallel bool, test func(*testing.T)) {
	t.Run(name, func(t *testing.T) {
		if parallel {
			t.Parallel()
		}
		begun := time.Now()
		t.Cleanup(func() {
			result := "ok  "
			if t.Failed() {
				result = "FAIL"
			}
			m.note(t, "%s %s %.1f s", result, strings.TrimPrefix(t.Name(), "TestBrokers/"), time.Since(begun).Seconds())
		})
		test(t)
	})
}

// root is the root of a Debian release.
func (m *matrix) root(t *testing.T, release string) string {
	t.Helper()
	if m.versions(release) == nil {
		t.Fatalf("there is no root of Debian %s in %s: run integration/roots %s", release, m.roots, release)
	}
	return filepath.Join(m.roots, release)
}

// installation is a release of Cinder.
func (m *matrix) installation(t *testing.T, release string) scheduler.Installation {
	t.Helper()
	folder := m.root(t, release)
	if release == "pypi" {
		return scheduler.Installation{Environment: folder}
	}
	return scheduler.Installation{Root: folder}
}

// versions are the packages of a release, nil if it is not there.
func (m *matrix) versions(release string) []string {
	text, err := os.ReadFile(filepath.Join(m.roots, release, "versions"))
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// testVersions checks that the oldest and newest releases of the command version are those
// that these tests run.
func (m *matrix) testVersions(t *testing.T) {
	out, err := exec.Command(program(t), "version", "--output", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var version struct {
		Tested struct {
			Cinder, RabbitMQ struct{ Oldest, Newest string }
		}
	}
	if err := json.Unmarshal(out, &version); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ release, software, want string }{
		{"12", "rabbitmq-server", version.Tested.RabbitMQ.Oldest},
		{"sid", "rabbitmq-server", version.Tested.RabbitMQ.Newest},
		{"12", "cinder-scheduler", version.Tested.Cinder.Oldest},
		{"pypi", "cinder", version.Tested.Cinder.Newest},
	} {
		m.root(t, c.release)
		is := regexp.MustCompile(`(?m)^` + c.software + ` (?:\d+:)?(.*)`).FindStringSubmatch(strings.Join(m.versions(c.release), "\n"))
		if is == nil || c.want == "" || !strings.HasPrefix(is[1], c.want+".") {
			t.Errorf("%s of %s is %v, and the command version has %q", c.software, c.release, is, c.want)
		}
	}
}
