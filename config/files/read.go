package files

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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
