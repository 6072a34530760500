package main

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/poolcast/poolcast/config"
)

const (
	// lookInterval is how often the files are looked at. A change counts when two
	// looks in a row see the same: editors and configuration managers write in
	// several steps.
	lookInterval = 2 * time.Second
	// longestChange is how long files that never stay the same are waited for.
	longestChange = 4 * lookInterval
)

// follower notices when the contents of files change. It looks at them again and
// again, because a file system tells of changes neither on a network mount nor
// in a folder that was removed and made again.
type follower struct {
	digests *digests
	paths   []string
	read    map[string]sum // what was last taken in
	seen    map[string]sum // what differed from it at the last look; nil if nothing did
	since   time.Time      // when it began to differ
}

func newFollower(d *digests, paths []string) *follower {
	f := &follower{digests: d}
	f.follow(paths)
	return f
}

// look returns the hashes of all files as they are now.
func (f *follower) look() map[string]sum {
	sums := make(map[string]sum, len(f.paths))
	for _, path := range f.paths {
		sums[path] = f.digests.of(path)
	}
	return sums
}

// changed reports whether the files have other contents than those taken in, and
// have settled. It then takes in what it saw, so that a broken file is reported
// once.
func (f *follower) changed(now time.Time) bool {
	sums := f.look()
	if maps.Equal(sums, f.read) {
		f.seen = nil
		return false
	}
	if f.seen == nil {
		f.since = now
	}
	if !maps.Equal(sums, f.seen) && now.Sub(f.since) < longestChange {
		f.seen = sums
		return false
	}
	f.read, f.seen = sums, nil
	return true
}

// takeIn makes the files as they are now those that were taken in.
func (f *follower) takeIn() { f.read, f.seen = f.look(), nil }

// follow replaces the files to look at. Those that were followed before stay as
// they were taken in, so that what changes while a reload reads is noticed.
func (f *follower) follow(paths []string) {
	before := f.read
	f.paths = slices.Compact(slices.Sorted(slices.Values(paths)))
	f.read = f.look()
	for path, old := range before {
		if _, still := f.read[path]; still {
			f.read[path] = old
		}
	}
	f.seen = nil
	f.digests.keep(f.read)
}

// followedFiles are those whose change is a reason to reload: the configuration,
// and every certificate and token it names.
func followedFiles(cfg *config.Config) []string {
	paths := slices.Clone(cfg.Paths)
	authorities := map[string]bool{}
	for _, b := range cfg.Backends {
		paths = append(paths, b.Credential.File)
		if !authorities[b.CAPath] {
			authorities[b.CAPath] = true
			paths = append(append(paths, b.CAPath), filesAt(b.CAPath)...)
		}
	}
	for _, b := range cfg.Broken {
		paths = append(paths, b.Credential.File, b.CAPath)
	}
	bus, agent := cfg.Bus.TLS, cfg.Agent
	paths = append(paths, bus.CAFile, bus.CertFile, bus.KeyFile, agent.TLSCertFile, agent.TLSKeyFile, agent.BearerTokenFile)
	return slices.DeleteFunc(paths, func(path string) bool { return path == "" })
}

// reading is what the goroutine that reads files shares with the main loop,
// which must not wait for a file system that does not answer.
type reading struct {
	wanted chan struct{} // a reload was asked for
	plans  chan *plan
	begun  atomic.Pointer[time.Time] // when it began to look at files; nil while it waits
	hangs  bool                      // whether that was logged; of the main loop
}

func newReading() *reading {
	return &reading{wanted: make(chan struct{}, 1), plans: make(chan *plan)}
}

// followFiles looks at the files until ctx ends, and hands a plan to the main
// loop when they have changed or a reload is asked for.
func (a *agent) followFiles(ctx context.Context) {
	r := a.reading
	r.begin()
	f := newFollower(a.digests, followedFiles(a.now.Load().cfg))
	r.end()
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	for {
		why := ""
		select {
		case <-ctx.Done():
			return
		case <-r.wanted:
			r.begin()
			f.takeIn() // or the same change would be a reason twice
			why = "SIGHUP"
		case now := <-tick.C:
			r.begin()
			if f.changed(now) {
				why = "a file changed"
			}
		}
		if why != "" && !a.handOver(ctx, a.plan(why), f) {
			return
		}
		r.end()
	}
}

// handOver gives a plan to the main loop and follows the files that count from
// then on: those of a refused configuration too.
func (a *agent) handOver(ctx context.Context, p *plan, f *follower) bool {
	select {
	case a.reading.plans <- p:
	case <-ctx.Done():
		return false
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		return false
	}
	f.follow(append(followedFiles(a.now.Load().cfg), p.paths...))
	return true
}

func (r *reading) begin() {
	now := time.Now()
	r.begun.Store(&now)
}

func (r *reading) end() { r.begun.Store(nil) }

// hangAfter is how long a look at the files may take before somebody is told.
const hangAfter = 30 * time.Second

// checkReading logs once that the file system does not answer, and once that it
// does again.
func (a *agent) checkReading() {
	begun := a.reading.begun.Load()
	hangs := begun != nil && time.Since(*begun) > hangAfter
	switch {
	case hangs == a.reading.hangs:
	case hangs:
		a.log.Warn().Msg("the files of the configuration cannot be read, because the file system does not answer: changes are not noticed")
	default:
		a.log.Info().Msg("the files of the configuration can be read again")
	}
	a.reading.hangs = hangs
}
