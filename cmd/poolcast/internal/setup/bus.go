package setup

import (
	"cmp"
	"strings"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
)

// BusOptions are the settings of the message bus for the publisher.
func BusOptions(cfg *config.Config, log zerolog.Logger) publisher.Options {
	bus := cfg.Bus
	o := publisher.Options{
		VirtualHost: bus.VirtualHost, LoginMethod: bus.LoginMethod, Heartbeat: bus.Heartbeat,
		Shuffle:        bus.Failover == "shuffle",
		ReconnectDelay: bus.Retry.Delay, RetryInterval: bus.Retry.Interval,
		RetryBackoff: bus.Retry.Backoff, RetryMax: bus.Retry.Max,
		TransientQuorum:        bus.TransientQuorum,
		ControlExchange:        bus.Exchange,
		Interval:               cfg.Agent.PollInterval,
		StatsInterval:          cfg.ReportInterval(),
		Standalone:             !cfg.Agent.Overlay,
		FixProvisionedCapacity: cfg.Agent.FixProvisionedCapacity,
		Notify:                 cfg.Agent.NotifyServiceCapabilities,
		Logger:                 log,
	}
	o.Brokers = brokers(bus.Brokers)
	if bus.TLS.Enabled {
		o.TLS = &publisher.TLS{
			CAFile: bus.TLS.CAFile, CertFile: bus.TLS.CertFile,
			KeyFile: cmp.Or(bus.TLS.KeyFile, bus.TLS.CertFile), // one PEM file may hold both, as for Python
			AnyName: !bus.TLS.VerifyHostname,
		}
	}
	return o
}

func brokers(list []config.Broker) (out []publisher.Broker) {
	for _, b := range list {
		out = append(out, publisher.Broker{Host: b.Host, Port: b.Port, User: b.Username, Password: b.Password})
	}
	return out
}

// FailureOptions are the settings for the notifications of the schedulers.
func FailureOptions(cfg *config.Config, log zerolog.Logger) publisher.FailureOptions {
	n := cfg.Bus.Notifications
	o := publisher.FailureOptions{Options: BusOptions(cfg, log), Topics: n.Topics, Quorum: cfg.Bus.QuorumQueues}
	o.Brokers, o.VirtualHost = brokers(n.Brokers), n.VirtualHost
	return o
}

// SessionText describes the state of the session with the message bus.
func SessionText(s publisher.Session) string {
	switch s.State {
	case publisher.Connecting:
		return strings.TrimSuffix("not connected to RabbitMQ: "+s.Detail, ": ")
	case publisher.NoExchange:
		return "the exchange cinder-scheduler_fanout does not exist, so no scheduler runs"
	case publisher.NoScheduler:
		return "no scheduler runs"
	}
	return "the scheduler runs, and no cinder-volume reported"
}
