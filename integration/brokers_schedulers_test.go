//go:build brokers

package integration

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
	"github.com/poolcast/poolcast/publisher"
)

// queueLayout is a section [oslo_messaging_rabbit], and how poolcast listens with it.
type queueLayout struct {
	name      string
	messaging []string
	listening string
	// withoutStreams is how it listens beside a scheduler whose release has no
	// rabbit_stream_fanout.
	withoutStreams string
}

func queueLayouts() []queueLayout {
	return []queueLayout{
		{"defaults", nil, "exclusive", ""},
		{"durable", []string{"amqp_durable_queues = true"}, "exclusive", ""},
		{"quorum", []string{"rabbit_quorum_queue = true", "rabbit_transient_quorum_queue = true"}, "quorum", ""},
		{"stream", []string{
			"rabbit_quorum_queue = true", "rabbit_transient_quorum_queue = true",
			"rabbit_stream_fanout = true", "rabbit_qos_prefetch_count = 50",
		}, "stream", "quorum"},
	}
}

// testSchedulers runs poolcast with a real scheduler of each release in each layout of its
// queues.
func (m *matrix) testSchedulers(t *testing.T, cluster []*rabbitmq.Broker) {
	for _, release := range cinderReleases() {
		t.Run(release, func(t *testing.T) {
			for _, l := range queueLayouts() {
				m.run(t, l.name, true, func(t *testing.T) { m.testScheduler(t, cluster[0], release, l) })
			}
			m.run(t, "changed", true, func(t *testing.T) { m.testChangedLayout(t, cluster[0], release) })
		})
	}
}

func (m *matrix) testScheduler(t *testing.T, b *rabbitmq.Broker, release string, l queueLayout) {
	vhost := strings.ReplaceAll(t.Name(), "/", "-")
	b.VHosts(t, vhost)
	inside := b.In(t, vhost)
	env := newEnvironment(t, threeArrays(t)[:1], inside.TransportURL())
	env.add("[oslo_messaging_rabbit]\n" + strings.Join(l.messaging, "\n") + "\n")
	cinder := scheduler.Start(t, scheduler.Options{
		Broker: inside, Backends: env.backends(), Messaging: l.messaging, Installation: m.installation(t, release),
	})
	host := hostName(env.arrays[0].Name())
	reported := volumeReport(t, env.dryRun()[0])
	cinder.Report(scheduler.Report{Host: host, Capabilities: reported})
	a := env.startAgent()
	a.awaitLog(0, "session", string(publisher.Ready))
	listensBy(t, inside, l.on(release))
	cinder.Report(scheduler.Report{Host: host, Capabilities: reported})
	for frame := range 2 {
		env.setFrame(frame)
		measured := env.dryRun()[0].Capabilities
		awaitCapabilities(t, cinder, host, func(got capability.Set) error { return holds(got, withOverlay(reported, measured)) })
	}
	if got := env.ask("--source", "scheduler", "--availability-zone", zone); got.Chosen != host+"#"+pool || got.Source.Listed != 1 {
		t.Errorf("the scheduler's list has another answer: %+v", got)
	}
	a.finish()
	cinder.Report(scheduler.Report{Host: host, Capabilities: reported})
	awaitCapabilities(t, cinder, host, func(got capability.Set) error {
		if v, there := got[capability.KeyMetricsAgent]; there {
			return fmt.Errorf("metrics_agent is still there: %v", v)
		}
		return holds(got, reported)
	})
	listensBy(t, inside, "")
}

// testChangedLayout changes the settings of the schedulers' queues while poolcast
// runs, as OPERATIONS.md says. A scheduler that finds the exchange of the old
// settings still in use would end.
func (m *matrix) testChangedLayout(t *testing.T, b *rabbitmq.Broker, release string) {
	vhost := strings.ReplaceAll(t.Name(), "/", "-")
	b.VHosts(t, vhost)
	inside := b.In(t, vhost)
	env := newEnvironment(t, threeArrays(t)[:1], inside.TransportURL())
	o := scheduler.Options{Broker: inside, Backends: env.backends(), Installation: m.installation(t, release)}
	old := scheduler.Start(t, o)
	a := env.startAgent()
	a.awaitLog(0, "session", string(publisher.Ready))

	old.Stop()
	ch := rabbitmq.Channel(t, rabbitmq.Dial(t, inside.URL()))
	for _, q := range inside.Queues() {
		if strings.HasPrefix(q.Name, "cinder-scheduler") {
			_, err := ch.QueueDelete(q.Name, false, false, false)
			must(t, err)
		}
	}
	must(t, ch.ExchangeDelete("openstack", false, false))
	o.Messaging = []string{"rabbit_quorum_queue = true", "rabbit_transient_quorum_queue = true"}
	upgraded := scheduler.Start(t, o)
	host := hostName(env.arrays[0].Name())
	a.awaitLog(0, "session", string(publisher.NoScheduler))
	reported := volumeReport(t, env.dryRun()[0])
	process.Await(t, reconnectBound, "poolcast to find the new exchange", func() error {
		last := ""
		for _, line := range a.log() {
			last = cmp.Or(line.text("session"), last)
		}
		if last != string(publisher.Ready) {
			return fmt.Errorf("the session is %s", last)
		}
		return nil
	})
	upgraded.Report(scheduler.Report{Host: host, Capabilities: reported})
	measured := env.dryRun()[0].Capabilities
	awaitCapabilities(t, upgraded, host, func(got capability.Set) error { return holds(got, withOverlay(reported, measured)) })
	a.finish()
}

// on is how poolcast listens beside a release of the scheduler.
func (l queueLayout) on(release string) string {
	if release == "12" && l.withoutStreams != "" {
		return l.withoutStreams
	}
	return l.listening
}

// listensBy waits until the only queue that is not Cinder's is that of a way of listening;
// "" and stream have none.
func listensBy(t *testing.T, b *rabbitmq.Broker, mode string) {
	t.Helper()
	want := map[string]string{"exclusive": "amq.gen-", "quorum": "poolcast."}[mode]
	process.Await(t, pollBound, fmt.Sprintf("poolcast to listen by %q", mode), func() error {
		var stream bool
		var others []string
		for _, q := range b.Queues() {
			switch {
			case q.Name == cindertest.FanoutExchange:
				stream = true
			case !strings.HasPrefix(q.Name, "cinder-scheduler") && !strings.HasPrefix(q.Name, "reply_"):
				others = append(others, q.Name)
			}
		}
		switch {
		case mode == "stream" && !stream:
			return fmt.Errorf("the schedulers have no stream")
		case want == "" && len(others) > 0, want != "" && (len(others) != 1 || !strings.HasPrefix(others[0], want)):
			return fmt.Errorf("there are %v", others)
		}
		return nil
	})
}
