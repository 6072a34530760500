package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/watch"
	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/publisher/status"
)

// TickInterval is how often the main loop runs when nothing happens.
const TickInterval = 5 * time.Second

// Options are what an agent needs besides its runtime.
type Options struct {
	// FileInterval is how often the files of the configuration are hashed; 0 is
	// [watch.Interval].
	FileInterval time.Duration
}

// agent is the running program: the components, and the configuration they run
// with, which changes with a reload.
type agent struct {
	*setup.Runtime
	options   Options
	arrays    *collector.Collector
	publisher *publisherRunner
	failures  *failureLog
	notified  *notificationRunner
	source    *statusSource
	list      *schedulerList
	systemd   notifier
	files     *fileReader
	current   atomic.Pointer[setup.Setup] // changed by the main loop alone
	types     atomic.Pointer[volumeTypes] // likewise
}

// Run runs the agent until the context ends, and then stops it: no more polls, no
// queue left on the broker, no session left on an array. It closes the runtime.
func Run(ctx context.Context, runtime *setup.Runtime, o Options) error {
	a, err := newAgent(runtime, o)
	if err != nil {
		runtime.Close()
		return err
	}
	return a.run(ctx)
}

func newAgent(runtime *setup.Runtime, o Options) (*agent, error) {
	if o.FileInterval == 0 {
		o.FileInterval = watch.Interval
	}
	a := &agent{Runtime: runtime, options: o, systemd: newNotifier(), files: newFileReader()}
	a.current.Store(&runtime.Setup)
	a.types.Store(readVolumeTypes(runtime.Config.Agent.VolumeTypes, &volumeTypes{}))
	a.types.Load().logChange(a.Log, &volumeTypes{})
	var err error
	if a.publisher, err = newPublisherRunner(runtime); err != nil {
		return nil, err
	}
	a.failures = newFailureLog(a.Log)
	if a.notified, err = newNotificationRunner(runtime, a.onFailure); err != nil {
		return nil, exit.With(exit.Config, err)
	}
	a.arrays = collector.New(collector.Options{
		Log: a.Log, Observer: a.publisher,
		Refused: func(err error) bool { return errors.Is(err, flasharray.ErrTokenRefused) },
		Cause:   failureCause,
	})
	if err := a.arrays.Apply(setup.CollectorTargets(a.Targets)); err != nil {
		return nil, exit.With(exit.Config, err)
	}
	a.publisher.reports = a.arrays.Reports
	a.source = &statusSource{
		agent:  status.Agent{Host: hostOf(a.Targets), Version: a.Source.Version, Simulated: a.Source.Simulate},
		arrays: a.arrays, publisher: a.publisher, setup: &a.current, types: &a.types,
		failures: a.failures, notified: a.notified,
	}
	a.list = newSchedulerList(a.requestList, a.identities)
	a.source.config.Store(&status.Config{Loaded: time.Now()})
	a.source.tick()
	return a, nil
}

// hostOf is the host part of the backends' names.
func hostOf(targets []setup.Target) string {
	for _, t := range targets {
		host, _, _ := strings.Cut(t.Host, "@")
		return host
	}
	return ""
}

var digits = regexp.MustCompile(`[0-9]+`)

// failureCause describes the failure of an array without what differs from poll
// to poll: the request, its number, the local port.
func failureCause(err error) string {
	if errors.Is(err, flasharray.ErrTokenRefused) {
		return "token refused"
	}
	if api, ok := errors.AsType[*flasharray.APIError](err); ok {
		return fmt.Sprintf("status %d", api.Status)
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return digits.ReplaceAllString(err.Error(), "#")
}

func (a *agent) run(ctx context.Context) error {
	listener, server, err := a.listen(ctx)
	if err != nil {
		a.Close()
		return exit.With(exit.Config, err)
	}
	a.Log.Info().Str("version", a.Source.Version).Int("backends", len(a.Targets)).
		Stringer("interval", a.Config.Agent.PollInterval).Msg("poolcast starts")
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.arrays.Run(ctx) })
	group.Go(func() error { return a.publisher.run(ctx) })
	group.Go(func() error {
		a.notified.run(ctx)
		return nil
	})
	if server != nil {
		group.Go(func() error { return server.Serve(ctx, listener) })
		group.Go(func() error {
			a.list.run(ctx, a.isConnected)
			return nil
		})
	}
	group.Go(func() error { return a.loop(ctx) })
	err = group.Wait()
	if a.Clients.Simulation != nil {
		a.Clients.Simulation.Close()
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	a.Log.Info().Msg("poolcast has stopped")
	return nil
}

// listen opens the status address before anything else runs, so that a port
// that is taken is an error at the start.
func (a *agent) listen(ctx context.Context) (net.Listener, *status.Server, error) {
	o, err := a.statusOptions()
	if err != nil || o.Listen == "" {
		return nil, nil, err
	}
	server, err := status.New(o)
	if err != nil {
		return nil, nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, nil, fmt.Errorf("open status page: %w; set listen in [poolcast] to another address, or to off", err)
	}
	return l, server, nil
}

// loop applies changed configurations, and notifies systemd's watchdog. It does not
// wait for the goroutine that reads files, which a file system may block.
func (a *agent) loop(ctx context.Context) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	go a.watchFiles(ctx)
	a.systemd.ready()
	defer a.systemd.stopping()
	tick := time.NewTicker(TickInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangups:
			notify(a.files.reload)
		case p := <-a.files.plans:
			a.install(p)
		case <-tick.C:
			a.checkFiles()
			a.failures.tick(time.Now())
		}
		a.source.tick()
		a.systemd.watchdog()
	}
}

// notify sends without waiting for a receiver.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
