package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/publisher"
	"github.com/poolcast/poolcast/publisher/status/client"
)

const (
	// listInterval is the least time between two requests for the scheduler's list.
	listInterval = time.Minute
	// listTimeout bounds a request and its repetition. The status server must respond
	// within ten seconds.
	listTimeout = 8 * time.Second
)

// schedulerList keeps the scheduler's list of backends. It is requested only when a
// question needs it, at most once in listInterval, and those who ask meanwhile wait
// for the same reply. Any goroutine may call its methods.
type schedulerList struct {
	request backends.RequestFunc
	wanted  func() []string // identities that should be listed

	turn chan struct{} // holds one element while a goroutine uses what follows
	at   time.Time     // of the last request; zero before the first
	list *publisher.SchedulerPools
	err  error
}

func newSchedulerList(request backends.RequestFunc, wanted func() []string) *schedulerList {
	return &schedulerList{request: request, wanted: wanted, turn: make(chan struct{}, 1)}
}

// get returns the list, or why it is not known. The error of an earlier request has its
// age: the scheduler can have recovered since.
func (l *schedulerList) get() (*publisher.SchedulerPools, error) {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if l.at.IsZero() || time.Since(l.at) >= listInterval {
		ctx, cancel := context.WithTimeout(context.Background(), listTimeout)
		defer cancel()
		l.list, l.err = backends.RequestList(ctx, l.request, l.wanted())
		l.at = time.Now()
	}
	if age := time.Since(l.at).Round(time.Second); l.err != nil && age > 0 {
		return l.list, fmt.Errorf("%w (%s ago; the next request is in %s, and poolcast place --source scheduler makes one now)", l.err, age, listInterval-age)
	}
	return l.list, l.err
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
