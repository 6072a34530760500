package capability

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Status says how complete and how recent a report's measured keys are. It is
// published under the key metrics_status.
type Status string

// The statuses.
const (
	OK      Status = "ok"      // all requests succeeded, and the sample is recent
	Partial Status = "partial" // a request failed; the keys made of it are absent
	Stale   Status = "stale"   // the array is not reachable, or its newest sample is old
)

// Report is the capability dictionary of one backend and its names. It is a
// value, safe to keep and to read from any goroutine.
type Report struct {
	Host        string    // host@stanza: the scheduler's name of the backend
	Cluster     string    // cluster@stanza, or "" if not clustered
	Backend     string    // the stanza's name; that of Cinder's pool for a backend of no stanza here
	Pool        string    // volume_backend_name: the logical pool it belongs to
	PoolName    string    // Cinder's pool behind #; "" if it is volume_backend_name. Not part of the JSON form
	Zone        string    // availability zone
	CollectedAt time.Time // when the poll behind it began
	Status      Status
	Simulated   bool // the numbers are those of a simulated array
	// Capabilities are all keys, measured and configured.
	Capabilities Set
	// Labels are the numbers of extra_capabilities that stand in place of a
	// measurement, by key; see [Report.Label]. They are not published.
	Labels map[string]Label
	// LiveKeys are the keys that replace those of a base report, in any order;
	// see [Report.Live]. They are not part of the JSON form.
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

// Name is the backend's name for people: the stanza, or the identity of a report
// without one.
func (r Report) Name() string {
	if r.Backend != "" {
		return r.Backend
	}
	return r.Identity()
}

// Live returns the part of the report that replaces keys of a base report: what
// was measured, what describes the sample itself, and, once an array is stale,
// the results of the stale policy. A key that the stanza's extra_capabilities
// set is not in it, unless live_capabilities names it. The set is the caller's.
//
// Whether a key may also be added to a base report that lacks it is decided by
// the publisher.
func (r Report) Live() Set {
	live := make(Set, len(r.LiveKeys))
	for _, key := range r.LiveKeys {
		if v, ok := r.Capabilities[key]; ok {
			live[key] = v
		}
	}
	return live
}

// IsLive reports whether key belongs to [Report.Live].
func (r Report) IsLive(key string) bool {
	_, ok := r.Capabilities[key]
	return ok && slices.Contains(r.LiveKeys, key)
}

// Aged returns the report with metrics_age_seconds as of the given time. No
// other key of a report depends on when it is published.
func (r Report) Aged(now time.Time) Report {
	age, ok := r.Capabilities[KeyMetricsAge].Int()
	elapsed := int64(now.Sub(r.CollectedAt).Round(time.Second) / time.Second)
	if !ok || elapsed <= 0 || !slices.Contains(r.LiveKeys, KeyMetricsAge) {
		return r
	}
	r.Capabilities = r.Capabilities.Overlay(Set{KeyMetricsAge: OfInt(age + elapsed)})
	return r
}

// reportJSON is the JSON form that --dry-run prints.
type reportJSON struct {
	Host         string    `json:"host"`
	Cluster      *string   `json:"cluster"`
	Backend      string    `json:"backend"`
	Pool         string    `json:"volume_backend_name"`
	Zone         string    `json:"availability_zone"`
	CollectedAt  time.Time `json:"collected_at"`
	Status       Status    `json:"status"`
	Simulated    bool      `json:"simulated,omitempty"`
	Capabilities Set       `json:"capabilities"`

	Labels map[string]Label `json:"labels,omitempty"`
}

// MarshalJSON writes the report as poolcast --dry-run prints it. An encoder
// around it must switch HTML escaping off too, or "<" is escaped.
func (r Report) MarshalJSON() ([]byte, error) {
	w := reportJSON{
		Host: r.Host, Backend: r.Backend, Pool: r.Pool, Zone: r.Zone,
		CollectedAt: r.CollectedAt.UTC(), Status: r.Status, Simulated: r.Simulated, Capabilities: r.Capabilities,
		Labels: r.Labels,
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

// UnmarshalJSON reads what MarshalJSON wrote. A report without a host is an
// error, since the scheduler identifies a backend by it.
func (r *Report) UnmarshalJSON(data []byte) error {
	var w reportJSON
	if err := json.Unmarshal(data, &w); err != nil {
		return fmt.Errorf("read report: %w", err)
	}
	if w.Host == "" {
		return errors.New(`read report: it has no "host"; expected the output of poolcast --dry-run`)
	}
	*r = Report{
		Host: w.Host, Backend: w.Backend, Pool: w.Pool, Zone: w.Zone,
		CollectedAt: w.CollectedAt, Status: w.Status, Simulated: w.Simulated, Capabilities: w.Capabilities,
		Labels: w.Labels,
	}
	if w.Cluster != nil {
		r.Cluster = *w.Cluster
	}
	return nil
}
