package openstack

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Service is one cinder-volume.
type Service struct {
	Host     string // host@stanza
	Cluster  string // cluster@stanza, or ""
	Zone     string
	Disabled bool
	Reason   string // why it is disabled, as the operator wrote it; "" if nothing is written
	Down     bool   // it sends no heartbeat
	Frozen   bool   // by cinder freeze-host
}

// Identity is the name under which the scheduler keeps its reports.
func (s Service) Identity() string {
	if s.Cluster != "" {
		return s.Cluster
	}
	return s.Host
}

// Excluded is why the scheduler does not list the service; "" if it lists it
// (cinder/scheduler/host_manager.py, _update_backend_state_map).
func (s Service) Excluded() string {
	var reasons []string
	if s.Disabled {
		reason := "the service is disabled"
		if s.Reason != "" {
			reason = fmt.Sprintf("the service is disabled (%s)", s.Reason)
		}
		reasons = append(reasons, reason)
	}
	if s.Frozen {
		reasons = append(reasons, "the service is frozen")
	}
	if s.Down {
		reasons = append(reasons, "the service is down: it sends no heartbeat")
	}
	return strings.Join(reasons, ", and ")
}

// NoService is why the scheduler does not list a backend without a service.
const NoService = "there is no cinder-volume service of this name: the scheduler ignores the reports"

// servicesVersion has the cluster of a service. From 3.49 on, cinder-api asks the
// scheduler for its list at each request and fails without one; what it adds is also in
// the reports.
const servicesVersion = "3.7"

// Services reads every cinder-volume.
func (c *Client) Services(ctx context.Context) ([]Service, error) {
	q := query{
		what: "the services", path: "os-services", right: "volume_extension:services:index",
		values: map[string][]string{"binary": {"cinder-volume"}}, microversion: servicesVersion,
	}
	var list struct {
		Services []struct {
			Host    string  `json:"host"`
			Cluster *string `json:"cluster"`
			Zone    string  `json:"zone"`
			Status  string  `json:"status"`
			State   string  `json:"state"`
			Reason  *string `json:"disabled_reason"`
			Frozen  bool    `json:"frozen"`
		} `json:"services"`
	}
	if err := c.get(ctx, q, &list); err != nil {
		return nil, err
	}
	services := make([]Service, len(list.Services))
	for i, s := range list.Services {
		services[i] = Service{
			Host: s.Host, Cluster: orEmpty(s.Cluster), Zone: s.Zone,
			Disabled: s.Status == "disabled", Reason: orEmpty(s.Reason), Down: s.State == "down", Frozen: s.Frozen,
		}
	}
	return services, nil
}

// ServiceOf returns the service of a backend, by its identity. Of a cluster it is one
// that the scheduler lists, if there is one: one is enough.
func ServiceOf(services []Service, identity string) (Service, bool) {
	found := slices.IndexFunc(services, func(s Service) bool { return s.Identity() == identity && s.Excluded() == "" })
	if found < 0 {
		found = slices.IndexFunc(services, func(s Service) bool { return s.Identity() == identity })
	}
	if found < 0 {
		return Service{}, false
	}
	return services[found], true
}

// BackendZones are the availability zones of the services, by the identity of the
// backend. Empty without services.
func (c *Catalogue) BackendZones() map[string]string {
	zones := map[string]string{}
	for _, s := range c.Services {
		zones[s.Identity()] = s.Zone
	}
	return zones
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
