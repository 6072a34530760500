package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
)

// ErrTimeout: the file system has not answered in time. The read goes on waiting,
// and until it returns every other read of its [Reader] gets this error at once.
var ErrTimeout = errors.New("the file system does not answer")

// Reader lets one read at a time wait for the file system. Its zero value is
// ready; any goroutine may use it.
type Reader struct {
	mu   sync.Mutex
	done chan struct{} // of the read that runs; nil if none does
	late bool          // nobody waits for it any more
}

// Do runs read on a goroutine of its own and returns what it returns, or
// ErrTimeout when ctx ends first. What a late read returns is dropped.
func Do[T any](ctx context.Context, s *Reader, read func() (T, error)) (T, error) {
	var none T
	done, err := s.take(ctx)
	if err != nil {
		return none, err
	}
	type result struct {
		value T
		err   error
	}
	results := make(chan result, 1)
	go func() {
		value, err := read()
		results <- result{value, err}
		s.release(done)
	}()
	select {
	case r := <-results:
		return r.value, r.err
	case <-ctx.Done():
		s.abandon(done)
		return none, hangs(ctx)
	}
}

// Read is the function Read with a bound on time.
func (s *Reader) Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	data, err := Do(ctx, s, func() ([]byte, error) { return Read(path, limit) })
	if errors.Is(err, ErrTimeout) {
		err = &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return data, err
}

func hangs(ctx context.Context) error { return fmt.Errorf("%w: %w", ErrTimeout, context.Cause(ctx)) }

// take waits for its turn, unless the read before has been given up.
func (s *Reader) take(ctx context.Context) (chan struct{}, error) {
	for {
		s.mu.Lock()
		running, late := s.done, s.late
		if running == nil {
			s.done = make(chan struct{})
			defer s.mu.Unlock()
			return s.done, nil
		}
		s.mu.Unlock()
		if late {
			return nil, ErrTimeout
		}
		select {
		case <-running:
		case <-ctx.Done():
			return nil, hangs(ctx)
		}
	}
}

func (s *Reader) release(done chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done, s.late = nil, false
	close(done)
}

// abandon marks the read as given up, unless it has just returned.
func (s *Reader) abandon(done chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == done {
		s.late = true
	}
}
