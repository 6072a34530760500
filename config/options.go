package config

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Kind is the type of an option's value.
type Kind uint8

// The kinds. All but the last seven are oslo.config's own.
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
	Limits      // two whole numbers
	Percentages // two thresholds: warning and critical
	Latencies   // two thresholds, as durations
)

// String names the kind as the reference page does.
func (k Kind) String() string {
	names := [...]string{"string", "boolean", "integer", "number", "list", "dictionary", "JSON object", "duration", "command", "path", "limits", "two percentages", "two durations"}
	if int(k) < len(names) {
		return names[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Alias is an older name of an option.
type Alias struct{ Section, Name string }

// Option describes one option. Reading, suggestions ("did you mean"), flags and the
// reference page are made from it.
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
	// keepsComment is whether a comment after the value stays part of it, as in
	// Cinder: the scheduler and cinder-volume use the value with the comment, so
	// poolcast must use the same.
	keepsComment bool
	NeedsRestart bool // another value takes effect at the next start
	Help         string
}

// SectionBackend means the section of any backend, and [backend_defaults].
const SectionBackend = "<backend>"

const (
	sectionDefault       = "DEFAULT"
	sectionShared        = "backend_defaults"
	sectionRabbit        = "oslo_messaging_rabbit"
	sectionPoolcast      = "poolcast"
	sectionNotifications = "oslo_messaging_notifications"

	keyExtraCapabilities = "extra_capabilities"
	// keyCHAP is not read. Published examples have it on one line with options
	// that are.
	keyCHAP = "use_chap_auth"
)

// Options describes every option poolcast reads, in the order of the reference
// page. The slice is the caller's.
func Options() []Option {
	var all []Option
	restart := (Agent{}).restartSettings()
	for _, part := range []struct {
		section string
		options []Option
	}{
		{sectionPoolcast, agentOptions()},
		{SectionBackend, backendOptions()},
		{sectionDefault, defaultOptions()},
		{sectionRabbit, rabbitOptions()},
		{sectionNotifications, notificationOptions()},
	} {
		for _, o := range part.options {
			o.Section = part.section
			o.NeedsRestart = part.section == sectionPoolcast && slices.ContainsFunc(restart, func(s setting) bool { return s.name == o.Name })
			all = append(all, o)
		}
	}
	return all
}

// AgentOptions describes the options of [poolcast], which flags can set too.
func AgentOptions() []Option {
	return slices.DeleteFunc(Options(), func(o Option) bool { return o.Section != sectionPoolcast })
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

// names lists the options of a section, sorted.
func (c catalog) names(section string) []string { return slices.Sorted(maps.Keys(c[section])) }

// in finds an option as oslo.config does: [DEFAULT] has its own options and
// Cinder's common volume options, any other unknown section is a backend.
func (c catalog) in(section, name string) (*Option, bool) {
	switch section {
	case sectionDefault:
		if o, ok := c[sectionDefault][name]; ok {
			return o, true
		}
		o, ok := c[SectionBackend][name]
		return o, ok && inDefaultSection(name)
	case sectionRabbit, sectionPoolcast, sectionNotifications:
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
		{Name: "volume_driver", Kind: String, Default: "cinder.volume.drivers.lvm.LVMVolumeDriver", Help: "Driver class; only backends with a Pure Storage driver are served."},
		{Name: "volume_backend_name", Kind: String, keepsComment: true, Help: "Name of the logical pool; several backends can share one. Default: the driver's class name."},
		{Name: "san_ip", Kind: String, Help: "Address of the array's management interface: host or host:port."},
		{Name: "pure_api_token", Kind: String, Secret: true, Help: "REST API token of the array."},
		{Name: "backend_host", Kind: String, keepsComment: true, Help: "Host part of the backend's id, instead of [DEFAULT] host. Not read from [backend_defaults]."},
		{Name: "backend_availability_zone", Kind: String, keepsComment: true, Help: "Availability zone, instead of [DEFAULT] storage_availability_zone."},
		{Name: keyExtraCapabilities, Kind: JSON, Default: "{}", Help: "Capabilities of your own; they override measured ones of the same name."},
		{Name: "reserved_percentage", Kind: Int, Default: "0", Min: "0", Max: "100", Help: "Percentage of the capacity that the scheduler keeps free."},
		{Name: "max_over_subscription_ratio", Kind: String, Default: "20.0", Help: "Highest ratio of provisioned to physical capacity: auto, or a number of at least 1."},
		{Name: "pure_automatic_max_oversubscription_ratio", Kind: Bool, Default: "true", Help: "Use the array's total reduction as the ratio while it is below 100."},
		{Name: "filter_function", Kind: String, keepsComment: true, Help: "Condition for DriverFilter. Default: the value of [DEFAULT]."},
		{Name: "goodness_function", Kind: String, keepsComment: true, Help: "Score from 0 to 100 for GoodnessWeigher. Default: the value of [DEFAULT]."},
		{Name: "driver_ssl_cert_verify", Kind: Bool, Default: "false", Help: "Verify the array's certificate."},
		{Name: "driver_ssl_cert_path", Kind: Path, Help: "Certificates that poolcast trusts: a PEM file or a folder of PEM files. cinder-volume with py-pure-client 1.96 trusts only the system's certificates."},
		{Name: "pure_nvme_transport", Kind: String, Default: "roce", Choices: []string{"roce", "tcp"}, Help: "Transport of PureNVMEDriver."},
		{Name: "replication_device", Kind: Dict, Secret: true, Multi: true, Help: "Replication partner: backend_id:…,san_ip:…,api_token:…,type:async|sync. Other names have no effect here."},
		{Name: "pure_trisync_enabled", Kind: Bool, Default: "false", Help: "Replicate to one partner synchronously and to another one asynchronously."},
	}, ownBackendOptions()...)
}

// ownBackendOptions are poolcast's own options in the section of a backend. Cinder
// ignores them.
func ownBackendOptions() []Option {
	return []Option{
		{Name: "token_file", Kind: Path, Help: "File with the array's API token, instead of pure_api_token; read again when it changes."},
		{Name: "token_command", Kind: Command, Help: "Program that prints the array's API token, instead of pure_api_token. It is started without a shell; its environment has the variables for PATH, HOME, locale, certificates and proxies only. Write env NAME=VALUE before it for others."},
		{Name: "live_capabilities", Kind: List, Help: "Keys of extra_capabilities that measured values replace: avg_latency_ms, avg_throughput_mbps, dedupe_ratio, or any measured key. Default: the list of [poolcast]."},
		{Name: "load_class_limits", Kind: Limits, Help: "Limits of load_class for this backend. Default: those of [poolcast]."},
	}
}

// defaultOptions are read from [DEFAULT].
func defaultOptions() []Option {
	return []Option{
		{Name: "enabled_backends", Kind: List, Help: "Sections of the backends to serve."},
		{Name: "host", Kind: String, keepsComment: true, Help: "Host part of every backend's id. Default: the host name of the system."},
		{Name: "cluster", Kind: String, keepsComment: true, Help: "Cluster part of every backend's id, for active-active."},
		{Name: "storage_availability_zone", Kind: String, keepsComment: true, Default: "nova", Help: "Availability zone of backends without backend_availability_zone, and of requests without a zone if default_availability_zone is not set."},
		{Name: "default_availability_zone", Kind: String, keepsComment: true, Help: "Availability zone of requests without a zone. The file of the API host counts in the cloud, and this one in poolcast."},
		{Name: "allow_availability_zone_fallback", Kind: Bool, Default: "false", Help: "A request for an unknown zone gets the zone of requests without a zone, and is not refused."},
		{Name: "cloned_volume_same_az", Kind: Bool, Default: "true", Help: "A volume from a snapshot or from another volume must be in the zone of its source."},
		{Name: "snapshot_same_host", Kind: Bool, Default: "true", Help: "A volume from a snapshot must be on the backend of the snapshot."},
		{Name: "default_volume_type", Kind: String, Default: "__DEFAULT__", Help: "Volume type of requests without one, if the file of --types has it. The file of the API host counts in the cloud."},
		{Name: "backend_stats_polling_interval", Kind: Int, Default: "60", Min: "3", Help: "Seconds between the reports of cinder-volume, and between those of poolcast unless poll_interval is set."},
		{Name: "periodic_interval", Kind: Int, Default: "60", Help: "Seconds between the looks of cinder-volume for due tasks: it reports no more often, whatever backend_stats_polling_interval is."},
		{Name: "transport_url", Kind: String, Default: "rabbit://", Secret: true, Help: "The message bus: rabbit://user:password@host:port,…/virtual_host?option=value."},
		{Name: "control_exchange", Kind: String, Default: "openstack", Help: "Exchange of Cinder's topic queues."},
		{Name: "scheduler_default_filters", Kind: List, Default: "AvailabilityZoneFilter,CapacityFilter,CapabilitiesFilter", Help: "Filters of the scheduler, in order."},
		{Name: "scheduler_default_weighers", Kind: List, Default: "CapacityWeigher", Help: "Weighers of the scheduler."},
		{Name: "scheduler_weight_handler", Kind: String, Default: "cinder.scheduler.weights.OrderedHostWeightHandler", Help: "How the scheduler selects a pool after weighing."},
		{Name: "capacity_weight_multiplier", Kind: Float, Default: "1.0", Help: "Multiplier of CapacityWeigher; a negative number prefers full pools."},
		{Name: "allocated_capacity_weight_multiplier", Kind: Float, Default: "-1.0", Help: "Multiplier of AllocatedCapacityWeigher; a positive number prefers full pools."},
		{Name: "volume_number_multiplier", Kind: Float, Default: "-1.0", Help: "Multiplier of VolumeNumberWeigher; a positive number prefers pools with many volumes."},
		{Name: "state_path", Kind: Path, Default: "/var/lib/cinder", Help: "Read only if another value contains $state_path."},
	}
}

// inDefaultSection reports whether Cinder registers a backend option in [DEFAULT]
// too (cinder/volume/driver.py, volume_opts). A backend inherits only the two
// functions from there.
func inDefaultSection(name string) bool {
	switch name {
	case "volume_backend_name", "backend_availability_zone", "reserved_percentage",
		"max_over_subscription_ratio", "filter_function", "goodness_function",
		"driver_ssl_cert_verify", "driver_ssl_cert_path", "replication_device":
		return true
	}
	return false
}

// rabbitOptions are those options of [oslo_messaging_rabbit] that have an effect on
// a publisher (oslo_messaging/_drivers/impl_rabbit.py and amqp.py).
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
		{Name: "ssl_ca_file", Kind: Path, Aliases: renamed("kombu_ssl_ca_certs"), Help: "Certificates to trust. Default: those of the system."},
		{Name: "ssl_cert_file", Kind: Path, Aliases: renamed("kombu_ssl_certfile"), Help: "Client certificate."},
		{Name: "ssl_key_file", Kind: Path, Aliases: renamed("kombu_ssl_keyfile"), Help: "Key of the client certificate. Default: ssl_cert_file contains it."},
		{Name: "ssl_enforce_hostname_verification", Kind: Bool, Default: "true", Help: "Verify the broker's name against its certificate when ssl_ca_file is set. In oslo.messaging the default depends on the release: older ones, such as that of Debian 12, do not verify it."},
		{Name: "heartbeat_timeout_threshold", Kind: Int, Default: "60", Help: "Seconds without data after which the connection is closed; 0: as the broker proposes."},
		{Name: "rabbit_login_method", Kind: String, Default: "AMQPLAIN", Choices: []string{"PLAIN", "AMQPLAIN", "EXTERNAL"}, Aliases: []Alias{{Section: sectionDefault, Name: "rabbit_login_method"}}, Help: "SASL mechanism."},
		{Name: "kombu_failover_strategy", Kind: String, Default: "round-robin", Choices: []string{"round-robin", "shuffle"}, Help: "Order in which several brokers are tried: one random order for all attempts (round-robin), or a new one for each (shuffle)."},
		{Name: "kombu_reconnect_delay", Kind: Float, Default: "1.0", Min: "0.0", Max: "4.5", Aliases: []Alias{{Section: sectionDefault, Name: "kombu_reconnect_delay"}}, Help: "Seconds to wait after a lost connection or consumer; half of it is random."},
		{Name: "rabbit_retry_interval", Kind: Int, Default: "1", Min: "1", Help: "Seconds to wait after all brokers have failed; half of it is random."},
		{Name: "rabbit_retry_backoff", Kind: Int, Default: "2", Min: "0", Aliases: []Alias{{Section: sectionDefault, Name: "rabbit_retry_backoff"}}, Help: "Seconds that each further failure adds to that wait."},
		{Name: "rabbit_interval_max", Kind: Int, Default: "30", Min: "1", Help: "Maximum of that wait, in seconds; at most 30."},
		{Name: "rabbit_transient_quorum_queue", Kind: Bool, Default: "false", Help: "Receive through a quorum queue, as Cinder's services then do, unless the schedulers use a stream."},
		{Name: "rabbit_quorum_queue", Kind: Bool, Default: "false", Help: "Receive notifications through a quorum queue, as Cinder's services declare their queues then. Used by explain_failures."},
	}
}

// notificationOptions are read for explain_failures alone
// (oslo_messaging/notify/notifier.py).
func notificationOptions() []Option {
	return []Option{
		{Name: "topics", Kind: List, Default: "notifications", Help: "Topics of the notifications that cinder-scheduler sends. Used by explain_failures."},
		{Name: "transport_url", Kind: String, Secret: true, Help: "The broker of the notifications, if it is another one. Used by explain_failures. Default: the value of [DEFAULT]."},
	}
}

// agentOptions are poolcast's own, in [poolcast].
func agentOptions() []Option {
	return []Option{
		{Name: "poll_interval", Kind: Duration, Min: "3s", Max: "1h", Help: "Time between two polls of an array, in seconds or as 15s, 2m. Default: backend_stats_polling_interval."},
		{Name: "poll_timeout", Kind: Duration, Min: "1s", Help: "Maximum duration of a poll; shorter than poll_interval. Default: four fifths of poll_interval, at most 30s."},
		{Name: "stale_after", Kind: Duration, Min: "3s", Help: "Age at which a sample is stale; at least poll_interval. Default: three times poll_interval."},
		{Name: "on_stale", Kind: String, Default: "keep", Choices: []string{"keep", "down", "drop"}, Help: "What to publish for an array whose sample is stale: keep leaves cinder-volume's report as it is, down reports the backend down, drop reports no free capacity."},
		{Name: "overlay", Kind: Bool, Default: "true", Help: "Publish the reports of cinder-volume with measured values in them. If false, publish complete reports of poolcast's own, except for backends that a cinder-volume reports too."},
		{Name: "fix_provisioned_capacity", Kind: Bool, Default: "false", Help: "Add provisioned_capacity_gb if cinder-volume's report lacks it. This changes scheduling on older releases."},
		{Name: "notify_service_capabilities", Kind: Bool, Default: "false", Help: "Also send the notification for telemetry. cinder-volume sends it already."},
		{Name: "explain_failures", Kind: Bool, Default: "false", Help: "Receive the error notifications of cinder-scheduler, and explain each failed create in the log, on the status page, at /v1/failures and in a metric. The scheduler must send them: driver = messagingv2 in its [oslo_messaging_notifications]."},
		{Name: "live_capabilities", Kind: List, Help: "Keys of extra_capabilities that measured values replace, for backends without a list of their own."},
		{Name: "load_history", Kind: Bool, Default: "false", Help: "Report the 90th percentile of the last hour's load and latencies, and load_class. Conditions of volume types on these do not change with every sample. poll_interval must be at most 5m."},
		{Name: "load_class_limits", Kind: Limits, Default: "30,70", Help: "Limits of load_class in percent, for backends without their own: a load below the first is low, above the second high. The class changes where the load has been 5 points beyond a limit for ten minutes."},
		{Name: "load_thresholds", Kind: Percentages, Default: "70,90", Help: "load_percent from which the status page marks an array with warning, and with critical."},
		{Name: "latency_thresholds", Kind: Latencies, Default: "2ms,5ms", Help: "Latency of reads, or of writes, from which the status page marks an array with warning, and with critical."},
		{Name: "used_thresholds", Kind: Percentages, Default: "80,90", Help: "Percentage of the capacity in use from which the status page marks an array with warning, and with critical."},
		{Name: "virtual_free_thresholds", Kind: Percentages, Default: "10,5", Help: "Virtual free capacity, in percent of (total - reserved) x ratio, at or below which the status page marks an array with warning, and with critical. CapacityFilter refuses volumes larger than what is left."},
		{Name: "log_level", Kind: String, Default: "info", Choices: []string{"trace", "debug", "info", "warn", "error"}, Help: "Lowest level that is logged."},
		{Name: "log_format", Kind: String, Default: "text", Choices: []string{"text", "json"}, Help: "Format of the log."},
		{Name: "listen", Kind: String, Default: "127.0.0.1:9748", Help: "Address for metrics, health and the status page, or off. Any address other than loopback needs TLS and a bearer token."},
		{Name: "tls_cert_file", Kind: Path, Help: "TLS certificate for that address."},
		{Name: "tls_key_file", Kind: Path, Help: "Key of the certificate."},
		{Name: "bearer_token_file", Kind: Path, Help: "File with the bearer token that clients of that address must send."},
		{Name: "volume_types", Kind: Path, Help: "File with the volume types that the status page and /v1/place offer: the output of openstack volume type list --long -f json. It is read again when it changes."},
	}
}
