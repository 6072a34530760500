package publisher

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// Method is a remote procedure of the Cinder scheduler
// (cinder/scheduler/rpcapi.py).
type Method string

// The methods that carry capabilities.
const (
	// UpdateCapabilities replaces what every scheduler knows of a backend. It
	// is cast to the exchange cinder-scheduler_fanout.
	UpdateCapabilities Method = "update_service_capabilities"
	// NotifyCapabilities feeds telemetry. It is cast to one scheduler.
	NotifyCapabilities Method = "notify_service_capabilities"
)

// stampFormat is what the scheduler parses: always six digits, never a zone
// (oslo_utils.timeutils.PERFECT_TIME_FORMAT).
const stampFormat = "2006-01-02T15:04:05.000000"

// Message is one report on its way to the scheduler.
type Message struct {
	Method       Method
	Host         string // host@stanza
	Cluster      string // cluster@stanza, or ""
	Capabilities capability.Set
	Timestamp    time.Time
	// ID is 32 hexadecimal digits, different for every message: receivers drop
	// an ID they have just seen (oslo_messaging/_drivers/amqp.py).
	ID string
}

// NewMessage returns the complete report as overlay = off publishes it now: the
// message that poolcast --dry-run --output oslo prints.
func NewMessage(r capability.Report, now time.Time) Message {
	id, _ := newInstance().next()
	return Message{
		Method: UpdateCapabilities, Host: r.Host, Cluster: r.Cluster,
		Capabilities: withAgentMark(r.Aged(now).Capabilities),
		Timestamp:    earlier(r.CollectedAt, now), ID: id,
	}
}

// RPCVersion is the version of update_service_capabilities that is sent: the
// one that brought cluster_name and timestamp (cinder/scheduler/rpcapi.py).
// Schedulers take any older than their own.
const RPCVersion = "3.3"

// Encode returns the body of an AMQP message: the envelope of oslo.messaging,
// version 2.0, around the message as JSON text
// (oslo_messaging/_drivers/common.py, serialize_msg). It is pure: equal
// messages give equal bytes. It fails if a capability has no JSON form.
func Encode(m Message) ([]byte, error) {
	version, args := RPCVersion, arguments(m)
	if m.Method == NotifyCapabilities {
		version = "3.5"
	}
	inner := requestContext(m)
	inner["method"], inner["version"], inner["args"], inner["_unique_id"] = m.Method, version, args, m.ID
	text, err := encodeJSON(inner)
	if err != nil {
		return nil, fmt.Errorf("encode report of %s: %w", m.Host, err)
	}
	return encodeJSON(map[string]string{"oslo.version": "2.0", "oslo.message": string(text)})
}

func arguments(m Message) map[string]any {
	args := map[string]any{
		"service_name": "volume",
		"capabilities": m.Capabilities,
		"timestamp":    m.Timestamp.UTC().Format(stampFormat),
	}
	var cluster *string
	if m.Cluster != "" {
		cluster = &m.Cluster
	}
	if m.Method == NotifyCapabilities {
		args["backend"] = identity(m.Host, m.Cluster)
		return args
	}
	args["host"], args["cluster_name"] = m.Host, cluster
	return args
}

// requestContext returns the fields that Cinder's admin context adds to a
// message (cinder/context.py, get_admin_context and to_dict). is_admin must be
// true: the scheduler asks its policy engine about a null, for every message.
func requestContext(m Message) map[string]any {
	fields := map[string]any{
		"is_admin": true, "is_admin_project": true, "read_only": false,
		"show_deleted": false, "read_deleted": "no", "roles": []string{"admin"},
		"service_catalog": []string{}, "user_identity": "- - - - -",
		"request_id": requestID(m.ID), "timestamp": m.Timestamp.UTC().Format(stampFormat),
	}
	for _, key := range []string{
		"auth_token", "domain", "domain_id", "global_request_id", "message_action",
		"message_resource_id", "message_resource_type", "project", "project_domain",
		"project_id", "project_name", "quota_class", "remote_address", "resource_uuid",
		"system_scope", "user", "user_domain", "user_id",
	} {
		fields[key] = nil
	}
	prefixed := make(map[string]any, len(fields)+4)
	for key, value := range fields {
		prefixed["_context_"+key] = value
	}
	return prefixed
}

// requestID spells the message's ID as Cinder spells request ids, so that a
// line in the scheduler's log leads back to the message.
func requestID(id string) string {
	if len(id) != 32 {
		return "req-" + id
	}
	return "req-" + id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}

func encodeJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// identity is the name under which the scheduler keeps a report.
func identity(host, cluster string) string {
	return capability.Report{Host: host, Cluster: cluster}.Identity()
}
