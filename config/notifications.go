package config

import "fmt"

// Notifications are the settings of oslo.messaging for notifications, which services
// send with the driver messagingv2 (oslo_messaging/notify/notifier.py).
type Notifications struct {
	// Topics are the names that routing keys begin with; at least one.
	Topics []string
	// Brokers and VirtualHost are those of transport_url in
	// [oslo_messaging_notifications]; without it those of the bus.
	Brokers     []Broker
	VirtualHost string
}

// notifications reads [oslo_messaging_notifications]. Another broker than RabbitMQ is
// a fault only if notifications are to be received.
func (r *reader) notifications(b Bus, explain bool) Notifications {
	s := r.scopeOf(sectionNotifications)
	n := Notifications{Topics: s.list("topics").v, Brokers: b.Brokers, VirtualHost: b.VirtualHost}
	raw := s.secret("transport_url")
	if raw.bad || !raw.set || raw.v.IsZero() {
		return n
	}
	url, err := parseTransportURL(raw.v.Reveal())
	switch {
	case err == nil:
		n.Brokers, n.VirtualHost = url.brokers, url.virtualHost
	case explain:
		s.record.fault(raw.where, "Write explain_failures = false into [poolcast], or the URL of a RabbitMQ here.",
			fmt.Errorf("cannot be used for explain_failures: it %w", err))
	}
	return n
}
