//go:build brokers

package integration

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/internal/network"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
	"github.com/poolcast/poolcast/publisher"
)

// fault is a fault that an operator or a broker causes.
type fault struct {
	name   string
	inject func(*incident)
	lift   func(*incident)
	state  publisher.SessionState // while it lasts
	reason string                 // in the log, with the broker's own text
	// affectsAll is true where other publishers are blocked or disconnected too.
	affectsAll bool
	modes      []string // that it applies to; nil means all
}

// localFaults affect one virtual host or user, and may be injected at the same time.
func localFaults() []fault {
	return []fault{
		{
			name: "connectionlimit", state: publisher.Connecting, reason: "limit (0)",
			inject: func(i *incident) {
				i.ctl("set_user_limits", i.user, `{"max-connections": 0}`)
				i.closeConnections()
			},
			lift: func(i *incident) { i.ctl("clear_user_limits", i.user, "max-connections") },
		}, {
			name: "channellimit", state: publisher.Connecting, reason: "limit of", // RabbitMQ 4.3 writes 1 in place of (1)
			inject: func(i *incident) {
				i.ctl("set_user_limits", i.user, `{"max-channels": 1}`)
				i.closeConnections()
			},
			lift: func(i *incident) { i.ctl("clear_user_limits", i.user, "max-channels") },
		}, {
			name: "queuelimit", state: publisher.Connecting, reason: "queue limit", modes: []string{"exclusive", "quorum"},
			inject: func(i *incident) {
				i.ctl("set_vhost_limits", "-p", i.vhost, `{"max-queues": 1}`)
				i.deleteAgentQueue()
				i.closeConnections()
			},
			lift: func(i *incident) { i.ctl("clear_vhost_limits", "-p", i.vhost) },
		}, {
			name: "permissions", state: publisher.Connecting, reason: "ACCESS_REFUSED",
			inject: func(i *incident) {
				i.rights("^$", "^$", "^$")
				i.closeConnections()
			},
			lift: func(i *incident) { i.allow() },
		}, {
			name: "userdeleted", state: publisher.Connecting, reason: "log in as",
			inject: func(i *incident) { i.ctl("delete_user", i.user) },
			lift:   func(i *incident) { i.addUser() },
		}, {
			name: "vhostdeleted", state: publisher.Connecting, reason: "not found", affectsAll: true,
			inject: func(i *incident) { i.ctl("delete_vhost", i.vhost) },
			lift: func(i *incident) {
				i.other.VHosts(i.t, i.vhost)
				i.allow()
				i.scheduler = cindertest.StartScheduler(i.t, i.other.URL(), i.mode.layout)
			},
		},
	}
}

// alarms affect the whole broker.
func alarms() []fault {
	return []fault{
		{
			name: "memoryalarm", state: publisher.Blocked, reason: "memory", affectsAll: true,
			inject: func(i *incident) { i.other.Block() },
			lift:   func(i *incident) { i.other.Unblock() },
		}, {
			name: "diskalarm", state: publisher.Blocked, reason: "disk", affectsAll: true,
			inject: func(i *incident) { i.ctl("set_disk_free_limit", "1000000000000000") },
			lift:   func(i *incident) { i.ctl("set_disk_free_limit", "50MB") },
		},
	}
}

// closeConnections ends the agent's connections.
func (i *incident) closeConnections() {
	i.t.Helper()
	i.other.CloseConnections(i.user, "closed by an operator")
}

// deleteAgentQueue deletes the agent's quorum queue, which outlives its connection.
func (i *incident) deleteAgentQueue() {
	i.t.Helper()
	for _, queue := range i.other.Bound("cinder-scheduler_fanout") {
		if strings.HasPrefix(queue, "poolcast.") {
			i.ctl("delete_queue", "-p", i.vhost, queue)
		}
	}
}

// testFault injects a fault and lifts it.
func testFault(t *testing.T, nodes []*rabbitmq.Broker, mode listenMode, f fault) {
	i := newIncident(t, nodes, mode)
	before := i.service.Count(cindertest.Tally{})
	f.inject(i)
	i.agent.offer(1)
	i.agent.awaits(f.state)
	i.logs(f.reason)
	if !f.affectsAll {
		i.undisturbed(before)
	}
	f.lift(i)
	i.recovers()
	if f.name != "vhostdeleted" { // with which unconfirmed reports were lost
		i.undisturbed(before)
	}
	i.leavesNothing()
}

// nodeFault is a fault of the agent's node of a cluster.
type nodeFault struct {
	name         string
	inject, lift func(*incident)
	// reason is in the agent's log; "" where the agent cannot detect it.
	reason string
	// orderly faults let the node move its queues to others.
	orderly bool
	// reachable nodes can be used by the agent, which may stay connected.
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
			name: "isolated", reachable: true, // from the other nodes, but not from the agent
			inject: func(i *incident) { i.eachPeer(i.cluster[i.at].Host().Part) },
			lift:   func(i *incident) { i.eachPeer(i.cluster[i.at].Host().Join) },
		},
	}
}

// eachPeer calls a function with the hosts of all nodes but the agent's.
func (i *incident) eachPeer(do func(*network.Host)) {
	for n, b := range i.cluster {
		if n != i.at {
			do(b.Host())
		}
	}
}

// testNodeFault injects a fault into the agent's node while a cinder-volume reports
// through another one.
func testNodeFault(t *testing.T, cluster []*rabbitmq.Broker, mode listenMode, f nodeFault) {
	i := newIncident(t, cluster, mode)
	before := i.service.Count(cindertest.Tally{})
	lift := sync.OnceFunc(func() { f.lift(i) })
	t.Cleanup(lift) // the next test needs a complete cluster
	f.inject(i)
	if f.reason != "" {
		i.logs(f.reason)
	}
	i.continues(before)
	if available := mode.name != "exclusive" || f.orderly; available {
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

// continues waits until the cinder-volume has sent 20 further reports, or for a minute,
// which one report may wait for its confirm.
func (i *incident) continues(since cindertest.Tally) {
	i.t.Helper()
	begun := time.Now()
	process.Await(i.t, recovery, "the reports of cinder-volume", func() error {
		if c := i.service.Count(since); c.Acked+c.Nacked < 20 && time.Since(begun) < time.Minute {
			return fmt.Errorf("%+v", c)
		}
		return nil
	})
}

// recovery bounds what follows the end of a fault: the start of a broker or a cluster,
// and an agent that waits for up to 30 s before it connects again.
const recovery = 2 * time.Minute

// incident is an agent with a virtual host and a user of its own, and with a scheduler
// and a cinder-volume that it must not disturb.
type incident struct {
	t         *testing.T
	vhost     string
	user      string // of the agent
	mode      listenMode
	nodes     []*rabbitmq.Broker // with the virtual host
	cluster   []*rabbitmq.Broker // the same, with the rights to stop and start them
	at        int                // the number of the agent's node
	other     *rabbitmq.Broker   // the scheduler's and the cinder-volume's
	scheduler *cindertest.Scheduler
	service   *cindertest.Service
	agent     *publisherRun
	channels  int // that the agent has open
	volumes   int64
}

// listenMode is a way of listening, and the queues of schedulers that it needs.
type listenMode struct {
	name   string
	layout cindertest.Layout
}

// listenModes are all ways of listening.
func listenModes() []listenMode {
	return []listenMode{
		{"exclusive", cindertest.Layout{Durable: true}},
		{"quorum", cindertest.Layout{Durable: true, Quorum: true}},
		{"stream", cindertest.Layout{Durable: true, Quorum: true, Stream: true}},
	}
}

// newIncident starts everything and returns when the agent's reports reach the
// scheduler. In a cluster the others are on another node than the agent.
func newIncident(t *testing.T, nodes []*rabbitmq.Broker, mode listenMode) *incident {
	t.Helper()
	i := &incident{t: t, mode: mode, cluster: nodes, vhost: strings.ReplaceAll(t.Name(), "/", "-")}
	i.user = "agent-" + i.vhost
	last := nodes[len(nodes)-1] // the first may restart after the test before
	last.VHosts(t, i.vhost)
	for _, n := range nodes {
		i.nodes = append(i.nodes, n.In(t, i.vhost))
	}
	i.other = last.In(t, i.vhost)
	i.addUser()
	i.scheduler = cindertest.StartScheduler(t, i.other.URL(), mode.layout)
	i.service = cindertest.StartService(t, i.other.URL(), 500*time.Millisecond, map[string]capability.Set{publisherBackend: baseReport(t, 1)})
	i.agent = startPublisher(t, i.options())
	i.at = i.agentAt()
	i.works()
	i.channels = i.openChannels()
	return i
}

func (i *incident) addUser() {
	i.t.Helper()
	i.ctl("add_user", i.user, "secret")
	i.allow()
}

// allow gives the agent's user the permissions that OPERATIONS.md has for its mode.
func (i *incident) allow() {
	i.t.Helper()
	text, err := os.ReadFile("../OPERATIONS.md")
	must(i.t, err)
	documented := regexp.MustCompile(`(?m)^rabbitmqctl set_permissions -p / poolcast '(.*)' '(.*)' '(.*)'$`).FindAllStringSubmatch(string(text), -1)
	if len(documented) != len(listenModes())+1 { // the last line is for the scheduler's list
		i.t.Fatalf("OPERATIONS.md has %d lines of rights for %d modes of listening", len(documented), len(listenModes()))
	}
	for n, mode := range listenModes() {
		if mode == i.mode {
			i.rights(documented[n][1:]...)
		}
	}
}

// rights sets the permissions of the agent's user to configure, write and read.
func (i *incident) rights(names ...string) {
	i.t.Helper()
	i.ctl(append([]string{"set_permissions", "-p", i.vhost, i.user}, names...)...)
}

// ctl runs rabbitmqctl on a node without a fault.
func (i *incident) ctl(args ...string) string { i.t.Helper(); return i.other.Ctl(args...) }

// options are those of the agent. Its brokers are all nodes but that of scheduler and
// cinder-volume, if there are several.
func (i *incident) options() publisher.Options {
	i.t.Helper()
	var o publisher.Options
	for _, n := range i.nodes[:max(1, len(i.nodes)-1)] {
		one := publisherOptions(i.t, n.URL())
		one.Brokers = append(o.Brokers, one.Brokers...)
		o = one
	}
	for b := range o.Brokers {
		o.Brokers[b].User, o.Brokers[b].Password = i.user, password("secret")
	}
	o.TransientQuorum = i.mode.layout.Quorum
	o.ConfirmTimeout = 10 * time.Second // the default: a cluster is slow while it loses a node
	return o
}

// agentAt is the number of the node that the agent is connected to.
func (i *incident) agentAt() int {
	i.t.Helper()
	session := i.agent.awaits(publisher.Ready)
	if string(session.Listening) != i.mode.name {
		i.t.Fatalf("the agent listens by %q, not by %q", session.Listening, i.mode.name)
	}
	address := session.Broker
	at := slices.IndexFunc(i.nodes, func(n *rabbitmq.Broker) bool { return n.Addr() == address })
	if at < 0 {
		i.t.Fatalf("the agent is connected to %q, which is none of the nodes", address)
	}
	return at
}

// works waits until the scheduler has received a new report of the agent.
func (i *incident) works() {
	i.t.Helper()
	i.volumes++
	i.agent.offer(1000 + i.volumes)
	want := fmt.Sprint(1000 + i.volumes)
	process.Await(i.t, recovery, "a report of the agent", func() error {
		if !slices.ContainsFunc(i.scheduler.Reports(), func(r cindertest.Report) bool { return r.Value("total_volumes") == want }) {
			return fmt.Errorf("there is none; the agent is %+v", i.agent.Status())
		}
		return nil
	})
}

// logs waits until the agent's log has a text.
func (i *incident) logs(text string) {
	i.t.Helper()
	process.Await(i.t, pollBound, "the reason in the log", func() error {
		if !strings.Contains(i.agent.log.String(), text) {
			return fmt.Errorf("%q is not there; the session is %+v", text, i.agent.Status().Session)
		}
		return nil
	})
}

// openChannels counts the agent's channels.
func (i *incident) openChannels() int {
	i.t.Helper()
	return strings.Count(i.ctl("--no-table-headers", "list_channels", "user"), i.user)
}

// recovers waits until the agent works with as many channels as before the fault.
func (i *incident) recovers() {
	i.t.Helper()
	i.works()
	process.Await(i.t, recovery, "no more channels than before", func() error {
		if n := i.openChannels(); n != i.channels {
			return fmt.Errorf("the agent has %d, and had %d", n, i.channels)
		}
		return nil
	})
}

// undisturbed waits until every report of the cinder-volume since a tally is confirmed and
// none was refused, and logs how many there were and how long it took.
func (i *incident) undisturbed(since cindertest.Tally) {
	i.t.Helper()
	var c cindertest.Tally
	process.Await(i.t, recovery, "confirmations of all reports", func() error {
		if c = i.service.Count(since); c.Sent == 0 || c.Acked+c.Nacked != c.Sent {
			return fmt.Errorf("%+v", c)
		}
		return nil
	})
	if c.Nacked > 0 {
		i.t.Errorf("the broker refused reports of cinder-volume: %+v", c)
	}
	i.t.Logf("reports of cinder-volume: %d, all confirmed, the slowest after %s", c.Acked, c.Longest.Round(time.Millisecond))
}

// leavesNothing stops the agent and waits until the broker has nothing of it.
func (i *incident) leavesNothing() {
	i.t.Helper()
	i.agent.stop()
	process.Await(i.t, recovery, "nothing of the agent on the broker", func() error {
		for _, q := range i.other.Queues() {
			if !strings.HasPrefix(q.Name, "cinder-scheduler") {
				return fmt.Errorf("there is %+v", q)
			}
		}
		if n := i.openChannels(); n > 0 {
			return fmt.Errorf("there are %d channels", n)
		}
		if strings.Contains(i.ctl("--no-table-headers", "list_connections", "user"), i.user) {
			return errors.New("there is a connection")
		}
		return nil
	})
}
