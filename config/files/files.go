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

// The maximum sizes of files, in bytes.
const (
	MaxConfig       = 16 << 20 // a cinder.conf
	MaxToken        = 4 << 10
	MaxCertificates = 4 << 20 // the authorities of a distribution need a quarter of a MiB
)

// Errors for errors.Is.
var (
	// ErrNotRegular: the path is a folder, a FIFO, a socket or a device.
	ErrNotRegular = errors.New("is not a regular file")
	// ErrTooLarge: the file is larger than the limit.
	ErrTooLarge = errors.New("is too large")
	// errTimeout: the file system has not responded in time. The read continues in
	// the background, and until it returns every other read of its [Reader] fails
	// with this error at once.
	errTimeout = errors.New("the file system does not respond")
)

// Read returns the contents of a regular file of at most limit bytes. Symbolic
// links are followed. Its errors are of type *fs.PathError.
func Read(path string, limit int64) ([]byte, error) {
	// Checked before it is opened: opening a device can have an effect.
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
	if err := check(path, info, limit); err != nil { // it may have been replaced meanwhile
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
	return &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("%w: the limit is %d bytes", ErrTooLarge, limit)}
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
	return "a special file"
}

// Reader reads files with a timeout, one at a time. Its zero value is ready; any
// goroutine may use it.
type Reader struct {
	mu   sync.Mutex
	done chan struct{} // of the read that runs; nil if none does
	late bool          // its caller has timed out
}

// Do calls read in a new goroutine and returns its results, or an error if ctx ends
// first. The results of a late read are discarded.
func Do[T any](ctx context.Context, r *Reader, read func() (T, error)) (T, error) {
	var none T
	done, err := r.take(ctx)
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
		r.release(done) // before the caller can read again
		results <- result{value, err}
	}()
	select {
	case got := <-results:
		return got.value, got.err
	case <-ctx.Done():
		r.abandon(done)
		return none, timedOut(ctx)
	}
}

// Read is the function Read with a timeout.
func (r *Reader) Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	data, err := Do(ctx, r, func() ([]byte, error) { return Read(path, limit) })
	if errors.Is(err, errTimeout) {
		err = &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return data, err
}

func timedOut(ctx context.Context) error { return fmt.Errorf("%w: %w", errTimeout, context.Cause(ctx)) }

// take waits for the end of the running read, unless that one is late.
func (r *Reader) take(ctx context.Context) (chan struct{}, error) {
	for {
		r.mu.Lock()
		running, late := r.done, r.late
		if running == nil {
			r.done = make(chan struct{})
			defer r.mu.Unlock()
			return r.done, nil
		}
		r.mu.Unlock()
		if late {
			return nil, errTimeout
		}
		select {
		case <-running:
		case <-ctx.Done():
			return nil, timedOut(ctx)
		}
	}
}

func (r *Reader) release(done chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done, r.late = nil, false
	close(done)
}

// abandon marks the read as late, unless it has just returned.
func (r *Reader) abandon(done chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == done {
		r.late = true
	}
}
