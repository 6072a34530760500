package agent

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/publisher"
	"github.com/poolcast/poolcast/publisher/status"
	"github.com/poolcast/poolcast/publisher/status/client"
)

const (
	// listInterval is the least time between two requests for the scheduler's list.
	listInterval = time.Minute
	// listTimeout bounds a request and its repetition. The status server must respond
	// within ten seconds.
	listTimeout = 8 * time.Second
)

// schedulerList keeps the scheduler's list of backends. It is requested when a question
// needs it, and while the status page is viewed; at most once in listInterval. Questions
// that come meanwhile wait for the same reply. Any goroutine may call its methods.
type schedulerList struct {
	request backends.RequestFunc
	wanted  func() []string // identities that should be listed

	turn   chan struct{} // holds one element while a goroutine requests
	viewed chan struct{} // the page was viewed
	reply  atomic.Pointer[listReply]
}

// listReply is the result of a request. It is not changed once it is made.
type listReply struct {
	at   time.Time // zero before the first request
	list *publisher.SchedulerPools
	err  error
	last *publisher.SchedulerPools // the newest list; nil before the first
	// once is whether the list may be short: it lacks a wanted backend, and was not
	// requested a second time.
	once bool
}

func newSchedulerList(request backends.RequestFunc, wanted func() []string) *schedulerList {
	l := &schedulerList{request: request, wanted: wanted, turn: make(chan struct{}, 1), viewed: make(chan struct{}, 1)}
	l.reply.Store(&listReply{})
	return l
}

// isDue is whether a new list may be requested.
func (r *listReply) isDue() bool { return r.at.IsZero() || time.Since(r.at) >= listInterval }

// get returns the list, or why it is not known. The error of an earlier request has its
// age: the scheduler can have recovered since.
func (l *schedulerList) get() (*publisher.SchedulerPools, error) {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	ctx, cancel := context.WithTimeout(context.Background(), listTimeout)
	defer cancel()
	r := l.reply.Load()
	switch {
	case r.isDue():
		list, err := backends.RequestList(ctx, l.request, l.wanted())
		r = l.store(list, err, false)
	case r.once:
		list, err := l.request(ctx)
		if err != nil {
			list = r.list // as in RequestList: the list at hand is not worse for it
		}
		r = l.store(list, nil, false)
	}
	if age := time.Since(r.at).Round(time.Second); r.err != nil && age > 0 {
		return nil, fmt.Errorf("%w (%s ago; the next request is in %s, and poolcast place --source scheduler makes one now)", r.err, age, listInterval-age)
	}
	return r.list, r.err
}

// store keeps the result of a request.
func (l *schedulerList) store(list *publisher.SchedulerPools, err error, once bool) *listReply {
	r := &listReply{at: time.Now(), list: list, err: err, last: list, once: once}
	if err != nil {
		r.list, r.last = nil, l.reply.Load().last
	}
	l.reply.Store(r)
	return r
}

// run requests the list while the page is viewed, one request in listInterval, until ctx
// ends. While connected returns false, there is no request.
func (l *schedulerList) run(ctx context.Context, connected func() bool) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.viewed:
		}
		if l.reply.Load().isDue() && connected() {
			l.refresh(ctx)
		}
	}
}

// refresh requests the list once.
func (l *schedulerList) refresh(ctx context.Context) {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if !l.reply.Load().isDue() {
		return // a question has just requested it
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := l.request(ctx)
	l.store(list, err, err == nil && len(backends.Missing(list.Pools, l.wanted())) > 0)
}

// view returns the result of the last request at once, and has the list requested if it
// is old.
func (l *schedulerList) view() *listReply {
	notify(l.viewed)
	return l.reply.Load()
}

// requestList requests the list over the bus of the configuration in use.
func (a *agent) requestList(ctx context.Context) (*publisher.SchedulerPools, error) {
	return publisher.Pools(ctx, setup.BusOptions(a.current.Load().Config, zerolog.Nop()))
}

// identities are those of the backends that have a report.
func (a *agent) identities() []string {
	var all []string
	for _, r := range a.source.effective() {
		all = append(all, r.Identity())
	}
	return all
}

// backends are the effective reports and the scheduler's list. Without the list, a note
// says why.
func (a *agent) backends() *backends.Set {
	cfg := a.current.Load().Config
	list, err := a.list.get()
	set := backends.Arrange(a.source.effective(), list, backends.ZonesOf(cfg, nil))
	set.Source = backends.Agent
	if err != nil {
		set.Notes = append(set.Notes, backends.ListFailure(err.Error()))
	}
	set.NoteMissing(cfg.Zones)
	set.MarkLabels(cfg)
	return set
}

// listJSON is the response of /v1/scheduler.
func (a *agent) listJSON() any {
	list, err := a.list.get()
	out := client.SchedulerList{Pools: []client.SchedulerPool{}, Unlisted: []string{}}
	if err != nil {
		out.Error = err.Error()
		return out
	}
	at, age := list.Received.UTC(), time.Since(list.Received).Seconds()
	out.ReceivedAt, out.Age, out.Broker = &at, &age, list.Broker
	for _, p := range list.Pools {
		out.Pools = append(out.Pools, client.SchedulerPool(p))
	}
	out.Unlisted = append(out.Unlisted, backends.Missing(list.Pools, a.identities())...)
	return out
}

// viewList is what the status page shows of the list. It returns at once.
func (a *agent) viewList() status.SchedulerList {
	r, current := a.list.view(), a.current.Load()
	out := status.SchedulerList{RequestedAt: r.at}
	if r.err != nil {
		out.Failure = r.err.Error()
	}
	if r.last == nil {
		return out
	}
	out.ReceivedAt = r.last.Received
	own := map[string]bool{}
	for _, t := range current.Targets {
		own[capability.Report{Host: t.Host, Cluster: t.Cluster}.Identity()] = true
	}
	zones := backends.ZonesOf(current.Config, nil)
	for _, p := range r.last.Pools {
		identity, _, _ := strings.Cut(p.Name, "#")
		if own[identity] {
			continue
		}
		zone, known := zones.Of(identity)
		out.Others = append(out.Others, status.ListedPool{Name: p.Name, Zone: zone, ZoneAssumed: !known, Capabilities: p.Capabilities})
	}
	slices.SortFunc(out.Others, func(a, b status.ListedPool) int { return cmp.Compare(a.Name, b.Name) })
	// A list from before the last reload lacks what was configured since.
	if r.last.Received.After(a.source.config.Load().Loaded) {
		out.Unlisted = backends.Missing(r.last.Pools, slices.Sorted(maps.Keys(own)))
	}
	return out
}

// isConnected is whether the agent is connected to RabbitMQ.
func (a *agent) isConnected() bool { return a.publisher.Status().Session.State != publisher.Connecting }
