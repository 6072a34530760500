package collector

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/rs/zerolog"
)

// Observer receives what is to be published. It is called from many
// goroutines, one call at a time for any one host. Its methods must return soon
// and must not call the Collector.
type Observer interface {
	// Update brings a new report, which replaces any before it and ends a
	// suspension.
	Update(r capability.Report)
	// Suspend means that nothing is to be published for this host until the next
	// Update, and why.
	Suspend(host, reason string)
	// Remove means that the target was removed, or has another connection now.
	Remove(host string)
}

// Options are the settings that all targets share. The zero value is usable.
type Options struct {
	Log      zerolog.Logger
	Observer Observer // may be nil

	// Refused reports whether an error means that the array refused the login;
	// such an array is polled less often. May be nil.
	Refused func(error) bool
	// Cause returns a text for the cause of an error that is the same at every
	// poll: a change of it is logged. Nil means the error's text.
	Cause func(error) string
}

const (
	// grace is for polls in flight when the Collector stops, and again for each
	// logout.
	grace = 5 * time.Second
	// historySize is the number of points kept of each target.
	historySize = 120
)

func (o Options) withDefaults() Options {
	if o.Observer == nil {
		o.Observer = noObserver{}
	}
	if o.Refused == nil {
		o.Refused = func(error) bool { return false }
	}
	if o.Cause == nil {
		o.Cause = error.Error
	}
	return o
}

type noObserver struct{}

func (noObserver) Update(capability.Report) {}
func (noObserver) Suspend(string, string)   {}
func (noObserver) Remove(string)            {}

// Collector polls arrays, each in a goroutine of its own. Its methods may be
// called from any goroutine.
type Collector struct {
	options Options

	applying sync.Mutex     // one Apply at a time; never held with mu by a poller
	running  sync.WaitGroup // pollers that have not closed their Source yet

	mu      sync.Mutex      // guards what follows
	ctx     context.Context // of Run, for the pollers that Apply adds; nil before
	order   []string
	pollers map[string]*poller
}

// New returns a Collector without targets.
func New(o Options) *Collector {
	return &Collector{options: o.withDefaults(), pollers: map[string]*poller{}}
}

var (
	errRunning = errors.New("run collector: it is running already")
	errStopped = errors.New("apply targets: the collector has stopped")
)

// Run polls until ctx ends. It then waits for polls in flight, logs out of
// every array, each within five seconds, and returns nil. A Collector runs
// once.
func (c *Collector) Run(ctx context.Context) error {
	c.mu.Lock()
	if c.ctx != nil {
		c.mu.Unlock()
		return errRunning
	}
	c.ctx = ctx
	for _, p := range c.pollers {
		c.start(ctx, p)
	}
	c.mu.Unlock()

	<-ctx.Done()
	c.applying.Lock() // an Apply in progress must not start more pollers
	defer c.applying.Unlock()
	c.running.Wait()
	return nil
}

// start is called with mu held.
func (c *Collector) start(ctx context.Context, p *poller) {
	ctx, cancel := context.WithCancel(ctx)
	p.cancel = cancel
	c.running.Go(func() {
		defer cancel()
		p.run(ctx)
	})
}

// Apply replaces the targets that are polled. Those that were polled before
// with the same connection continue, with their session and history, and report
// any change of their stanza at once; new ones start at once; those that are not
// in the list, or have another connection now, stop. Apply returns an error, and
// changes nothing, if two targets have the same host or one cannot be polled.
//
// Before Run, Apply only stores the targets.
func (c *Collector) Apply(targets []Target) error {
	if err := Validate(targets); err != nil {
		return err
	}
	c.applying.Lock()
	defer c.applying.Unlock()
	if c.stopped() {
		return errStopped
	}
	wanted := make(map[string]Target, len(targets))
	order := make([]string, len(targets))
	for i, t := range targets {
		wanted[t.Host], order[i] = t, t.Host
	}
	c.stopOthers(wanted)
	for _, t := range targets {
		c.startOrUpdate(t)
	}
	c.mu.Lock()
	c.order = order
	c.mu.Unlock()
	return nil
}

func (c *Collector) stopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ctx != nil && c.ctx.Err() != nil
}

// stopOthers stops the pollers that are not wanted, or not with this
// connection, and returns when none of them reports any more.
func (c *Collector) stopOthers(wanted map[string]Target) {
	c.mu.Lock()
	var removed []*poller
	for host, p := range c.pollers {
		if t, ok := wanted[host]; ok && p.current().sameConnection(t) {
			continue
		}
		removed = append(removed, p)
		delete(c.pollers, host)
		c.order = slices.DeleteFunc(c.order, func(h string) bool { return h == host })
	}
	started := c.ctx != nil
	c.mu.Unlock()

	for _, p := range removed {
		if started {
			p.cancel()
			<-p.stopped
			c.options.Observer.Remove(p.host)
		} else {
			c.discard(p.current().Source)
		}
	}
}

// startOrUpdate passes the target to its poller, which is created if there is
// none.
func (c *Collector) startOrUpdate(t Target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.pollers[t.Host]; p != nil {
		if unused := p.setTarget(t); unused != nil {
			c.discard(unused)
		}
		return
	}
	p := newPoller(t, c.options)
	c.pollers[t.Host] = p
	if c.ctx != nil {
		c.start(c.ctx, p)
	}
}

// discard closes a Source that no poller uses.
func (c *Collector) discard(s Source) {
	c.running.Go(func() { _ = runBounded(context.Background(), grace, s.Close) })
}

// each returns the pollers in the order of the targets.
func (c *Collector) each() []*poller {
	c.mu.Lock()
	defer c.mu.Unlock()
	pollers := make([]*poller, 0, len(c.order))
	for _, host := range c.order {
		pollers = append(pollers, c.pollers[host])
	}
	return pollers
}

// Reports returns the reports to be published now, in the order of the targets.
// A target without a successful poll, or suspended by the stale policy, is not
// among them.
func (c *Collector) Reports() []capability.Report { return c.reports((*poller).publishedReport) }

// Latest returns the newest report of every target that had a successful poll,
// for display: also of those that are not to be published because their array
// does not respond any more. They have the status stale.
func (c *Collector) Latest() []capability.Report { return c.reports((*poller).latestReport) }

func (c *Collector) reports(of func(*poller) (capability.Report, bool)) []capability.Report {
	var reports []capability.Report
	for _, p := range c.each() {
		if r, ok := of(p); ok {
			reports = append(reports, r)
		}
	}
	return reports
}

// Health returns the health of each target, in the order of the targets.
func (c *Collector) Health() []Health {
	pollers := c.each()
	health := make([]Health, len(pollers))
	for i, p := range pollers {
		health[i] = p.currentHealth()
	}
	return health
}

// Stats returns the newest sample of a host, and whether there is one. It is
// kept also while the array does not respond; see its CollectedAt.
func (c *Collector) Stats(host string) (capability.Sample, bool) {
	if p := c.find(host); p != nil {
		return p.lastStats()
	}
	return capability.Sample{}, false
}

// History returns the latest points of a host, oldest first.
func (c *Collector) History(host string) []Point {
	if p := c.find(host); p != nil {
		return p.points()
	}
	return nil
}

func (c *Collector) find(host string) *poller {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pollers[host]
}
