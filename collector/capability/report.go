package capability

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Status says how much a report's live numbers may be trusted. It is published
// under the key metrics_status.
type Status string

// The statuses.
const (
	OK      Status = "ok"      // everything asked for was answered, and is fresh
	Partial Status = "partial" // some part was not answered; its keys are absent
	Stale   Status = "stale"   // the array stopped answering, or its newest sample is old
)

// Report is what poolcast says of one backend. It is a value, safe to keep and
// to read from any goroutine.
type Report struct {
	Host        string    // host@stanza: the scheduler's name of the backend
	Cluster     string    // cluster@stanza, or "" if not clustered
	Backend     string    // the stanza's name
	Pool        string    // volume_backend_name: the logical pool it belongs to
	Zone        string    // availability zone
	CollectedAt time.Time // when the reading behind it was begun
	Status      Status
	// Capabilities are all keys, ours and the stanza's own.
	Capabilities Set
	// LiveKeys names those that are laid over a base, in any order; see
	// [Report.Live]. It is not part of the JSON form.
	LiveKeys []string
}

// Identity is the name under which the scheduler keeps a report: the cluster's
// if there is one, else the host's (cinder/scheduler/host_manager.py).
func (r Report) Identity() string {
	if r.Cluster != "" {
		return r.Cluster
	}
	return r.Host
}

// wireReport is the shape that --dry-run prints.
type wireReport struct {
	Host         string    `json:"host"`
	Cluster      *string   `json:"cluster"`
	Backend      string    `json:"backend"`
	Pool         string    `json:"volume_backend_name"`
	Zone         string    `json:"availability_zone"`
	CollectedAt  time.Time `json:"collected_at"`
	Status       Status    `json:"status"`
	Capabilities Set       `json:"capabilities"`
}

// MarshalJSON writes the report as poolcast --dry-run prints it. An encoder
// around it should switch HTML escaping off too, or "<" becomes an escape.
func (r Report) MarshalJSON() ([]byte, error) {
	w := wireReport{
		Host: r.Host, Backend: r.Backend, Pool: r.Pool, Zone: r.Zone,
		CollectedAt: r.CollectedAt.UTC(), Status: r.Status, Capabilities: r.Capabilities,
	}
	if r.Cluster != "" {
		w.Cluster = &r.Cluster
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(w)
	return bytes.TrimSpace(buf.Bytes()), err
}

// UnmarshalJSON reads what MarshalJSON wrote. A report without a host is
// refused, since nothing could be done with it.
func (r *Report) UnmarshalJSON(data []byte) error {
	var w wireReport
	if err := json.Unmarshal(data, &w); err != nil {
		return fmt.Errorf("read report: %w", err)
	}
	if w.Host == "" {
		return fmt.Errorf(`read report: it has no "host"; expected the output of poolcast --dry-run`)
	}
	*r = Report{
		Host: w.Host, Backend: w.Backend, Pool: w.Pool, Zone: w.Zone,
		CollectedAt: w.CollectedAt, Status: w.Status, Capabilities: w.Capabilities,
	}
	if w.Cluster != nil {
		r.Cluster = *w.Cluster
	}
	return nil
}
