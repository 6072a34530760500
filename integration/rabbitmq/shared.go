package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/poolcast/poolcast/integration/process"
)

// Shared is one broker for many tests, each with a virtual host of its own. It starts
// with the first test that uses it, and runs until Close, which TestMain calls.
type Shared struct {
	Options Options

	mu     sync.Mutex
	broker *Broker
	scope  *binaryScope
	hosts  int
}

// VirtualHost returns the broker with a new, empty virtual host. The test stops if it
// tries to end or to block the broker.
func (s *Shared) VirtualHost(t process.T) *Broker {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broker == nil {
		s.scope = &binaryScope{T: t}
		s.broker = Start(s.scope, s.Options)
	}
	s.hosts++
	name := fmt.Sprintf("test%d", s.hosts)
	view := s.broker.In(t, name)
	view.shared = true
	view.VHosts(t, name)
	return view
}

// Close ends the broker, if any test has used it.
func (s *Shared) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scope == nil {
		return nil
	}
	return s.scope.end()
}

// requireOwn stops a test that would take the broker away from other tests.
func (b *Broker) requireOwn() {
	b.t.Helper()
	if b.shared {
		b.t.Fatalf("this broker is shared with other tests: use one of the test's own")
	}
}

// binaryScope is a process.T that lasts as long as the test binary. Errors of the
// start are those of the test that it was made from.
type binaryScope struct {
	process.T
	cleanups []func()
	faults   []error
}

func (l *binaryScope) Context() context.Context { return context.WithoutCancel(l.T.Context()) }
func (l *binaryScope) Cleanup(f func())         { l.cleanups = append(l.cleanups, f) }
func (l *binaryScope) Failed() bool             { return false }
func (l *binaryScope) Logf(string, ...any)      {}

func (l *binaryScope) TempDir() string {
	l.Helper()
	dir, err := os.MkdirTemp("", "rabbitmq-shared-")
	if err != nil {
		l.Fatalf("make the broker's folder: %v", err)
	}
	l.Cleanup(func() { l.faults = append(l.faults, os.RemoveAll(dir)) })
	return dir
}

func (l *binaryScope) end() error {
	for i := len(l.cleanups) - 1; i >= 0; i-- {
		l.cleanups[i]()
	}
	l.cleanups = nil
	return errors.Join(l.faults...)
}
