package status

import (
	"fmt"
	"maps"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
)

// conditionMetrics are those that no key of a report has.
func conditionMetrics() []Metric {
	array := []string{"host", "backend", "volume_backend_name"}
	with := func(more ...string) []string { return slices.Concat(array, more) }
	return []Metric{
		{"poolcast_array_mirrored_writes_per_second", "Write operations that are replicated synchronously; not among the writes.", array},
		{"poolcast_array_mirrored_write_bytes_per_second", "Bytes written by them.", array},
		{"poolcast_array_mirrored_write_latency_seconds", "Mean latency of a mirrored write.", array},
		{"poolcast_array_mirrored_write_queue_seconds", "Mean time a mirrored write waits in the array's queue.", array},
		{"poolcast_array_read_qos_limit_seconds", "Mean time a read waits because of a QoS limit; not in the latency.", array},
		{"poolcast_array_write_qos_limit_seconds", "Mean time a write waits because of a QoS limit; not in the latency.", array},
		{"poolcast_array_mirrored_write_qos_limit_seconds", "Mean time a mirrored write waits because of a QoS limit; not in the latency.", array},
		{"poolcast_array_open_alerts", "Open alerts of the array, by severity: critical, warning, info.", with("severity")},
		{"poolcast_array_controller_up", "1 while the status of a controller is ready.", with("controller")},
		{"poolcast_array_controller_info", "Always 1; the labels describe a controller.", with("controller", "mode", "status", "model", "purity_version")},
		{"poolcast_array_connections", "Connections to other arrays, by type and status; only what occurs.", with("type", "status")},
		{"poolcast_array_pods", "Stretched pods, by the status of their mediator as this array sees it: online, unreachable, flummoxed, unknown, other; only what occurs.", with("mediator_status")},
		{"poolcast_array_replica_links", "Links of pods to pods of other arrays, by status; only what occurs.", with("status")},
		{"poolcast_array_replication_lag_seconds", "Greatest lag of the links of pods.", array},
	}
}

// performance has the part of the sample that is in no report.
func (e emitter) performance(b Backend) {
	p, l := b.Details.Performance, labelsOf(b)
	if p == nil {
		return
	}
	const usec = 1e6
	for name, v := range map[string]struct {
		value *int64
		units float64
	}{
		"mirrored_writes_per_second":       {p.MirroredWritesPerSec, 1},
		"mirrored_write_bytes_per_second":  {p.MirroredWriteBytesPerSec, 1},
		"mirrored_write_latency_seconds":   {p.UsecPerMirroredWrite, usec},
		"mirrored_write_queue_seconds":     {p.QueueUsecPerMirroredWrite, usec},
		"read_qos_limit_seconds":           {p.QoSUsecPerRead, usec},
		"write_qos_limit_seconds":          {p.QoSUsecPerWrite, usec},
		"mirrored_write_qos_limit_seconds": {p.QoSUsecPerMirroredWrite, usec},
	} {
		if v.value != nil {
			e.gauge("poolcast_array_"+name, float64(*v.value)/v.units, l...)
		}
	}
}

// condition leaves out what was not read for too long.
func (e emitter) condition(b Backend) {
	c := b.Details.Condition
	for _, s := range alertsOf(c) {
		if s.open.Read() {
			e.gauge("poolcast_array_open_alerts", float64(s.open.Value), append(labelsOf(b), s.severity)...)
		}
	}
	for name, ct := range controllersOf(c) {
		e.gauge("poolcast_array_controller_info", 1, append(labelsOf(b), name, ct.Mode, ct.Status, ct.Model, ct.Version)...)
		if ready, known := ct.Ready(); known {
			e.gauge("poolcast_array_controller_up", flag(ready), append(labelsOf(b), name)...)
		}
	}
	for status, n := range c.Mediators.Value {
		e.gauge("poolcast_array_pods", float64(n), append(labelsOf(b), status)...)
	}
	for status, n := range c.ReplicaLinks.Value.Statuses {
		e.gauge("poolcast_array_replica_links", float64(n), append(labelsOf(b), status)...)
	}
	if lag := c.ReplicaLinks.Value.MaxLag; lag != nil {
		e.gauge("poolcast_array_replication_lag_seconds", lag.Seconds(), labelsOf(b)...)
	}
	for of, n := range b.connections() {
		e.gauge("poolcast_array_connections", n, append(labelsOf(b), of.Type, of.Status)...)
	}
}

// connections counts those of the last poll; none while the array does not respond.
func (b Backend) connections() map[capability.Link]float64 {
	n := map[capability.Link]float64{}
	if !b.Poll.Up {
		return n
	}
	for _, link := range b.Details.Links {
		n[capability.Link{Type: link.Type, Status: link.Status}]++
	}
	return n
}

type openAlerts struct {
	severity string
	open     capability.Reading[int64]
}

func alertsOf(c capability.Condition) []openAlerts {
	return []openAlerts{{"critical", c.CriticalAlerts}, {"warning", c.WarningAlerts}, {"info", c.InfoAlerts}}
}

// controllersOf are the controllers by name: an array has each name once.
func controllersOf(c capability.Condition) map[string]capability.Controller {
	byName := map[string]capability.Controller{}
	for _, ct := range c.Controllers.Value {
		byName[ct.Name] = ct
	}
	return byName
}

// Problems are what the array reports as wrong with itself, each in a few words: its
// open critical alerts, controllers that are not ready, connections that are down,
// pods without a mediator and links that do not replicate.
func (d Details) Problems() []string {
	var list []string
	c := d.Condition
	if n := c.CriticalAlerts.Value; n > 0 {
		list = append(list, format.Count(int(n), "critical alert")+" open")
	}
	for _, ct := range c.Controllers.Value {
		if ready, known := ct.Ready(); known && !ready {
			list = append(list, fmt.Sprintf("controller %s is %s", ct.Name, ct.Status))
		}
	}
	for _, link := range d.Links {
		if link.Status != "connected" && link.Status != "" {
			list = append(list, fmt.Sprintf("connection to %s is %s", link.Peer, link.Status))
		}
	}
	for _, status := range slices.Sorted(maps.Keys(c.Mediators.Value)) {
		if status != "online" {
			list = append(list, fmt.Sprintf("mediator of %s is %s", format.Count(int(c.Mediators.Value[status]), "pod"), status))
		}
	}
	if n := c.ReplicaLinks.Value.Statuses["unhealthy"]; n > 0 {
		list = append(list, format.Count(int(n), "replica link")+" unhealthy")
	}
	return list
}
