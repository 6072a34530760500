package publisher

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// rpcMethod is a remote procedure of the Cinder scheduler
// (cinder/scheduler/rpcapi.py).
type rpcMethod string

// The methods that carry capabilities.
const (
	// updateCapabilities replaces what every scheduler holds of a backend. It
	// is sent to the exchange cinder-scheduler_fanout.
	updateCapabilities rpcMethod = "update_service_capabilities"
	// notifyCapabilities feeds telemetry. It is sent to one scheduler.
	notifyCapabilities rpcMethod = "notify_service_capabilities"
)

// stampFormat is what the scheduler parses: always six digits, never a zone
// (oslo_utils.timeutils.PERFECT_TIME_FORMAT).
const stampFormat = "2006-01-02T15:04:05.000000"

// message is one report to be sent to the schedulers.
type message struct {
	method  rpcMethod
	host    string // host@stanza
	cluster string // cluster@stanza, or ""
	set     capability.Set
	stamp   time.Time
	// id is 32 hexadecimal digits, different for every message: receivers drop
	// an ID they have just seen (oslo_messaging/_drivers/amqp.py).
	id string
}

// EncodeReport returns the complete report as overlay = off publishes it now: the
// message that poolcast --dry-run --output oslo prints.
func EncodeReport(r capability.Report, now time.Time) ([]byte, error) {
	return encode(newMessage(r, now))
}

func newMessage(r capability.Report, now time.Time) message {
	id, _ := newInstance().next()
	return message{
		method: updateCapabilities, host: r.Host, cluster: r.Cluster,
		set: withAgentMark(r.Aged(now).Capabilities), stamp: earlier(r.CollectedAt, now), id: id,
	}
}

// RPCVersion is the version of update_service_capabilities that is sent: the
// one that brought cluster_name and timestamp (cinder/scheduler/rpcapi.py).
// Schedulers take any older than their own.
const RPCVersion = "3.3"

// encode returns the body of an AMQP message: the envelope of oslo.messaging,
// version 2.0, around the message as JSON text
// (oslo_messaging/_drivers/common.py, serialize_msg). It is pure: equal
// messages give equal bytes. It fails if a capability has no JSON form.
func encode(m message) ([]byte, error) {
	version, args := RPCVersion, arguments(m)
	if m.method == notifyCapabilities {
		version = "3.5"
	}
	inner := requestContext(m)
	inner["method"], inner["version"], inner["args"], inner["_unique_id"] = m.method, version, args, m.id
	body, err := wrap(inner)
	if err != nil {
		return nil, fmt.Errorf("encode report of %s: %w", m.host, err)
	}
	return body, nil
}

// wrap puts a message into the envelope of oslo.messaging.
func wrap(inner map[string]any) ([]byte, error) {
	text, err := encodeJSON(inner)
	if err != nil {
		return nil, err
	}
	return encodeJSON(map[string]string{"oslo.version": "2.0", "oslo.message": string(text)})
}

func arguments(m message) map[string]any {
	args := map[string]any{
		"service_name": "volume",
		"capabilities": m.set,
		"timestamp":    m.stamp.UTC().Format(stampFormat),
	}
	if m.method == notifyCapabilities {
		args["backend"] = identity(m.host, m.cluster)
		return args
	}
	args["host"], args["cluster_name"] = m.host, nil
	if m.cluster != "" {
		args["cluster_name"] = m.cluster
	}
	return args
}

// requestContext returns the fields that Cinder's admin context adds to a
// message (cinder/context.py, get_admin_context and to_dict). is_admin must be
// true: with null the scheduler evaluates its policy for every message.
func requestContext(m message) map[string]any {
	fields := map[string]any{
		"is_admin": true, "is_admin_project": true, "read_only": false,
		"show_deleted": false, "read_deleted": "no", "roles": []string{"admin"},
		"service_catalog": []string{}, "user_identity": "- - - - -",
		"request_id": requestID(m.id), "timestamp": m.stamp.UTC().Format(stampFormat),
	}
	for _, key := range []string{
		"auth_token", "domain", "domain_id", "global_request_id", "message_action",
		"message_resource_id", "message_resource_type", "project", "project_domain",
		"project_id", "project_name", "quota_class", "remote_address", "resource_uuid",
		"system_scope", "user", "user_domain", "user_id",
	} {
		fields[key] = nil
	}
	prefixed := make(map[string]any, len(fields))
	for key, value := range fields {
		prefixed["_context_"+key] = value
	}
	return prefixed
}

// requestID writes the message's ID in the form of Cinder's request IDs, so that a
// line in the scheduler's log identifies the message.
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

// instance makes the IDs of one agent's messages: 16 hexadecimal digits that are
// the same in all of them, and a counter. So an agent recognises its own
// messages and distinguishes other agents.
type instance struct {
	name  string // 16 hexadecimal digits
	count *uint64
}

func newInstance() instance {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return instance{name: hex.EncodeToString(b[:]), count: new(uint64)}
}

// next returns an ID that was not used before, and its counter. It is not for
// several goroutines at once.
func (i instance) next() (string, uint64) {
	*i.count++
	return fmt.Sprintf("%s%016x", i.name, *i.count), *i.count
}

// counter returns the counter of an ID, if the ID is one of this instance.
func (i instance) counter(id string) (uint64, bool) {
	if !fromAgent(id) || instanceOf(id) != i.name {
		return 0, false
	}
	n, err := strconv.ParseUint(id[16:], 16, 64)
	return n, err == nil
}

// fromAgent reports whether an agent made an ID. oslo.messaging makes them with
// uuid4 (oslo_messaging/_drivers/amqp.py, _add_unique_id), whose 17th digit is
// 8, 9, a or b; here it is the first of a counter.
func fromAgent(id string) bool { return len(id) == 32 && id[16] == '0' }

// instanceOf returns the name of the agent that made an ID.
func instanceOf(id string) string { return id[:min(len(id), 16)] }

// maxBody bounds what is decoded. A report of the Pure driver has 3 KiB; one
// with hundreds of pools, from another vendor's driver, stays below this too.
const maxBody = 1 << 20

// errNotReport is returned for other messages on the exchange.
var errNotReport = errors.New("not a capability report of a volume service")

// errBareNumber is why a report cannot be parsed although the scheduler parses
// it: Python writes NaN and Infinity, which JSON does not have.
var errBareNumber = errors.New("it holds a bare NaN or Infinity, which is not JSON")

// incoming is a report as it came from the exchange.
type incoming struct {
	host, cluster string
	id            string
	stamp         time.Time // zero if the sender gave none
	raw           json.RawMessage
	fault         error // why raw cannot be parsed, if known already
}

func (h incoming) identity() string { return identity(h.host, h.cluster) }

// capabilities parses the dictionary, which is done for this agent's backends
// only.
func (h incoming) capabilities() (capability.Set, error) {
	if h.fault != nil {
		return nil, h.fault
	}
	return capability.ParseSet(h.raw)
}

// fromAgent reports whether an agent sent the report, and not cinder-volume.
func (h incoming) fromAgent() bool { return fromAgent(h.id) }

type call struct {
	Method   string `json:"method"`
	UniqueID string `json:"_unique_id"`
	Args     struct {
		Service      string          `json:"service_name"`
		Host         string          `json:"host"`
		Cluster      *string         `json:"cluster_name"`
		Timestamp    *string         `json:"timestamp"`
		Capabilities json.RawMessage `json:"capabilities"`
	} `json:"args"`
}

// decode reads the body of a received message. The envelope may be missing, as
// oslo.messaging allows, and unknown fields are skipped.
func decode(body []byte) (incoming, error) {
	if len(body) > maxBody {
		return incoming{}, fmt.Errorf("read received message: it has %d bytes, which is more than a report has", len(body))
	}
	inner, err := unwrap(body)
	if err != nil {
		return incoming{}, err
	}
	var c call
	bare, err := unmarshal(inner, &c)
	switch {
	case err != nil:
		return incoming{}, fmt.Errorf("read received message: %w", err)
	case bare:
		return c.report(errBareNumber)
	}
	return c.report(nil)
}

func unwrap(body []byte) ([]byte, error) {
	var envelope struct {
		Version string  `json:"oslo.version"`
		Message *string `json:"oslo.message"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, fmt.Errorf("read received envelope: %w", err)
	}
	if envelope.Message == nil {
		return body, nil
	}
	if !strings.HasPrefix(envelope.Version, "2.") {
		return nil, fmt.Errorf("read received envelope: its version is %q, not 2", envelope.Version)
	}
	return []byte(*envelope.Message), nil
}

func (c call) report(fault error) (incoming, error) {
	if c.Method != string(updateCapabilities) || c.Args.Service != "volume" || c.Args.Host == "" {
		return incoming{}, errNotReport
	}
	h := incoming{host: c.Args.Host, id: c.UniqueID, raw: c.Args.Capabilities, fault: fault}
	if c.Args.Cluster != nil {
		h.cluster = *c.Args.Cluster
	}
	stamp, err := parseStamp(c.Args.Timestamp)
	if err != nil && h.fault == nil {
		h.fault = err
	}
	h.stamp = stamp
	return h, nil
}

// parseStamp reads a timestamp. Without one the scheduler stamps a report by its
// own clock (cinder/scheduler/host_manager.py, update_service_capabilities), so
// no overlay can be stamped right after it.
func parseStamp(text *string) (time.Time, error) {
	if text == nil || *text == "" {
		return time.Time{}, errors.New("it has no timestamp")
	}
	stamp, err := time.Parse("2006-01-02T15:04:05", *text)
	if err != nil || stamp.Year() >= 9999 {
		return time.Time{}, errors.New("its timestamp has an unknown format")
	}
	return stamp.Truncate(time.Microsecond), nil
}

// bareNumbers matches Python's NaN, Infinity and -Infinity, and strings, which may
// contain the same words.
var bareNumbers = regexp.MustCompile(`(?s)"(?:[^"\\]|\\.)*"|NaN|-?Infinity`)

// unmarshal decodes JSON as Python writes it. It reports whether it had bare numbers,
// which are null in the result.
func unmarshal(text []byte, into any) (bare bool, err error) {
	if err = json.Unmarshal(text, into); err == nil {
		return false, nil
	}
	plain, bare := WithoutBareNumbers(text)
	if !bare || json.Unmarshal(plain, into) != nil {
		return false, err
	}
	return true, nil
}

// WithoutBareNumbers replaces bare numbers by null, so that the rest can be parsed
// as JSON: Python writes NaN and Infinity, JSON has neither. It reports whether there
// were any. Any goroutine may call it.
func WithoutBareNumbers(text []byte) (without []byte, found bool) {
	without = bareNumbers.ReplaceAllFunc(text, func(match []byte) []byte {
		if match[0] == '"' {
			return match
		}
		found = true
		return []byte("null")
	})
	return without, found
}
