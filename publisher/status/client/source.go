package client

import (
	"context"
	"fmt"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
)

// Source is what a decision was made on.
type Source struct {
	// Kind is agent, scheduler, arrays or file.
	Kind string `json:"kind"`
	// From is the URL of the agent, the address of the broker or the path of the
	// file; "" for arrays.
	From string `json:"from,omitempty"`
	// ReceivedAt is when the scheduler sent its list; nil if it was not requested, or in
	// a file.
	ReceivedAt *time.Time `json:"received_at,omitempty"`
	// Listed is how many pools the scheduler lists; nil if the list is not known.
	Listed *int `json:"listed,omitempty"`
	// Backends is how many pools the decision is made on.
	Backends int `json:"backends"`
	// Unlisted are backends that report and that the scheduler does not list.
	Unlisted []string `json:"unlisted"`
	// OldestReport is the age of the oldest report in seconds; nil if it is not
	// known, or in a file.
	OldestReport *float64 `json:"oldest_report_seconds,omitempty"`
	// Release is the release of Cinder whose driver the reports are those of; 0 if
	// they are cinder-volume's own.
	Release int `json:"release,omitempty"`
	// Simulated is whether a report is that of a simulated array.
	Simulated bool `json:"simulated,omitempty"`
	// AllocatedOnly are the backends whose report has no provisioned_capacity_gb, as
	// those of Pure drivers before Cinder 29: allocated_capacity_gb is used instead.
	AllocatedOnly []string `json:"allocated_for_provisioned"`
	// DeductionsIncluded is whether what the scheduler has deducted since the reports
	// for new volumes is counted: never.
	DeductionsIncluded bool `json:"deductions_included"`
	// Notes are remarks for people.
	Notes []string `json:"notes"`
}

// Answer is a decision and what it was made on.
type Answer struct {
	placement.DecisionJSON

	Source Source `json:"source"`
}

// SchedulerList is the list of backends that a scheduler sent to the agent last.
type SchedulerList struct {
	// ReceivedAt is when the list was received; nil if there is none.
	ReceivedAt *time.Time `json:"received_at"`
	// Age is that in seconds; nil if there is none.
	Age *float64 `json:"age_seconds"`
	// Broker is the host and port through which it was received.
	Broker string `json:"broker"`
	// Pools are in the scheduler's order.
	Pools []SchedulerPool `json:"pools"`
	// Unlisted are backends of the agent that report and are not listed.
	Unlisted []string `json:"unlisted"`
	// Error is why there is no list, or no newer one; "" if there is.
	Error string `json:"error"`
}

// SchedulerPool is one pool of a list, with its last report.
type SchedulerPool struct {
	Name         string         `json:"name"` // host@backend#pool
	Capabilities capability.Set `json:"capabilities"`
}

// Scheduler returns the scheduler's list of backends. The agent requests it from a
// scheduler at most once a minute.
func (c *Client) Scheduler(ctx context.Context) (*SchedulerList, error) {
	list := &SchedulerList{}
	if err := c.getJSON(ctx, "/v1/scheduler", nil, list); err != nil {
		return nil, fmt.Errorf("get list of the scheduler: %w", err)
	}
	return list, nil
}
