package config

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// Bus is the message bus that cinder-volume and cinder-scheduler share.
type Bus struct {
	Brokers     []Broker // at least one, in the order of transport_url
	VirtualHost string   // never empty: / if the URL names none
	// Exchange is control_exchange, which scopes topic queues. A fanout
	// exchange is not named after it.
	Exchange string

	TLS         BusTLS
	LoginMethod string        // PLAIN, AMQPLAIN or EXTERNAL
	Heartbeat   time.Duration // 0: as the broker proposes
	Failover    string        // round-robin or shuffle
	Retry       Retry
	// TransientQuorum is rabbit_transient_quorum_queue.
	TransientQuorum bool
}

// Broker is one host of transport_url, with the account that is valid there.
type Broker struct {
	Host     string // without brackets
	Port     int    // 5672 if the URL names none, TLS or not
	Username string // guest if the URL names none
	Password Secret
}

// BusTLS is how connections to the brokers are encrypted.
type BusTLS struct {
	Enabled  bool
	CAFile   string
	CertFile string
	KeyFile  string
	// VerifyHostname is whether the certificate must name the broker.
	// oslo.messaging asks for that only with a ssl_ca_file. Who signed it is
	// verified in any case (amqp/transport.py, _wrap_socket_sni).
	VerifyHostname bool
}

// Retry is how long to wait before connecting again.
type Retry struct {
	Delay    time.Duration // kombu_reconnect_delay: after a loss
	Interval time.Duration // rabbit_retry_interval: after a first failure
	Backoff  time.Duration // rabbit_retry_backoff: what each further one adds
	Max      time.Duration // rabbit_interval_max
}

func (r *reader) bus() Bus {
	def := r.scopeOf(sectionDefault)
	b := Bus{Exchange: def.text("control_exchange").v}
	def.transport(&b)
	s := r.scopeOf(sectionRabbit)
	b.TLS = s.busTLS()
	b.LoginMethod = s.text("rabbit_login_method").v
	b.Heartbeat = max(0, seconds(s.integer("heartbeat_timeout_threshold").v))
	b.Failover = s.text("kombu_failover_strategy").v
	b.Retry = Retry{
		Delay:    time.Duration(s.number("kombu_reconnect_delay").v * float64(time.Second)),
		Interval: seconds(s.integer("rabbit_retry_interval").v),
		Backoff:  seconds(s.integer("rabbit_retry_backoff").v),
		Max:      seconds(s.integer("rabbit_interval_max").v),
	}
	b.TransientQuorum = s.boolean("rabbit_transient_quorum_queue").v
	return b
}

// seconds saturates, so that an absurd number stays a long time.
func seconds(n int) time.Duration {
	const most = int(1 << 31)
	return time.Duration(min(max(n, -most), most)) * time.Second
}

func (s scope) busTLS() BusTLS {
	t := BusTLS{
		Enabled:  s.boolean("ssl").v,
		CAFile:   s.text("ssl_ca_file").v,
		CertFile: s.text("ssl_cert_file").v,
		KeyFile:  s.text("ssl_key_file").v,
	}
	if t.KeyFile != "" && t.CertFile == "" {
		s.record.fault(s.subject(s.text("ssl_key_file").at, "ssl_key_file"), "Write ssl_cert_file too, or remove the key.",
			errors.New("stands alone: there is no ssl_cert_file for it"))
	}
	t.VerifyHostname = t.Enabled && t.CAFile != "" && s.boolean("ssl_enforce_hostname_verification").v
	return t
}

// transport reads transport_url and lays its query over
// [oslo_messaging_rabbit] (oslo_messaging/_drivers/common.py,
// ConfigOptsProxy).
func (s scope) transport(b *Bus) {
	raw := s.secret("transport_url")
	if raw.bad {
		return
	}
	at := s.subject(raw.at, "transport_url")
	const hint = "Write rabbit://user:password@host:port,…/virtual_host, with %2F for /, %40 for @ and so on in names and passwords."
	url, err := parseTransportURL(raw.v.Reveal())
	if err != nil {
		s.record.fault(at, hint, err)
		return
	}
	b.Brokers, b.VirtualHost = url.brokers, url.virtualHost
	if url.portless {
		s.record.note(at, Warning{
			Message: "has a host with a colon and no port after it, which is taken for port 5672", Cinder: "takes 5672 too, or refuses the URL with an older oslo.messaging",
			Hint: "Write host:5672.",
		})
	}
	if !raw.set {
		s.legacyBroker()
	}
	if url.mixed {
		s.record.warn(at, "logs in as guest to the hosts that have no user and password", "warns of it and does the same")
	}
	laid := map[string]found{}
	for _, name := range slices.Sorted(maps.Keys(url.query)) {
		if _, known := s.catalog[sectionRabbit][name]; !known && !otherRabbit()[name] {
			s.record.fault(at, "Leave it out.", errors.New("has an option in its query that oslo.messaging does not know"+nearHint(name, s.catalog[sectionRabbit])))
			continue
		}
		laid[name] = found{text: url.query[name], at: raw.at, quoted: true, literal: true, secret: true}
	}
	s.overrides[sectionRabbit] = laid
}

// legacyBroker finds the options that named the broker before transport_url did.
// oslo.messaging no longer reads them.
func (s scope) legacyBroker() {
	for _, section := range []string{sectionRabbit, sectionDefault} {
		for _, name := range []string{"rabbit_hosts", "rabbit_host"} {
			values := s.find(&Option{Name: name}, section)
			if len(values) == 0 {
				continue
			}
			last := values[len(values)-1]
			s.record.note(subject{last.at, section, name}, Warning{
				Message: "is not read, and transport_url is missing, so the broker is localhost:5672 with the account guest",
				Cinder:  "does not read it either", Serious: true,
				Hint: "Write transport_url = rabbit://USER:PASSWORD@" + legacyHosts(last.text) + "/VIRTUAL_HOST into [DEFAULT].",
			})
			return
		}
	}
}

// legacyHosts joins hosts as transport_url has them.
func legacyHosts(text string) string {
	hosts := parseList(text)
	for i, host := range hosts {
		if strings.ContainsAny(host, "@/ \t\"'") || host == "" {
			return "HOST:5672"
		}
		if !strings.Contains(host, ":") {
			hosts[i] += ":5672"
		}
	}
	return strings.Join(hosts, ",USER:PASSWORD@")
}

// otherSources finds what oslo.config would read from elsewhere.
func (r *reader) otherSources() {
	for _, o := range []struct{ name, did, cinder, hint string }{
		{"config_source", "names sources that poolcast does not read", "takes options from them that are not in these files", "Write what poolcast needs of them (transport_url, host, san_ip, tokens) into a file, and name it with --config-file."},
		{"config_dir", "is not read in a file", "takes it from its command line alone", "Give poolcast the flag --config-dir as cinder-volume has it."},
		{"config_file", "is not read in a file", "takes it from its command line alone", "Give poolcast the flag --config-file as cinder-volume has it."},
	} {
		values := r.find(&Option{Name: o.name}, sectionDefault)
		if len(values) == 0 || strip(values[len(values)-1].text) == "" {
			continue
		}
		at := subject{values[len(values)-1].at, sectionDefault, o.name}
		r.record.note(at, Warning{Message: o.did, Cinder: o.cinder, Hint: o.hint})
	}
}

func nearHint(name string, options map[string]*Option) string {
	if near := nearest(name, slices.Sorted(maps.Keys(options))); near != "" {
		return " (is it " + near + "?)"
	}
	return ""
}

// otherRabbit names the options of [oslo_messaging_rabbit] that have no effect
// here, such as those for the queues that Cinder's services declare, so that they
// are not taken for mistakes.
func otherRabbit() map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(`
		rpc_conn_pool_size conn_pool_min_size conn_pool_ttl heartbeat_rate heartbeat_in_pthread
		ssl_version ssl_enforce_fips_mode kombu_reconnect_splay kombu_compression
		kombu_missing_consumer_retry_timeout kombu_reconnect_timeout
		rabbit_quorum_queue rabbit_stream_fanout rabbit_ha_queues
		amqp_durable_queues amqp_auto_delete rabbit_quorum_delivery_limit rabbit_quorum_max_memory_length rabbit_quorum_max_memory_bytes
		rabbit_quroum_max_memory_length rabbit_quroum_max_memory_bytes
		rabbit_transient_queues_ttl rabbit_qos_prefetch_count direct_mandatory_flag
		enable_cancel_on_failover use_queue_manager hostname processname
		rabbit_max_retries rabbit_host rabbit_port rabbit_hosts rabbit_userid rabbit_password
		rabbit_virtual_host fake_rabbit default_notification_exchange
		notification_listener_prefetch_count default_notification_retry_attempts
		notification_persistence rpc_reply_exchange rpc_listener_prefetch_count
		rpc_reply_listener_prefetch_count rpc_reply_retry_attempts
		default_rpc_exchange default_rpc_retry_attempts rpc_retry_delay
		kombu_ssl_version kombu_ssl_keyfile kombu_ssl_certfile kombu_ssl_ca_certs rabbit_use_ssl`) {
		names[name] = true
	}
	return names
}
