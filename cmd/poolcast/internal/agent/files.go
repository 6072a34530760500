package agent

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/watch"
	"github.com/poolcast/poolcast/config"
)

// watchedFiles are those whose change causes a reload: the configuration, and every
// certificate, token and file of volume types that it names.
func watchedFiles(cfg *config.Config) []string {
	paths := slices.Clone(cfg.Paths)
	authorities := map[string]bool{}
	for _, b := range cfg.Backends {
		paths = append(paths, b.Credential.File)
		if !authorities[b.CAPath] {
			authorities[b.CAPath] = true
			paths = append(append(paths, b.CAPath), watch.Files(b.CAPath)...)
		}
	}
	for _, b := range cfg.Broken {
		paths = append(paths, b.Credential.File, b.CAPath)
	}
	bus, agent := cfg.Bus.TLS, cfg.Agent
	paths = append(paths, bus.CAFile, bus.CertFile, bus.KeyFile, agent.TLSCertFile, agent.TLSKeyFile, agent.BearerTokenFile, agent.VolumeTypes)
	return slices.DeleteFunc(paths, func(path string) bool { return path == "" })
}

// fileReader is what the goroutine that reads files shares with the main loop,
// which must not wait for a file system that does not respond.
type fileReader struct {
	reload  chan struct{} // a reload was requested
	plans   chan *plan
	started atomic.Pointer[time.Time] // when it began to read files; nil while it reads none
	blocked bool                      // whether that was logged; of the main loop
}

func newFileReader() *fileReader {
	return &fileReader{reload: make(chan struct{}, 1), plans: make(chan *plan)}
}

// watchFiles hashes the files until ctx ends, and passes a plan to the main loop
// when they have changed or a reload is requested.
func (a *agent) watchFiles(ctx context.Context) {
	r := a.files
	r.begin()
	w := watch.NewWatcher(a.Clients.Hashes, a.options.FileInterval, watchedFiles(a.current.Load().Config))
	r.end()
	tick := time.NewTicker(a.options.FileInterval)
	defer tick.Stop()
	for {
		why := ""
		select {
		case <-ctx.Done():
			return
		case <-r.reload:
			r.begin()
			w.Accept() // or the same change would cause a second reload
			why = "SIGHUP"
		case now := <-tick.C:
			r.begin()
			if w.Changed(now) {
				why = "a file changed"
			}
		}
		if why != "" && !a.passOn(ctx, a.plan(why), w) {
			return
		}
		r.end()
	}
}

// passOn passes a plan to the main loop and watches the files that count from
// then on: those of a refused configuration too.
func (a *agent) passOn(ctx context.Context, p *plan, w *watch.Watcher) bool {
	select {
	case a.files.plans <- p:
	case <-ctx.Done():
		return false
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		return false
	}
	w.SetPaths(append(watchedFiles(a.current.Load().Config), p.paths...))
	return true
}

func (r *fileReader) begin() {
	now := time.Now()
	r.started.Store(&now)
}

func (r *fileReader) end() { r.started.Store(nil) }

// maxReadTime is how long reading the files may take before it is logged.
const maxReadTime = 30 * time.Second

// checkFiles logs once that the file system does not respond, and once that it
// responds again.
func (a *agent) checkFiles() {
	started := a.files.started.Load()
	blocked := started != nil && time.Since(*started) > maxReadTime
	switch {
	case blocked == a.files.blocked:
	case blocked:
		a.Log.Warn().Msg("cannot read the files of the configuration, the file system does not respond; changes are not noticed")
	default:
		a.Log.Info().Msg("the files of the configuration can be read again")
	}
	a.files.blocked = blocked
}
