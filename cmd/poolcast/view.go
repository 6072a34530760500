package main

import (
	"sync/atomic"
	"time"

	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
	"github.com/poolcast/poolcast/publisher/status"
)

// view shows the running agent to the status server. It implements
// status.Source.
type view struct {
	agent  status.Agent
	turned atomic.Pointer[time.Time]
	arrays *collector.Collector
	bus    *busRunner
	setup  *atomic.Pointer[setup]
	config atomic.Pointer[status.Config]
}

// turn notes that the main loop is alive.
func (v *view) turn() {
	now := time.Now()
	v.turned.Store(&now)
}

// View gathers what the collector and the publisher know at this instant.
func (v *view) View() status.View {
	now := time.Now()
	out := status.View{Now: now, Agent: v.agent, Config: *v.config.Load()}
	setup := v.setup.Load()
	if turned := v.turned.Load(); turned != nil {
		out.Agent.LastTick = *turned
	}
	bus := v.bus.Status()
	out.Bus = viewBus(bus)
	health := byKey(v.arrays.Health(), func(h collector.Health) string { return h.Host })
	reports := byKey(v.arrays.Latest(), func(r capability.Report) string { return r.Host })
	told := byKey(v.told(), func(r capability.Report) string { return r.Host })
	overlays := byKey(bus.Backends, func(b publisher.BackendStatus) string { return b.Identity })
	for _, t := range setup.targets {
		b := status.Backend{Name: t.Backend, Host: t.Host, Cluster: t.Cluster, Pool: t.Pool, Zone: t.Zone}
		if r, ok := reports[t.Host]; ok {
			b.Report = &r
			b.Space = viewSpace(r)
		}
		if r, ok := told[t.Host]; ok {
			b.Effective = &r
		}
		b.Poll = v.viewPoll(health[t.Host], t)
		b.Overlay = viewOverlay(overlays[capability.Report{Host: t.Host, Cluster: t.Cluster}.Identity()], bus.StatsInterval)
		out.Backends = append(out.Backends, b)
	}
	for _, b := range setup.broken {
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

// told returns what the scheduler decides on: what it was told last of each
// backend, and our own reading where nobody has told it anything.
func (v *view) told() []capability.Report {
	byHost := func(r capability.Report) string { return r.Host }
	told, read := byKey(v.bus.Told(), byHost), byKey(v.arrays.Reports(), byHost)
	var reports []capability.Report
	for _, t := range v.setup.Load().targets {
		if r, ok := told[t.Host]; ok {
			reports = append(reports, r)
		} else if r, ok := read[t.Host]; ok {
			reports = append(reports, r)
		}
	}
	return reports
}

// History returns the sparkline points of a host.
func (v *view) History(host string) []status.Point {
	points := v.arrays.History(host)
	out := make([]status.Point, len(points))
	for i, p := range points {
		out[i] = status.Point{
			At: p.At, Operations: p.ReadsPerSec + p.WritesPerSec,
			BytesPerSec: p.ReadBytesPerSec + p.WriteBytesPerSec,
			ReadUsec:    p.UsecPerRead, WriteUsec: p.UsecPerWrite,
		}
	}
	return out
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

func (v *view) viewPoll(h collector.Health, t target) status.Poll {
	p := status.Poll{
		Up: h.Up(), Error: h.Err, LastOK: h.LastOK, Duration: h.Duration,
		Polls: h.Polls, Failures: h.Errors, Skipped: h.Skipped,
	}
	c := t.client.Counters()
	p.Requests, p.Sessions, p.SessionsLost = c.Requests, c.Sessions, c.SessionsLost
	if stats, ok := v.arrays.Stats(t.Host); ok {
		p.Skew = stats.ClockSkew
	}
	return p
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

// viewSpace lets the placement core do Cinder's arithmetic, so that the page
// and a decision cannot disagree.
func viewSpace(r capability.Report) *status.Space {
	s, ok := cinder.ArithmeticOf(r)
	if !ok {
		return nil
	}
	return &status.Space{Total: s.Total, Reserved: s.Reserved, Ratio: s.Ratio, Provisioned: s.Provisioned, VirtualFree: s.Virtual, Thin: s.Thin}
}

func byKey[T any](list []T, key func(T) string) map[string]T {
	out := make(map[string]T, len(list))
	for _, x := range list {
		out[key(x)] = x
	}
	return out
}
