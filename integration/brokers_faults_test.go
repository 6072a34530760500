//go:build brokers

package integration

import (
	"testing"

	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/rabbitmq"
	"github.com/poolcast/poolcast/publisher"
)

// fault is something that an operator or a broker does to the agent.
type fault struct {
	name   string
	inject func(*incident)
	lift   func(*incident)
	state  publisher.SessionState // while it lasts
	reason string                 // in the log, in the broker's own words
	// everybody is met by it: other publishers wait, or are gone.
	everybody bool
	modes     []string // that it applies to; nil means all
}

// localFaults concern one virtual host or user, and may happen at the same time.
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
			name: "channellimit", state: publisher.Connecting, reason: "limit of (1)",
			inject: func(i *incident) {
				i.ctl("set_user_limits", i.user, `{"max-channels": 1}`)
				i.closeConnections()
			},
			lift: func(i *incident) { i.ctl("clear_user_limits", i.user, "max-channels") },
		}, {
			name: "queuelimit", state: publisher.Connecting, reason: "queue limit", modes: []string{"exclusive", "quorum"},
			inject: func(i *incident) {
				i.ctl("set_vhost_limits", "-p", i.vhost, `{"max-queues": 1}`)
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
			name: "vhostdeleted", state: publisher.Connecting, reason: "not found", everybody: true,
			inject: func(i *incident) { i.ctl("delete_vhost", i.vhost) },
			lift: func(i *incident) {
				i.other.VHosts(i.t, i.vhost)
				i.allow()
				i.scheduler = cindertest.StartScheduler(i.t, i.other.URL(), i.mode.layout)
			},
		},
	}
}

// alarms concern the whole broker.
func alarms() []fault {
	return []fault{
		{
			name: "memoryalarm", state: publisher.Blocked, reason: "memory", everybody: true,
			inject: func(i *incident) { i.other.Block() },
			lift:   func(i *incident) { i.other.Unblock() },
		}, {
			name: "diskalarm", state: publisher.Blocked, reason: "disk", everybody: true,
			inject: func(i *incident) { i.ctl("set_disk_free_limit", "1000000000000000") },
			lift:   func(i *incident) { i.ctl("set_disk_free_limit", "50MB") },
		},
	}
}

// closeConnections ends the agent's connections.
func (i *incident) closeConnections() {
	i.t.Helper()
	i.ctl("close_all_user_connections", i.user, "closed by an operator")
}

// testFault lets a fault happen to an agent, and ends it.
func testFault(t *testing.T, nodes []*rabbitmq.Broker, mode listenMode, f fault) {
	i := newIncident(t, nodes, mode)
	before := i.service.Count(cindertest.Tally{})
	f.inject(i)
	i.agent.offer(1)
	i.agent.awaits(f.state)
	i.logs(f.reason)
	if !f.everybody {
		i.undisturbed(before)
	}
	f.lift(i)
	i.recovers()
	if f.name != "vhostdeleted" { // with which unconfirmed reports were lost
		i.undisturbed(before)
	}
	i.leavesNothing()
}
