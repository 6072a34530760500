package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/publisher"
	"github.com/poolcast/poolcast/publisher/status"
)

// heartbeat is how often the main loop turns when nothing happens.
const heartbeat = 5 * time.Second

// agent is the running program: the components, and the configuration they run
// with, which changes with a reload.
type agent struct {
	*session
	flags   *sourceFlags
	arrays  *collector.Collector
	bus     *busRunner
	view    *view
	systemd notifier

	reading *reading
	digests *digests              // of the goroutine that reads files
	now     atomic.Pointer[setup] // changed by the main loop alone
}

// runAgent runs until the context ends, and then stops cleanly: no more polls,
// no queue left on the broker, no session left on an array.
func (f *runFlags) runAgent(cmd *cobra.Command) error {
	defer surviveBrokenPipes()()
	s, err := f.open(cmd)
	if err != nil {
		return err
	}
	a, err := newAgent(s, &f.sourceFlags)
	if err != nil {
		s.close()
		return err
	}
	return a.run(cmd.Context())
}

func newAgent(s *session, flags *sourceFlags) (*agent, error) {
	a := &agent{session: s, flags: flags, systemd: newNotifier(), reading: newReading(), digests: newDigests()}
	a.now.Store(&s.setup)
	var err error
	if a.bus, err = newBusRunner(s); err != nil {
		return nil, err
	}
	a.arrays = collector.New(collector.Options{
		Log: s.log, Observer: a.bus,
		Refused: func(err error) bool { return errors.Is(err, flasharray.ErrTokenRefused) },
		Cause:   arrayCause,
	})
	if err := a.arrays.Apply(collectorTargets(s.targets)); err != nil {
		return nil, withCode(exitConfig, err)
	}
	a.bus.reports = a.arrays.Reports
	a.view = &view{
		agent:  status.Agent{Host: hostOf(s.targets), Version: version},
		arrays: a.arrays, bus: a.bus, setup: &a.now,
	}
	a.view.config.Store(&status.Config{Loaded: time.Now()})
	a.view.turn()
	return a, nil
}

// hostOf is the host part of the backends' names, for people.
func hostOf(targets []target) string {
	for _, t := range targets {
		host, _, _ := strings.Cut(t.Host, "@")
		return host
	}
	return ""
}

func (a *agent) run(ctx context.Context) error {
	listener, server, err := a.listen(ctx)
	if err != nil {
		a.close()
		return withCode(exitConfig, err)
	}
	a.log.Info().Str("version", version).Int("backends", len(a.targets)).
		Stringer("interval", a.cfg.Agent.PollInterval).Msg("poolcast starts")
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.arrays.Run(ctx) })
	group.Go(func() error { return a.bus.run(ctx) })
	if server != nil {
		group.Go(func() error { return server.Serve(ctx, listener) })
	}
	group.Go(func() error { return a.loop(ctx) })
	err = group.Wait()
	if a.sim != nil {
		a.sim.close()
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	a.log.Info().Msg("poolcast has stopped")
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

// loop applies changed configurations, and shows the supervisor that it turns. It
// does not wait for the goroutine that reads files, which a file system may hold.
func (a *agent) loop(ctx context.Context) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	go a.followFiles(ctx)
	a.systemd.ready()
	defer a.systemd.stopping()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangups:
			poke(a.reading.wanted)
		case p := <-a.reading.plans:
			a.install(p)
		case <-beat.C:
			a.checkReading()
		}
		a.view.turn()
		a.systemd.watchdog()
	}
}

// poke leaves word without waiting for a reader.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// runOnce reads every array once, publishes what was read, and stops.
func (f *runFlags) runOnce(cmd *cobra.Command) error {
	s, err := f.open(cmd)
	if err != nil {
		return err
	}
	defer s.close()
	reports, polled := s.poll(cmd.Context())
	if err := printReports(cmd.OutOrStdout(), f.output, reports); err != nil {
		return fmt.Errorf("print reports: %w", err)
	}
	if err := s.publishOnce(cmd.Context(), reports); err != nil {
		return err
	}
	return polled
}

// onceTimeout is how long --once waits for a broker and its confirms, besides two
// intervals of cinder-volume.
const onceTimeout = 30 * time.Second

// publishOnce publishes an overlay of each backend when cinder-volume's report is
// received, and waits until the broker has confirmed all of them. The overlays
// stay until cinder-volume's next reports.
func (s *session) publishOnce(ctx context.Context, reports []capability.Report) error {
	options := busOptions(s.cfg, s.log)
	options.KeepOverlays = true
	options.Interval = max(options.Interval, options.StatsInterval) // the samples stay current while cinder-volume is awaited
	p, err := publisher.New(options)
	if err != nil {
		return withCode(exitConfig, err)
	}
	bound := onceTimeout + 2*options.StatsInterval
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	for _, r := range reports {
		p.Update(r)
	}
	left := waitPublished(ctx, p, len(reports))
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if left > 0 {
		return fmt.Errorf("%d of %d reports were not confirmed within %s: %s", left, len(reports), bound, unpublished(p.Status()))
	}
	return nil
}

// unpublished says why reports were not published: what the session or the first
// backend concerned says.
func unpublished(s publisher.Status) string {
	if s.Session.State != publisher.Ready {
		return sessionText(s.Session)
	}
	for _, b := range s.Backends {
		if b.PublishedAt.IsZero() {
			return cmp.Or(b.Failure, b.Detail)
		}
	}
	return "the broker has confirmed them late"
}

// waitPublished returns how many reports are still unconfirmed when all are, or
// when ctx ends.
func waitPublished(ctx context.Context, p *publisher.Publisher, want int) int {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		confirmed := 0
		for _, b := range p.Status().Backends {
			if !b.PublishedAt.IsZero() {
				confirmed++
			}
		}
		if confirmed >= want {
			return 0
		}
		select {
		case <-ctx.Done():
			return want - confirmed
		case <-tick.C:
		}
	}
}
