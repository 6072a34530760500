package files

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// The sizes that files of a kind may have, in bytes.
const (
	MaxConfig       = 16 << 20 // a cinder.conf
	MaxToken        = 4 << 10
	MaxCertificates = 4 << 20 // the authorities of a distribution are a quarter of a MiB
)

// Errors to be told apart with errors.Is.
var (
	// ErrNotRegular: the path names a folder, a FIFO, a socket or a device.
	ErrNotRegular = errors.New("is not a regular file")
	// ErrTooLarge: the file is larger than it may be.
	ErrTooLarge = errors.New("is too large")
)

// Read returns the contents of a regular file of at most limit bytes. Symbolic
// links are followed. Its errors are of type *fs.PathError.
func Read(path string, limit int64) ([]byte, error) {
	// Looked at before it is opened: opening a device can have an effect.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := check(path, info, limit); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if err := check(path, info, limit); err != nil { // it may have been replaced since
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = tooLarge(path, limit)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// ReadKeyPair reads a certificate and its private key in PEM.
func ReadKeyPair(certFile, keyFile string) (tls.Certificate, error) {
	cert, err := Read(certFile, MaxCertificates)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := Read(keyFile, MaxCertificates)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}

func check(path string, info fs.FileInfo, limit int64) error {
	switch {
	case !info.Mode().IsRegular():
		return &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("%w: it is %s", ErrNotRegular, kind(info.Mode()))}
	case info.Size() > limit:
		return tooLarge(path, limit)
	}
	return nil
}

func tooLarge(path string, limit int64) error {
	return &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("%w: it may have %d bytes", ErrTooLarge, limit)}
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

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
