package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
)

// T is what programs are started for: a test or a benchmark, whose testing.TB it is, or
// a function that [Run] calls. What is started for it ends with it.
type T interface {
	Lifetime
	Result
	Logf(format string, args ...any)
}

// Lifetime is how long programs and files of a T exist.
type Lifetime interface {
	Context() context.Context
	Cleanup(end func())
	TempDir() string
}

// Result is whether a T has failed. Fatalf also ends the goroutine.
type Result interface {
	Helper()
	Failed() bool
	Fatalf(format string, args ...any)
}

// Run calls a function of a program as the testing package calls a test, and returns
// what the function failed with. Before it returns it calls the functions of Cleanup and
// removes the temporary folders, which are in one folder whose name begins with a
// prefix. When the context ends, waiting ends too.
func Run(ctx context.Context, prefix string, f func(T)) error {
	r := &run{ctx: ctx, prefix: prefix}
	r.call(func() { f(r) })
	for {
		end := r.lastCleanup()
		if end == nil {
			return r.err
		}
		r.call(end)
	}
}

// run is the T of Run.
type run struct {
	ctx    context.Context
	prefix string

	mu       sync.Mutex
	err      error
	cleanups []func()
	dir      string
	folders  int
}

// call calls a function that may end its goroutine.
func (r *run) call(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// lastCleanup removes the latest function of Cleanup from the list.
func (r *run) lastCleanup() func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.cleanups) - 1
	if last < 0 {
		return nil
	}
	end := r.cleanups[last]
	r.cleanups = r.cleanups[:last]
	return end
}

func (r *run) Context() context.Context { return r.ctx }
func (r *run) Helper()                  {}
func (r *run) Logf(string, ...any)      {}

func (r *run) Cleanup(end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, end)
}

func (r *run) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err != nil
}

func (r *run) Fatalf(format string, args ...any) {
	r.fail(fmt.Errorf(format, args...))
	runtime.Goexit()
}

func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = errors.Join(r.err, err)
}

func (r *run) TempDir() string {
	dir, err := r.newFolder()
	if err != nil {
		r.Fatalf("make a temporary folder: %v", err)
	}
	return dir
}

// newFolder makes a folder in the folder of the run, which the first call makes.
func (r *run) newFolder() (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dir == "" {
		dir, err := os.MkdirTemp("", r.prefix)
		if err != nil {
			return "", err
		}
		r.dir = dir
		remove := func() {
			if err := os.RemoveAll(dir); err != nil {
				r.fail(err)
			}
		}
		r.cleanups = append([]func(){remove}, r.cleanups...) // the last one that is called
	}
	r.folders++
	dir := filepath.Join(r.dir, fmt.Sprintf("%03d", r.folders))
	return dir, os.Mkdir(dir, 0o700)
}

// Parallel calls functions side by side and returns when all have returned. Each may use
// its T from its own goroutine, which a test must not do with its testing.TB. When one
// has failed, waiting ends in the others, and then t fails in the same way. What keeps a
// T of Parallel uses t itself from then on.
func Parallel(t T, functions ...func(T)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	shared := &failure{cancel: cancel}
	var all sync.WaitGroup
	for _, f := range functions {
		all.Go(func() { f(&branch{T: t, ctx: ctx, failure: shared}) })
	}
	all.Wait()
	shared.returned.Store(true)
	cancel()
	if shared.text != "" {
		t.Fatalf("%s", shared.text)
	}
}

// failure is the first failure of functions that run side by side.
type failure struct {
	cancel   context.CancelFunc
	returned atomic.Bool
	once     sync.Once
	text     string
}

// branch is the T of one of these functions.
type branch struct {
	T
	ctx context.Context
	*failure
}

func (b *branch) Context() context.Context {
	if b.returned.Load() {
		return b.T.Context()
	}
	return b.ctx
}

func (b *branch) Fatalf(format string, args ...any) {
	if b.returned.Load() {
		b.T.Fatalf(format, args...)
	}
	b.once.Do(func() {
		b.text = fmt.Sprintf(format, args...)
		b.cancel()
	})
	runtime.Goexit()
}
