package publisher

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
)

// CreateVolume is the operation of a [Failure] that is a failed create.
const CreateVolume = "create_volume"

// Failure is an operation that a scheduler has given up, as its error notification
// describes it (cinder/scheduler/flows/create_volume.py, _notify_failure, and
// cinder/scheduler/manager.py, _set_volume_state_and_notify). Texts are printable and
// bounded, except in ExtraSpecs, Properties and QoS.
type Failure struct {
	Operation string // CreateVolume, retype, migrate_volume_to_host or extend_volume
	VolumeID  string // "" if it is not known
	Exception string // class of the exception, such as NoValidBackend
	// Attempts is whether the scheduler gave up because cinder-volume failed to create
	// the volume on one backend after another (scheduler_max_attempts).
	Attempts bool

	Size       int64  // GiB; 0 if it is not known
	Type       string // name of the volume type, "" for none
	ExtraSpecs json.RawMessage
	Zones      []string       // acceptable availability zones; none for any
	Properties capability.Set // volume_properties, which functions read
	QoS        capability.Set // nil if there are none
	// Private are the ids of projects and users in the notification.
	Private []string

	id string // message_id: one for a notification, whatever topics it is sent to
}

const (
	// maxID bounds what is an id of Cinder or Keystone, and a zone.
	maxID = 64
	// maxTypeName is the longest name of a volume type in Cinder's database.
	maxTypeName = 255
	// maxZones bounds the zones that are kept.
	maxZones = 100
)

// failedOperations are the operations whose failures are reported.
func failedOperations() []string {
	return []string{CreateVolume, "retype", "migrate_volume_to_host", "extend_volume"}
}

// errOtherNotification is returned for notifications that are no [Failure].
var errOtherNotification = errors.New("not a failed operation of a scheduler")

// notification is the message that oslo.messaging's notifier makes
// (oslo_messaging/notify/notifier.py, _notify), with its context.
type notification struct {
	EventType string          `json:"event_type"`
	MessageID string          `json:"message_id"`
	Payload   json.RawMessage `json:"payload"`

	ProjectID   any `json:"_context_project_id"`
	Project     any `json:"_context_project"`
	ProjectName any `json:"_context_project_name"`
	UserID      any `json:"_context_user_id"`
	User        any `json:"_context_user"`
}

type failurePayload struct {
	VolumeID any `json:"volume_id"`
	Reason   any `json:"reason"`
	Spec     struct {
		VolumeID   any             `json:"volume_id"`
		Type       json.RawMessage `json:"volume_type"`
		Properties json.RawMessage `json:"volume_properties"`
		Zones      any             `json:"availability_zones"`
	} `json:"request_spec"`
}

// decodeFailure reads the body of a notification. The error is errOtherNotification
// for a notification of something else.
func decodeFailure(body []byte) (Failure, error) {
	if len(body) > maxBody {
		return Failure{}, fmt.Errorf("read notification: it has %d bytes, which is more than one of a scheduler has", len(body))
	}
	inner, err := unwrap(body)
	if err != nil {
		return Failure{}, err
	}
	var n notification
	if _, err := unmarshal(inner, &n); err != nil {
		return Failure{}, fmt.Errorf("read notification: %w", err)
	}
	operation, ok := strings.CutPrefix(n.EventType, "scheduler.")
	if !ok || !slices.Contains(failedOperations(), operation) {
		return Failure{}, errOtherNotification
	}
	var p failurePayload
	if _, err := unmarshal(n.Payload, &p); err != nil {
		return Failure{}, fmt.Errorf("read notification %s: %w", n.EventType, err)
	}
	return n.failure(operation, p)
}

func (n notification) failure(operation string, p failurePayload) (Failure, error) {
	f := Failure{Operation: operation, VolumeID: short(p.VolumeID, maxID), id: n.MessageID}
	if f.VolumeID == "" {
		f.VolumeID = short(p.Spec.VolumeID, maxID)
	}
	reason, _ := p.Reason.(string)
	f.Exception = exceptionOf(reason)
	f.Attempts = strings.Contains(reason, "Exceeded max scheduling attempts")
	if err := f.readType(p.Spec.Type); err != nil {
		return Failure{}, fmt.Errorf("read notification %s: %w", n.EventType, err)
	}
	if err := f.readProperties(p.Spec.Properties); err != nil {
		return Failure{}, fmt.Errorf("read notification %s: %w", n.EventType, err)
	}
	if zones, ok := p.Spec.Zones.([]any); ok && len(zones) > 0 {
		f.Zones = nil
		for _, z := range zones[:min(len(zones), maxZones)] {
			f.Zones = append(f.Zones, short(z, maxTypeName))
		}
	}
	for _, id := range []any{n.ProjectID, n.Project, n.ProjectName, n.UserID, n.User} {
		f.addPrivate(id)
	}
	if f.Operation == CreateVolume && f.Size < 1 {
		return Failure{}, fmt.Errorf("read notification %s: it has no size", n.EventType)
	}
	return f, nil
}

// readType reads the volume type: an object, or a list of pairs from a request spec
// that the scheduler has made itself (_populate_request_spec).
func (f *Failure) readType(raw json.RawMessage) error {
	fields := map[string]json.RawMessage{}
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		var pairs [][2]json.RawMessage
		if err := json.Unmarshal(raw, &pairs); err != nil {
			return fmt.Errorf("its volume type: %w", err)
		}
		for _, p := range pairs {
			var key string
			if json.Unmarshal(p[0], &key) == nil {
				fields[key] = p[1]
			}
		}
	} else if len(raw) > 0 {
		if err := json.Unmarshal(raw, &fields); err != nil {
			return fmt.Errorf("its volume type: %w", err)
		}
	}
	var name any
	_ = json.Unmarshal(fields["name"], &name) // absent or not a text: a type without a name
	f.Type, f.ExtraSpecs = short(name, maxTypeName), fields["extra_specs"]
	return nil
}

func (f *Failure) readProperties(raw json.RawMessage) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	set, err := capability.ParseSet(raw)
	if err != nil {
		return fmt.Errorf("its volume_properties: %w", err)
	}
	f.Properties = set
	var fields struct {
		Zone    any             `json:"availability_zone"`
		QoS     json.RawMessage `json:"qos_specs"`
		Project any             `json:"project_id"`
		User    any             `json:"user_id"`
	}
	if err := json.Unmarshal(raw, &fields); err != nil {
		return fmt.Errorf("its volume_properties: %w", err)
	}
	if size, ok := set["size"].Float(); ok && size >= 1 && size <= 1<<40 {
		f.Size = int64(size)
	}
	if zone := short(fields.Zone, maxTypeName); zone != "" {
		f.Zones = []string{zone}
	}
	if len(fields.QoS) > 0 && string(fields.QoS) != "null" {
		if f.QoS, err = capability.ParseSet(fields.QoS); err != nil {
			return fmt.Errorf("its qos_specs: %w", err)
		}
	}
	f.addPrivate(fields.Project)
	f.addPrivate(fields.User)
	return nil
}

func (f *Failure) addPrivate(id any) {
	if text, _ := id.(string); text != "" && !slices.Contains(f.Private, text) {
		f.Private = append(f.Private, text)
	}
}

// short returns a text as it can be shown, "" for anything else.
func short(v any, limit int) string {
	text, _ := v.(string)
	return format.Shorten(format.Printable(text), limit)
}

// exceptionOf returns the class in a reason, which is the repr of an exception:
// NoValidBackend('No valid backend was found. …'). The rest may name a project.
func exceptionOf(reason string) string {
	name, _, ok := strings.Cut(reason, "(")
	if !ok || len(name) > maxID || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return ""
	}
	return name
}
