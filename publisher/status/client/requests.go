package client

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// Reports returns the newest report of each backend, from the agent's own
// samples, in the order of enabled_backends. A backend that was never polled is
// left out.
func (c *Client) Reports(ctx context.Context) ([]capability.Report, error) {
	return c.reports(ctx, "/v1/reports")
}

// Effective returns the report that the schedulers hold of each backend, in the
// order of enabled_backends, and the agent's own where they hold none.
func (c *Client) Effective(ctx context.Context) ([]capability.Report, error) {
	return c.reports(ctx, "/v1/effective")
}

func (c *Client) reports(ctx context.Context, path string) (reports []capability.Report, err error) {
	if err := c.getJSON(ctx, path, nil, &reports); err != nil {
		return nil, fmt.Errorf("get reports: %w", err)
	}
	return reports, nil
}

// Failure is an operation that a scheduler has given up, such as a create for which
// it found no backend, explained by the agent.
type Failure struct {
	ReceivedAt  time.Time        `json:"received_at"`
	Operation   string           `json:"operation"` // create_volume, retype, …
	VolumeID    string           `json:"volume_id"`
	VolumeType  string           `json:"volume_type"`        // name, "" for none
	Size        int64            `json:"size"`               // GiB, 0 if not known
	Zones       []string         `json:"availability_zones"` // any of them; none for any zone
	Explanation string           `json:"explanation"`        // one line
	Fits        []string         `json:"fits"`               // backends that would take the volume now
	Refused     []FailureRefusal `json:"refused"`
	OtherPools  int              `json:"other_pools"` // backends of other logical pools, left out
}

// FailureRefusal is why a backend would be refused now.
type FailureRefusal struct {
	Backend string `json:"backend"`
	Filter  string `json:"filter"`
	Reason  string `json:"reason"`
}

// Failures returns the latest failed operations, at most 50, the newest first. There
// are none unless the agent has explain_failures.
func (c *Client) Failures(ctx context.Context) (failures []Failure, err error) {
	if err := c.getJSON(ctx, "/v1/failures", nil, &failures); err != nil {
		return nil, fmt.Errorf("get failures: %w", err)
	}
	return failures, nil
}

// Query describes a volume to be placed.
type Query struct {
	Size       int64             // GiB
	Zone       string            // availability zone; "" for the one that cinder-api chooses
	VolumeType string            // name in the file of the agent's option volume_types; "" for none
	ExtraSpecs map[string]string // of the volume type; they replace those of VolumeType
	Policy     string            // strict or prefer; "" means strict
}

func (q Query) values() (url.Values, error) {
	v := url.Values{"size": {strconv.FormatInt(q.Size, 10)}}
	if q.Zone != "" {
		v.Set("availability_zone", q.Zone)
	}
	if q.VolumeType != "" {
		v.Set("volume_type", q.VolumeType)
	}
	if q.Policy != "" {
		v.Set("policy", q.Policy)
	}
	for _, key := range slices.Sorted(maps.Keys(q.ExtraSpecs)) {
		spec := key + "=" + q.ExtraSpecs[key]
		if strings.Contains(key, "=") || strings.Contains(spec, "\n") {
			return nil, fmt.Errorf("extra spec %q: a key cannot contain =, and neither key nor value a line feed", spec)
		}
		v.Add("property", spec)
	}
	return v, nil
}

// Place returns the decision on a volume, made on the effective reports. That no
// backend fits is a decision, not an error.
func (c *Client) Place(ctx context.Context, q Query) (*Answer, error) {
	values, err := q.values()
	if err != nil {
		return nil, fmt.Errorf("get decision: %w", err)
	}
	answer := &Answer{}
	if err := c.getJSON(ctx, "/v1/place", values, answer); err != nil {
		return nil, fmt.Errorf("get decision: %w", err)
	}
	return answer, nil
}

// Health is the response of a health endpoint.
type Health struct {
	OK   bool
	Text string // for people: one line for each check
}

// Live reports whether the main loop of the agent runs. It is not OK only when a
// restart would help.
func (c *Client) Live(ctx context.Context) (Health, error) { return c.health(ctx, "/livez") }

// Ready reports whether the reports of every backend reach the schedulers.
func (c *Client) Ready(ctx context.Context) (Health, error) { return c.health(ctx, "/readyz") }

func (c *Client) health(ctx context.Context, path string) (Health, error) {
	got, err := c.get(ctx, path, nil, maxText)
	switch {
	case err != nil:
		return Health{}, fmt.Errorf("get health: %w", err)
	case got.code != http.StatusOK && got.code != http.StatusServiceUnavailable:
		return Health{}, fmt.Errorf("get health: %w", got.failure())
	}
	return Health{OK: got.code == http.StatusOK, Text: string(got.body)}, nil
}
