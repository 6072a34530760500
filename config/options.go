package config

import (
	"strconv"
	"strings"
)

// Kind is the type of an option's value.
type Kind uint8

// The kinds. All but the last four are oslo.config's own.
const (
	String Kind = iota
	Bool
	Int
	Float
	List
	Dict // key:value pairs between commas
	JSON // an object
	Duration
	Command // program and arguments, split as a shell would
	Path
)

// String names the kind as the reference page does.
func (k Kind) String() string {
	names := [...]string{"string", "boolean", "integer", "number", "list", "dictionary", "JSON object", "duration", "command", "path"}
	if int(k) < len(names) {
		return names[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Alias is an older name of an option.
type Alias struct{ Section, Name string }

// Option describes one option: it drives the reading, the "did you mean", the
// flags of the same name and the reference page.
type Option struct {
	Section string // DEFAULT, oslo_messaging_rabbit, poolcast, or SectionBackend
	Name    string
	Kind    Kind
	Default string // as it would be written; "" if there is none
	Min     string // smallest value; "" if there is none
	Max     string
	Choices []string
	Aliases []Alias
	Secret  bool
	Multi   bool // each occurrence adds a value
	// KeepsComment keeps a comment after the value, as Cinder does: the scheduler or
	// cinder-volume goes by the value, so another one would be about another
	// cloud.
	KeepsComment bool
	NeedsRestart bool // another value takes effect at the next start
	Help         string
}

// SectionBackend stands for the section of any backend, and for
// [backend_defaults] behind it.
const SectionBackend = "<backend>"

const (
	sectionDefault  = "DEFAULT"
	sectionShared   = "backend_defaults"
	sectionRabbit   = "oslo_messaging_rabbit"
	sectionPoolcast = "poolcast"

	keyExtraCapabilities = "extra_capabilities"
	// keyCHAP is not read. Published examples have it on one line with options
	// that are.
	keyCHAP = "use_chap_auth"
)

// Options describes every option poolcast reads, in the order of the reference
// page. The slice is the caller's.
func Options() []Option {
	var all []Option
	for _, part := range []struct {
		section string
		options []Option
	}{
		{sectionPoolcast, agentOptions()},
		{SectionBackend, backendOptions()},
		{sectionDefault, defaultOptions()},
		{sectionRabbit, rabbitOptions()},
	} {
		for _, o := range part.options {
			o.Section = part.section
			o.NeedsRestart = part.section == sectionPoolcast && needsRestart(o.Name)
			all = append(all, o)
		}
	}
	return all
}

func needsRestart(name string) bool {
	for _, s := range (Agent{}).restartSettings() {
		if s.name == name {
			return true
		}
	}
	return false
}

// AgentOptions describes the options of [poolcast]: those that a flag may set.
func AgentOptions() []Option {
	options := agentOptions()
	for i := range options {
		options[i].Section = sectionPoolcast
	}
	return options
}

// catalog finds options by section and name.
type catalog map[string]map[string]*Option

func newCatalog() catalog {
	c := catalog{}
	for _, o := range Options() {
		if c[o.Section] == nil {
			c[o.Section] = map[string]*Option{}
		}
		c[o.Section][o.Name] = &o
	}
	return c
}

// in finds an option as oslo.config would: [DEFAULT] knows its own options and
// Cinder's common volume options, any other unknown section is a backend.
func (c catalog) in(section, name string) (*Option, bool) {
	switch section {
	case sectionDefault:
		if o, ok := c[sectionDefault][name]; ok {
			return o, true
		}
		o, ok := c[SectionBackend][name]
		return o, ok && inDefaultToo(name)
	case sectionRabbit, sectionPoolcast:
		o, ok := c[section][name]
		return o, ok
	}
	o, ok := c[SectionBackend][name]
	return o, ok
}

// foldSection is oslo.config's _normalize_group_name.
func foldSection(name string) string {
	if name == sectionDefault {
		return name
	}
	return strings.ToLower(name)
}

// backendOptions are read from a backend's section, then [backend_defaults]
// (cinder/volume/configuration.py). Types, defaults and ranges are those of
// cinder/volume/driver.py, manager.py, drivers/san/san.py and drivers/pure.py.
func backendOptions() []Option {
	return append([]Option{
		{Name: "volume_driver", Kind: String, Default: "cinder.volume.drivers.lvm.LVMVolumeDriver", Help: "Driver class; only the Pure Storage ones are served."},
		{Name: "volume_backend_name", Kind: String, KeepsComment: true, Help: "Name of the logical pool; several arrays may share one. The driver's class name if it is missing."},
		{Name: "san_ip", Kind: String, Help: "Address of the array's management interface: host or host:port."},
		{Name: "pure_api_token", Kind: String, Secret: true, Help: "REST API token of the array."},
		{Name: "backend_host", Kind: String, KeepsComment: true, Help: "Host part of the backend's identity, in place of [DEFAULT] host. Not read from [backend_defaults]."},
		{Name: "backend_availability_zone", Kind: String, KeepsComment: true, Help: "Availability zone, in place of [DEFAULT] storage_availability_zone."},
		{Name: keyExtraCapabilities, Kind: JSON, Default: "{}", Help: "Capabilities of your own, laid over the measured ones."},
		{Name: "reserved_percentage", Kind: Int, Default: "0", Min: "0", Max: "100", Help: "Share of the capacity that the scheduler leaves free."},
		{Name: "max_over_subscription_ratio", Kind: String, Default: "20.0", Help: "Provisioned over physical capacity at most: auto, or a number of at least 1."},
		{Name: "pure_automatic_max_oversubscription_ratio", Kind: Bool, Default: "true", Help: "Use the array's total reduction as the ratio while it is below 100."},
		{Name: "filter_function", Kind: String, KeepsComment: true, Help: "Condition for DriverFilter. Falls back to [DEFAULT]."},
		{Name: "goodness_function", Kind: String, KeepsComment: true, Help: "Score from 0 to 100 for GoodnessWeigher. Falls back to [DEFAULT]."},
		{Name: "driver_ssl_cert_verify", Kind: Bool, Default: "false", Help: "Verify the array's certificate."},
		{Name: "driver_ssl_cert_path", Kind: Path, Help: "Certificates that poolcast trusts: a PEM file or a folder of them. cinder-volume with py-pure-client 1.96 trusts the system's certificates alone."},
		{Name: "pure_nvme_transport", Kind: String, Default: "roce", Choices: []string{"roce", "tcp"}, Help: "Transport of PureNVMEDriver."},
		{Name: "replication_device", Kind: Dict, Secret: true, Multi: true, Help: "Replication partner: backend_id:…,san_ip:…,api_token:…,type:async|sync. Other names have no effect here."},
		{Name: "pure_trisync_enabled", Kind: Bool, Default: "false", Help: "Replicate to one partner in sync and to another asynchronously."},
	}, ownBackendOptions()...)
}

// ownBackendOptions are poolcast's, in a backend's section. Cinder does not
// look at them.
func ownBackendOptions() []Option {
	return []Option{
		{Name: "token_file", Kind: Path, Help: "File that holds the array's API token, in place of pure_api_token; read again when it changes."},
		{Name: "token_command", Kind: Command, Help: "Program that prints the array's API token, in place of pure_api_token. No shell is involved, and of the environment it gets PATH, HOME, locale, certificate and proxy variables only; put env NAME=VALUE before it for others."},
		{Name: "live_capabilities", Kind: List, Help: "Keys of extra_capabilities for which the measurement wins: avg_latency_ms, avg_throughput_mbps, dedupe_ratio, or any measured key. Falls back to [poolcast]."},
	}
}

// defaultOptions are read from [DEFAULT].
func defaultOptions() []Option {
	return []Option{
		{Name: "enabled_backends", Kind: List, Help: "Sections of the backends to serve."},
		{Name: "host", Kind: String, KeepsComment: true, Help: "Host part of every backend's identity. The system's host name if it is missing."},
		{Name: "cluster", Kind: String, KeepsComment: true, Help: "Cluster part of every backend's identity, for active-active."},
		{Name: "storage_availability_zone", Kind: String, KeepsComment: true, Default: "nova", Help: "Availability zone of backends that name none."},
		{Name: "backend_stats_polling_interval", Kind: Int, Default: "60", Min: "3", Help: "Seconds between cinder-volume's own reports, and between poolcast's unless poll_interval says otherwise."},
		{Name: "transport_url", Kind: String, Default: "rabbit://", Secret: true, Help: "The message bus: rabbit://user:password@host:port,…/virtual_host?option=value."},
		{Name: "control_exchange", Kind: String, Default: "openstack", Help: "Exchange of Cinder's topic queues."},
		{Name: "scheduler_default_filters", Kind: List, Default: "AvailabilityZoneFilter,CapacityFilter,CapabilitiesFilter", Help: "Filters of the scheduler, in order."},
		{Name: "scheduler_default_weighers", Kind: List, Default: "CapacityWeigher", Help: "Weighers of the scheduler."},
		{Name: "scheduler_weight_handler", Kind: String, Default: "cinder.scheduler.weights.OrderedHostWeightHandler", Help: "How the scheduler picks after weighing."},
		{Name: "capacity_weight_multiplier", Kind: Float, Default: "1.0", Help: "Multiplier of CapacityWeigher; negative stacks."},
		{Name: "allocated_capacity_weight_multiplier", Kind: Float, Default: "-1.0", Help: "Multiplier of AllocatedCapacityWeigher; positive stacks."},
		{Name: "volume_number_multiplier", Kind: Float, Default: "-1.0", Help: "Multiplier of VolumeNumberWeigher; positive stacks."},
		{Name: "state_path", Kind: Path, Default: "/var/lib/cinder", Help: "Read only where another value says $state_path."},
	}
}

// inDefaultToo names the backend options that Cinder registers in [DEFAULT] as
// well (cinder/volume/driver.py, volume_opts). A backend does not inherit them
// from there, except both functions.
func inDefaultToo(name string) bool {
	switch name {
	case "volume_backend_name", "backend_availability_zone", "reserved_percentage",
		"max_over_subscription_ratio", "filter_function", "goodness_function",
		"driver_ssl_cert_verify", "driver_ssl_cert_path", "replication_device":
		return true
	}
	return false
}

// rabbitOptions are those of [oslo_messaging_rabbit] that matter to a
// publisher (oslo_messaging/_drivers/impl_rabbit.py and amqp.py).
func rabbitOptions() []Option {
	renamed := func(names ...string) []Alias {
		aliases := make([]Alias, len(names))
		for i, name := range names {
			aliases[i] = Alias{Section: sectionRabbit, Name: name}
		}
		return aliases
	}
	return []Option{
		{Name: "ssl", Kind: Bool, Default: "false", Aliases: renamed("rabbit_use_ssl"), Help: "Connect over TLS."},
		{Name: "ssl_ca_file", Kind: Path, Aliases: renamed("kombu_ssl_ca_certs"), Help: "Certificates to trust; the system's if it is missing."},
		{Name: "ssl_cert_file", Kind: Path, Aliases: renamed("kombu_ssl_certfile"), Help: "Client certificate."},
		{Name: "ssl_key_file", Kind: Path, Aliases: renamed("kombu_ssl_keyfile"), Help: "Key of the client certificate; in ssl_cert_file if it is missing."},
		{Name: "ssl_enforce_hostname_verification", Kind: Bool, Default: "true", Help: "Verify the broker's name against its certificate when ssl_ca_file is set. In oslo.messaging the default depends on the release: older ones, Debian 12's among them, do not verify it."},
		{Name: "heartbeat_timeout_threshold", Kind: Int, Default: "60", Help: "Seconds of silence after which the broker counts as gone; 0 leaves it to the broker."},
		{Name: "rabbit_login_method", Kind: String, Default: "AMQPLAIN", Choices: []string{"PLAIN", "AMQPLAIN", "EXTERNAL"}, Aliases: []Alias{{Section: sectionDefault, Name: "rabbit_login_method"}}, Help: "SASL mechanism."},
		{Name: "kombu_failover_strategy", Kind: String, Default: "round-robin", Choices: []string{"round-robin", "shuffle"}, Help: "Order in which several brokers are tried: one that is drawn at the start, or another each time."},
		{Name: "kombu_reconnect_delay", Kind: Float, Default: "1.0", Min: "0.0", Max: "4.5", Aliases: []Alias{{Section: sectionDefault, Name: "kombu_reconnect_delay"}}, Help: "Seconds to wait after a connection or a consumer was lost; half of it is chance."},
		{Name: "rabbit_retry_interval", Kind: Int, Default: "1", Min: "1", Help: "Seconds to wait after all brokers were tried in vain; half of it is chance."},
		{Name: "rabbit_retry_backoff", Kind: Int, Default: "2", Min: "0", Aliases: []Alias{{Section: sectionDefault, Name: "rabbit_retry_backoff"}}, Help: "Seconds added to that wait by each further failure."},
		{Name: "rabbit_interval_max", Kind: Int, Default: "30", Min: "1", Help: "Longest such wait, in seconds; never more than 30."},
		{Name: "rabbit_transient_quorum_queue", Kind: Bool, Default: "false", Help: "Listen with a quorum queue, as Cinder's services then do, unless the schedulers have a stream."},
	}
}

// agentOptions are poolcast's own, in [poolcast].
func agentOptions() []Option {
	return []Option{
		{Name: "poll_interval", Kind: Duration, Min: "3s", Max: "1h", Help: "Time between two readings of an array, in seconds or as 15s, 2m. backend_stats_polling_interval if it is missing."},
		{Name: "poll_timeout", Kind: Duration, Min: "1s", Help: "Longest a reading may take; shorter than poll_interval. Four fifths of poll_interval, at most 30s, if it is missing."},
		{Name: "stale_after", Kind: Duration, Min: "3s", Help: "Age at which a reading is stale; at least poll_interval. Three times poll_interval if it is missing."},
		{Name: "on_stale", Kind: String, Default: "keep", Choices: []string{"keep", "down", "drop"}, Help: "What to say of an array that stopped answering: keep Cinder's own report, report it down, or report no free capacity."},
		{Name: "overlay", Kind: Bool, Default: "true", Help: "Publish cinder-volume's reports with the measured numbers in them. Off publishes complete reports of poolcast's own, but not for a backend that a cinder-volume reports too."},
		{Name: "fix_provisioned_capacity", Kind: Bool, Default: "false", Help: "Add provisioned_capacity_gb where cinder-volume's report lacks it. This changes scheduling on older releases."},
		{Name: "notify_service_capabilities", Kind: Bool, Default: "false", Help: "Send the companion message for telemetry too. cinder-volume already does."},
		{Name: "live_capabilities", Kind: List, Help: "Keys of extra_capabilities for which the measurement wins, for every backend that does not say."},
		{Name: "log_level", Kind: String, Default: "info", Choices: []string{"trace", "debug", "info", "warn", "error"}, Help: "Least severe line to log."},
		{Name: "log_format", Kind: String, Default: "text", Choices: []string{"text", "json"}, Help: "Form of a log line."},
		{Name: "listen", Kind: String, Default: "127.0.0.1:9748", Help: "Address for metrics, health and the status page; off for none. Other than loopback needs TLS and a bearer token."},
		{Name: "tls_cert_file", Kind: Path, Help: "Certificate of that address."},
		{Name: "tls_key_file", Kind: Path, Help: "Key of the certificate."},
		{Name: "bearer_token_file", Kind: Path, Help: "File that holds the token which callers of that address must show."},
	}
}
