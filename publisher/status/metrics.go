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

// newRegistry returns a registry of the metrics of the process and of a view.
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
	e.failures(v)
	var reports []capability.Report
	for _, b := range v.Backends {
		e.space(b)
		e.poll(b)
		e.overlay(v, b)
		e.condition(b)
		if b.Report != nil {
			e.array(b)
			e.performance(b)
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

// failures are counted only while explain_failures is set.
func (e emitter) failures(v View) {
	if !v.Failures.Enabled {
		return
	}
	e.gauge("poolcast_notifications_listening", flag(v.Failures.Listening))
	for _, c := range v.Failures.Counts {
		e.counter("poolcast_failed_creates_total", c.Number, c.Pool, c.Filter)
	}
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
		text(c, capability.KeyArrayModel), text(c, capability.KeyPurityVersion), b.Zone)...)
	for _, m := range measured() {
		if f, ok := c[m.key].Float(); ok {
			e.gauge(m.Name, f/m.units, l...)
		}
	}
}

// space is what CapacityFilter compares with the size of a volume. Nothing is sent where
// the filter computes nothing.
func (e emitter) space(b Backend) {
	if s := b.EffectiveSpace; s != nil {
		l := labelsOf(b)
		e.gauge("poolcast_array_virtual_capacity_bytes", s.virtualCapacity()*gib, l...)
		e.gauge("poolcast_array_virtual_free_bytes", s.VirtualFree*gib, l...)
	}
}

func (e emitter) pool(p capability.LogicalPool) {
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

// Metric describes one metric for the registry and for the reference page.
type Metric struct {
	Name   string // with the unit, by the conventions of Prometheus
	Help   string
	Labels []string
}

// Type is the Prometheus type: names of counters end in _total.
func (m Metric) Type() string {
	if strings.HasSuffix(m.Name, "_total") {
		return "counter"
	}
	return "gauge"
}

// measurement is a metric that is a key of the report in another unit.
type measurement struct {
	Metric
	key string
	// units of the key make one of the metric's. Dividing by a whole number gives
	// the nearest number to 382 µs in seconds; multiplying by 1e-6 does not.
	units float64
}

// measured returns the keys of a report that are metrics, in base units.
func measured() []measurement {
	array := []string{"host", "backend", "volume_backend_name"}
	row := func(name, key string, units float64, help string) measurement {
		return measurement{Metric{"poolcast_array_" + name, help, array}, key, units}
	}
	const usec, bytes, percent = 1e6, 1.0 / gib, 100
	return []measurement{
		row("capacity_bytes", capability.KeyTotalCapacity, bytes, "Usable capacity."),
		row("free_bytes", capability.KeyFreeCapacity, bytes, "Capacity minus what is in use."),
		row("provisioned_bytes", capability.KeyProvisionedCapacity, bytes, "Sum of the provisioned sizes."),
		row("max_over_subscription_ratio", capability.KeyMaxOverSubscription, 1, "Over-subscription ratio as reported to the scheduler."),
		row("reads_per_second", capability.KeyReadsPerSec, 1, "Read operations."),
		row("writes_per_second", capability.KeyWritesPerSec, 1, "Write operations."),
		row("read_bytes_per_second", capability.KeyOutputPerSec, 1, "Bytes read."),
		row("write_bytes_per_second", capability.KeyInputPerSec, 1, "Bytes written."),
		row("read_latency_seconds", capability.KeyUsecPerRead, usec, "Mean latency of a read."),
		row("write_latency_seconds", capability.KeyUsecPerWrite, usec, "Mean latency of a write."),
		row("read_queue_seconds", capability.KeyQueueUsecPerRead, usec, "Mean time a read waits in the array's queue."),
		row("write_queue_seconds", capability.KeyQueueUsecPerWrite, usec, "Mean time a write waits in the array's queue."),
		row("load_ratio", capability.KeyLoadPercent, percent, "Share of an operation's time spent queueing."),
		row("data_reduction_ratio", capability.KeyDataReduction, 1, "Data reduction without thin provisioning."),
		row("volumes", capability.KeyTotalVolumes, 1, "Volumes, destroyed ones included."),
		row("live_volumes", capability.KeyLiveVolumes, 1, "Volumes that are not destroyed."),
		row("snapshots", capability.KeyTotalSnapshots, 1, "Volume snapshots, destroyed ones included."),
		row("hosts", capability.KeyTotalHosts, 1, "Hosts, those of connected arrays included."),
		row("protection_groups", capability.KeyTotalProtectionGroups, 1, "Protection groups, destroyed ones included."),
		row("sample_age_seconds", capability.KeyMetricsAge, 1, "Age of the performance sample when it was reported."),
	}
}

// Metrics returns every metric that poolcast adds to those of the Go runtime, in
// the order of the reference page.
func Metrics() []Metric {
	array := []string{"host", "backend", "volume_backend_name"}
	with := func(more ...string) []string { return append(append([]string{}, array...), more...) }
	pool := []string{"volume_backend_name", "availability_zone"}
	all := []Metric{
		{"poolcast_build_info", "Always 1; the version is a label.", []string{"version"}},
		{"poolcast_config_last_reload_successful", "1 if the newest configuration is in use, 0 if it was refused.", nil},
		{"poolcast_config_last_reload_success_timestamp_seconds", "When the configuration in use was loaded.", nil},
		{"poolcast_backend_config_valid", "1 if an enabled backend is served, 0 if its section is invalid; the fault is a label.", with("fault")},
		{"poolcast_bus_connected", "1 while connected to RabbitMQ.", nil},
		{"poolcast_bus_blocked", "1 while RabbitMQ blocks publishers.", nil},
		{"poolcast_bus_exchange_present", "1 while schedulers run and their fanout exchange exists.", nil},
		{"poolcast_bus_publishes_total", "Messages sent, by result: confirmed, refused, returned, failed.", []string{"result"}},
		{"poolcast_scheduler_consumers", "Consumers of the cinder-scheduler queue.", nil},
		{"poolcast_notifications_listening", "1 while error notifications of the schedulers are received; only with explain_failures.", nil},
		{"poolcast_failed_creates_total", "Volumes for which a scheduler found no backend, by the pool of the volume type and by the filter that refused most of its backends: none if a backend fits now, other if it is none of the configured filters. Only with explain_failures.", []string{"volume_backend_name", "filter"}},
		{"poolcast_array_up", "1 if the last poll of the array succeeded.", array},
		{"poolcast_array_info", "Always 1; the labels identify the array of a backend.", with("array_id", "array_name", "model", "purity_version", "availability_zone")},
		{"poolcast_array_polls_total", "Polls, by result: ok, failed, skipped.", with("result")},
		{"poolcast_array_poll_duration_seconds", "Duration of the last poll.", array},
		{"poolcast_array_last_success_timestamp_seconds", "When the array was last polled successfully.", array},
		{"poolcast_array_rest_requests_total", "REST requests by HTTP status; 0 is no response.", with("code")},
		{"poolcast_array_sessions", "Sessions of this agent that are open on the array: 1, or 0 before the first login.", array},
		{"poolcast_array_sessions_lost_total", "Logins without a response and failed logouts; each may have left a session open until it expires on the array.", array},
		{"poolcast_array_clock_skew_seconds", "The array's clock minus this host's.", array},
		{"poolcast_report_age_seconds", "Time since a report of the backend was last published.", array},
		{"poolcast_base_report_age_seconds", "Time since cinder-volume's last report was received.", array},
		{"poolcast_base_clock_skew_seconds", "cinder-volume's clock minus this host's, from several of its reports.", array},
		{"poolcast_overlays_total", "Overlays published.", nil},
		{"poolcast_backend_ready", "1 while reports of the backend reach the schedulers, 0 otherwise; /readyz has the reason.", array},
		{"poolcast_overlay_suspended", "1 while the backend is not overlaid; the reason is a label.", with("reason")},
		{"poolcast_array_virtual_capacity_bytes", "Capacity for volumes as CapacityFilter computes it from the effective report: total less reserved, times the over-subscription ratio.", array},
		{"poolcast_array_virtual_free_bytes", "Virtual capacity less what is provisioned; CapacityFilter refuses a larger volume. Negative if more is provisioned.", array},
		{"poolcast_pool_arrays", "Arrays that share a volume_backend_name in a zone.", pool},
		{"poolcast_pool_load_evenness_ratio", "1 is an even load on the pool's arrays, 1/n is all load on one of n.", pool},
		{"poolcast_pool_capacity_evenness_ratio", "1 is equally full arrays.", pool},
		{"poolcast_pool_data_reduction_divergence_ratio", "How far the best data reduction of the pool is above the worst; 0 is equal.", pool},
	}
	for _, m := range measured() {
		all = append(all, m.Metric)
	}
	return append(all, conditionMetrics()...)
}
