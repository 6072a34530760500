package agent

import (
	"sync/atomic"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/publisher"
	"github.com/poolcast/poolcast/publisher/status"
)

// statusSource gives the status server the state of the running agent. It
// implements status.Source.
type statusSource struct {
	agent     status.Agent
	lastTick  atomic.Pointer[time.Time]
	arrays    *collector.Collector
	publisher *publisherRunner
	failures  *failureLog
	notified  *notificationRunner
	setup     *atomic.Pointer[setup.Setup]
	types     *atomic.Pointer[volumeTypes]
	config    atomic.Pointer[status.Config]
}

// tick records that the main loop runs.
func (s *statusSource) tick() {
	now := time.Now()
	s.lastTick.Store(&now)
}

// View returns the state of collector and publisher at this instant.
func (s *statusSource) View() status.View {
	now := time.Now()
	out := status.View{Now: now, Agent: s.agent, Config: *s.config.Load(), Types: s.types.Load().view()}
	current := s.setup.Load()
	out.Thresholds = viewThresholds(current.Config.Agent.Thresholds)
	if last := s.lastTick.Load(); last != nil {
		out.Agent.LastTick = *last
	}
	bus := s.publisher.Status()
	out.Bus = viewBus(bus)
	out.Failures = s.viewFailures()
	health := byKey(s.arrays.Health(), func(h collector.Health) string { return h.Host })
	reports := byKey(s.arrays.Latest(), func(r capability.Report) string { return r.Host })
	effective := byKey(s.effective(), func(r capability.Report) string { return r.Host })
	overlays := byKey(bus.Backends, func(b publisher.BackendStatus) string { return b.Identity })
	for _, t := range current.Targets {
		b := status.Backend{Name: t.Backend, Host: t.Host, Cluster: t.Cluster, Pool: t.Pool, Zone: t.Zone}
		if r, ok := reports[t.Host]; ok {
			b.Report = &r
			b.Space = viewSpace(r)
		}
		if r, ok := effective[t.Host]; ok {
			b.Effective = &r
			b.EffectiveSpace = viewSpace(r)
		}
		stats, sampled := s.arrays.Stats(t.Host)
		b.Poll = viewPoll(health[t.Host], t.Client.Counters(), stats)
		if sampled {
			b.Details = status.Details{Performance: stats.Performance, Links: stats.Links, Condition: stats.Condition.ValidAt(now, t.Interval)}
		}
		b.Overlay = viewOverlay(overlays[capability.Report{Host: t.Host, Cluster: t.Cluster}.Identity()], bus.StatsInterval)
		out.Backends = append(out.Backends, b)
	}
	for _, b := range current.Broken {
		out.Invalid = append(out.Invalid, status.InvalidBackend{Name: b.Stanza, Host: b.Host, Pool: b.VolumeBackendName, Faults: faultTexts(b.Faults)})
	}
	return out
}

func faultTexts(faults config.FieldErrors) []string {
	texts := make([]string, len(faults))
	for i, e := range faults {
		texts[i] = e.Error()
	}
	return texts
}

// effective returns the reports that the scheduler decides on: the effective report
// of each backend, and our own where the scheduler has none.
func (s *statusSource) effective() []capability.Report {
	byHost := func(r capability.Report) string { return r.Host }
	effective, sampled := byKey(s.publisher.Effective(), byHost), byKey(s.arrays.Reports(), byHost)
	var reports []capability.Report
	for _, t := range s.setup.Load().Targets {
		if r, ok := effective[t.Host]; ok {
			reports = append(reports, r)
		} else if r, ok := sampled[t.Host]; ok {
			reports = append(reports, r)
		}
	}
	return reports
}

// History returns the sparkline points of a host.
func (s *statusSource) History(host string) []status.Point {
	points := s.arrays.History(host)
	out := make([]status.Point, len(points))
	for i, p := range points {
		out[i] = status.Point{
			At: p.At, Operations: p.ReadsPerSec + p.WritesPerSec,
			BytesPerSec: p.ReadBytesPerSec + p.WriteBytesPerSec,
			ReadUsec:    p.UsecPerRead, WriteUsec: p.UsecPerWrite,
			LoadPercent: p.LoadPercent,
		}
	}
	return out
}

func viewThresholds(t config.Thresholds) status.Thresholds {
	usec := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	return status.Thresholds{
		Load:        status.Limits{Warning: t.Load[0], Critical: t.Load[1]},
		Latency:     status.Limits{Warning: usec(t.Latency[0]), Critical: usec(t.Latency[1])},
		Used:        status.Limits{Warning: t.Used[0], Critical: t.Used[1]},
		VirtualFree: status.Limits{Warning: t.VirtualFree[0], Critical: t.VirtualFree[1]},
	}
}

func viewBus(s publisher.Status) status.Bus {
	state := s.Session.State
	return status.Bus{
		Connected: state != publisher.Connecting,
		Blocked:   state == publisher.Blocked,
		Exchange:  state == publisher.Ready || state == publisher.Blocked,
		Broker:    s.Session.Broker, Reason: s.Session.Detail,
		Consumers: s.Session.Schedulers,
		Confirmed: s.Counters.Confirms, Refused: s.Counters.Nacks, Returned: s.Counters.Returns, Failed: s.Counters.Failures,
		Overlays: s.Counters.Overlays,
	}
}

func viewPoll(h collector.Health, c flasharray.Counters, newest capability.Sample) status.Poll {
	return status.Poll{
		Up: h.Up(), Error: h.Err, LastOK: h.LastOK, Duration: h.Duration,
		Polls: h.Polls, Failures: h.Errors, Skipped: h.Skipped, Skew: newest.ClockSkew,
		Requests: c.Requests, Sessions: c.Sessions, SessionsLost: c.SessionsLost,
	}
}

func viewOverlay(b publisher.BackendStatus, interval time.Duration) status.Overlay {
	o := status.Overlay{
		State: string(b.State), Since: b.Since, Cause: string(b.Cause), Reason: b.Detail,
		Failure: b.Failure, FailingSince: b.FailingSince, Interval: interval,
		PublishedAt: b.PublishedAt, ReceivedAt: b.ReceivedAt, Skew: b.ClockSkew,
	}
	for _, c := range b.Changes {
		change := status.Change{Key: c.Key, New: c.New}
		if !c.Added {
			change.Old = &c.Old
		}
		o.Changes = append(o.Changes, change)
	}
	return o
}

// viewSpace computes as the placement core does, so that the page and a decision
// agree.
func viewSpace(r capability.Report) *status.Space {
	space, ok := cinder.ArithmeticOf(r)
	if !ok {
		return nil
	}
	return &status.Space{
		Total: space.Total, Reserved: space.Reserved, Ratio: space.Ratio,
		Provisioned: space.Provisioned, VirtualFree: space.Virtual, Thin: space.Thin,
	}
}

func byKey[T any](list []T, key func(T) string) map[string]T {
	out := make(map[string]T, len(list))
	for _, x := range list {
		out[key(x)] = x
	}
	return out
}
