package config

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// checkUnread finds options that are in the files but are not read: every one in
// [poolcast], and elsewhere those with a name similar to one that is read.
func (r *reader) checkUnread(cfg *Config) {
	r.checkEnvironment()
	r.checkOtherSources()
	for _, l := range r.layers {
		r.checkPoolcastSection(l)
		r.checkRabbitSection(l)
		r.checkSharedSection(l)
		r.checkSectionNames(l)
		for _, b := range cfg.Backends {
			r.checkBackendSection(l, b.Stanza)
		}
		for _, b := range cfg.Broken {
			r.checkBackendSection(l, b.Stanza)
		}
	}
	if len(cfg.Backends) > 0 {
		r.checkDefaultSection(cfg)
	}
}

func (r *reader) checkPoolcastSection(l *layer) {
	known := r.catalog.names(sectionPoolcast)
	for _, key := range l.keys(sectionPoolcast) {
		r.refuseUnknown(r.lastOf(l, sectionPoolcast, key), key, known)
	}
}

// checkEnvironment does the same for the environment variables of [poolcast].
func (r *reader) checkEnvironment() {
	known := r.catalog.names(sectionPoolcast)
	for _, name := range slices.Sorted(maps.Keys(r.env)) {
		if key, ours := strings.CutPrefix(name, envName(sectionPoolcast, "")); ours {
			r.refuseUnknown(subject{at: place{file: name}, stanza: sectionPoolcast}, strings.ToLower(key), known)
		}
	}
}

func (r *reader) refuseUnknown(s subject, key string, known []string) {
	if slices.Contains(known, key) {
		return
	}
	hint := "Remove it; the options of poolcast are " + strings.Join(known, ", ") + "."
	r.record.fault(s, didYouMean(key, known, hint), errors.New("is not an option of poolcast"))
}

func (r *reader) checkRabbitSection(l *layer) {
	known, others := r.catalog.names(sectionRabbit), ignoredRabbitOptions()
	for _, key := range l.keys(sectionRabbit) {
		if r.catalog[sectionRabbit][key] == nil && !others[key] {
			r.record.warn(r.lastOf(l, sectionRabbit, key), "is not a known option of oslo.messaging", "ignores it", didYouMean(key, known, ""))
		}
	}
}

func (r *reader) checkSharedSection(l *layer) {
	for _, v := range l.values(sectionShared, "backend_host") {
		r.record.warn(subject{v.at, sectionShared, "backend_host"}, "is ignored in this section", "ignores it here too", "Write it into the section of each backend.")
	}
}

// checkSectionNames finds sections such as [Default], which oslo.config does not
// read as [DEFAULT].
func (r *reader) checkSectionNames(l *layer) {
	for _, s := range l.order {
		if s.name != sectionDefault && strings.EqualFold(strip(s.name), sectionDefault) {
			at := subject{place{file: l.path, line: s.line, rank: l.rank}, s.name, ""}
			r.record.warn(at, "is not the section [DEFAULT], and its options are ignored", "ignores them too", "Write [DEFAULT].")
		}
	}
}

func (r *reader) checkBackendSection(l *layer, stanza string) {
	known := r.catalog.names(SectionBackend)
	for _, key := range l.keys(stanza) {
		if !isName(key) {
			continue
		}
		if hint := didYouMean(key, known, ""); hint != "" {
			r.record.warn(r.lastOf(l, stanza, key), "is not a known option", "ignores it too", hint)
		}
	}
}

// checkDefaultSection finds backend options in [DEFAULT], which have had no effect
// on backends since Ocata.
func (r *reader) checkDefaultSection(cfg *Config) {
	for _, l := range r.layers {
		for _, key := range l.keys(sectionDefault) {
			o, ok := r.catalog[SectionBackend][key]
			if !ok || key == "filter_function" || key == "goodness_function" || key == "backend_host" || r.catalog[sectionDefault][key] != nil {
				continue
			}
			if without := r.backendWithout(o, cfg.Backends); without != "" {
				r.record.warn(r.lastOf(l, sectionDefault, key),
					"has no effect on ["+without+"]", "does not apply it to backends either",
					"Write it into ["+without+"] or into [backend_defaults].")
			}
		}
	}
}

// backendWithout returns a backend that has no value for the option, or "".
func (r *reader) backendWithout(o *Option, backends []Backend) string {
	for _, b := range backends {
		if len(r.find(o, b.Stanza)) == 0 && len(r.find(o, sectionShared)) == 0 {
			return b.Stanza
		}
	}
	return ""
}

func (r *reader) lastOf(l *layer, section, key string) subject {
	s := subject{place{file: l.path, rank: l.rank}, section, key}
	if values := l.values(section, key); len(values) > 0 {
		s.at = values[len(values)-1].at
	}
	return s
}

// isName reports whether a key can be an option, and not a piece of JSON.
func isName(key string) bool {
	return strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

// checkOtherSources finds options that name further sources for oslo.config.
func (r *reader) checkOtherSources() {
	for _, o := range []struct{ name, message, cinder, hint string }{
		{"config_source", "names sources that poolcast does not read", "reads options from them that are not in these files", "Write the options that poolcast needs (transport_url, host, san_ip, tokens) into a file, and give it with --config-file."},
		{"config_dir", "is ignored in a file", "reads it from its command line only", "Start poolcast with the same --config-dir as cinder-volume."},
		{"config_file", "is ignored in a file", "reads it from its command line only", "Start poolcast with the same --config-file as cinder-volume."},
	} {
		values := r.find(&Option{Name: o.name}, sectionDefault)
		if len(values) == 0 || strip(values[len(values)-1].text) == "" {
			continue
		}
		at := subject{values[len(values)-1].at, sectionDefault, o.name}
		r.record.warn(at, o.message, o.cinder, o.hint)
	}
}

// ignoredRabbitOptions are the options of [oslo_messaging_rabbit] that have no
// effect on poolcast, such as those for the queues of Cinder's services. There is
// no warning about them.
func ignoredRabbitOptions() map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(`
		rpc_conn_pool_size conn_pool_min_size conn_pool_ttl heartbeat_rate heartbeat_in_pthread
		ssl_version ssl_enforce_fips_mode kombu_reconnect_splay kombu_compression
		kombu_missing_consumer_retry_timeout kombu_reconnect_timeout
		rabbit_stream_fanout rabbit_ha_queues
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

// didYouMean is a hint with the candidate that is similar to a name, or else the
// other hint.
func didYouMean(name string, candidates []string, other string) string {
	if near := format.Nearest(name, candidates); near != "" {
		return "Did you mean " + near + "?"
	}
	return other
}
