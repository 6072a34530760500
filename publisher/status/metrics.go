package status

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/poolcast/poolcast/collector/capability"
)

const gib = 1 << 30

// newRegistry holds the process's own metrics and everything in a view.
func newRegistry(source Source) (*prometheus.Registry, error) {
	r := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		newViewCollector(source),
	} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return r, nil
}

// viewCollector turns one view into samples at each scrape. Nothing is kept
// between scrapes, so a backend that was removed is gone at once.
type viewCollector struct {
	source Source
	descs  map[string]*prometheus.Desc
}

func newViewCollector(source Source) *viewCollector {
	c := &viewCollector{source: source, descs: map[string]*prometheus.Desc{}}
	for _, m := range Metrics() {
		c.descs[m.Name] = prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *viewCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *viewCollector) Collect(ch chan<- prometheus.Metric) {
	v := c.source.View()
	e := emitter{descs: c.descs, ch: ch}
	e.gauge("poolcast_build_info", 1, v.Agent.Version)
	e.config(v)
	e.bus(v)
	var reports []capability.Report
	for _, b := range v.Backends {
		e.poll(b)
		e.overlay(v, b)
		if b.Report != nil {
			e.array(b)
			reports = append(reports, *b.Report)
		}
	}
	for _, p := range capability.GroupPools(reports) {
		e.pool(p)
	}
}

// emitter sends samples of the described metrics.
type emitter struct {
	descs map[string]*prometheus.Desc
	ch    chan<- prometheus.Metric
}

func (e emitter) gauge(name string, value float64, labels ...string) {
	e.ch <- prometheus.MustNewConstMetric(e.descs[name], prometheus.GaugeValue, value, labels...)
}

func (e emitter) counter(name string, value uint64, labels ...string) {
	e.ch <- prometheus.MustNewConstMetric(e.descs[name], prometheus.CounterValue, float64(value), labels...)
}

// optional leaves out what was not measured.
func (e emitter) optional(name string, value *float64, labels ...string) {
	if value != nil {
		e.gauge(name, *value, labels...)
	}
}

func (e emitter) config(v View) {
	e.gauge("poolcast_config_last_reload_successful", flag(v.Config.Refused.IsZero()))
	if !v.Config.Loaded.IsZero() {
		e.gauge("poolcast_config_last_reload_success_timestamp_seconds", float64(v.Config.Loaded.UnixMilli())/1000)
	}
	for _, b := range v.Backends {
		e.gauge("poolcast_backend_config_valid", 1, append(labelsOf(b), "")...)
	}
	for _, b := range v.Invalid {
		e.gauge("poolcast_backend_config_valid", 0, b.Host, b.Name, b.Pool, strings.ToValidUTF8(strings.Join(b.Faults, "; "), "?"))
	}
}

func (e emitter) bus(v View) {
	b := v.Bus
	e.gauge("poolcast_bus_connected", flag(b.Connected))
	e.gauge("poolcast_bus_blocked", flag(b.Blocked))
	e.gauge("poolcast_bus_exchange_present", flag(b.Exchange))
	if b.Consumers != nil {
		e.gauge("poolcast_scheduler_consumers", float64(*b.Consumers))
	}
	e.counter("poolcast_bus_publishes_total", b.Confirmed, "confirmed")
	e.counter("poolcast_bus_publishes_total", b.Refused, "refused")
	e.counter("poolcast_bus_publishes_total", b.Returned, "returned")
	e.counter("poolcast_bus_publishes_total", b.Failed, "failed")
	e.counter("poolcast_overlays_total", b.Overlays)
}

func (e emitter) poll(b Backend) {
	l := labelsOf(b)
	e.gauge("poolcast_array_up", flag(b.Poll.Up), l...)
	e.counter("poolcast_array_polls_total", b.Poll.Polls-b.Poll.Failures, append(l, "ok")...)
	e.counter("poolcast_array_polls_total", b.Poll.Failures, append(l, "failed")...)
	e.counter("poolcast_array_polls_total", b.Poll.Skipped, append(l, "skipped")...)
	e.gauge("poolcast_array_poll_duration_seconds", b.Poll.Duration.Seconds(), l...)
	if !b.Poll.LastOK.IsZero() {
		e.gauge("poolcast_array_last_success_timestamp_seconds", float64(b.Poll.LastOK.UnixMilli())/1000, l...)
	}
	for code, n := range b.Poll.Requests {
		e.counter("poolcast_array_rest_requests_total", n, append(l, strconv.Itoa(code))...)
	}
	e.gauge("poolcast_array_sessions", float64(b.Poll.Sessions), l...)
	e.counter("poolcast_array_sessions_lost_total", b.Poll.SessionsLost, l...)
	if b.Poll.Skew != nil {
		e.gauge("poolcast_array_clock_skew_seconds", b.Poll.Skew.Seconds(), l...)
	}
}

func (e emitter) overlay(v View, b Backend) {
	l := labelsOf(b)
	o := b.Overlay
	e.gauge("poolcast_backend_ready", flag(b.ready(v.Now).OK), l...)
	e.gauge("poolcast_overlay_suspended", flag(o.State == "suspended"), append(l, o.Cause)...)
	if !o.PublishedAt.IsZero() {
		e.gauge("poolcast_report_age_seconds", v.Now.Sub(o.PublishedAt).Seconds(), l...)
	}
	if !o.ReceivedAt.IsZero() {
		e.gauge("poolcast_base_report_age_seconds", v.Now.Sub(o.ReceivedAt).Seconds(), l...)
	}
	if o.Skew != nil {
		e.gauge("poolcast_base_clock_skew_seconds", o.Skew.Seconds(), l...)
	}
}

func (e emitter) array(b Backend) {
	l, c := labelsOf(b), b.Report.Capabilities
	e.gauge("poolcast_array_info", 1, append(l, text(c, capability.KeyArrayID), text(c, capability.KeyArrayName),
		text(c, capability.KeyArrayModel), text(c, capability.KeyPurityVersion))...)
	for _, m := range measured() {
		if f, ok := c[m.key].Float(); ok {
			e.gauge(m.Name, f/m.units, l...)
		}
	}
}

func (e emitter) pool(p capability.Pool) {
	l := []string{p.Name, p.Zone}
	e.gauge("poolcast_pool_arrays", float64(len(p.Reports)), l...)
	e.optional("poolcast_pool_load_evenness_ratio", p.LoadEvenness(), l...)
	e.optional("poolcast_pool_capacity_evenness_ratio", p.CapacityEvenness(), l...)
	e.optional("poolcast_pool_data_reduction_divergence_ratio", p.ReductionDivergence(), l...)
}

// labelsOf is a fresh slice with room, so that append never shares memory.
func labelsOf(b Backend) []string {
	return append(make([]string, 0, 8), b.Host, b.Name, b.Pool)
}

func text(c capability.Set, key string) string {
	s, _ := c[key].Str()
	return s
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
