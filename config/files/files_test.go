package files

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestReadRegularFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	link := path + ".link"
	for _, size := range []int{0, 1, 99, 100} {
		want := bytes.Repeat([]byte("x"), size)
		if err := os.WriteFile(path, want, 0o600); err != nil {
			t.Fatal(err)
		}
		_ = os.Symlink(path, link)
		for _, name := range []string{path, link} {
			if got, err := Read(name, 100); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes: got %d, %v", size, len(got), err)
			}
		}
	}
}

// TestReadIrregularFile reads files that would block, fill the memory, or have an
// effect on a device.
func TestReadIrregularFile(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	if err := errors.Join(
		syscall.Mkfifo(in("fifo"), 0o600),
		os.Symlink(in("fifo"), in("link to fifo")),
		os.Symlink("/dev/zero", in("link to zero")),
		os.WriteFile(in("large"), make([]byte, 101), 0o600),
		os.WriteFile(in("sparse"), nil, 0o600),
		os.Truncate(in("sparse"), 1<<40),
	); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", in("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	for path, want := range map[string]error{
		folder: ErrNotRegular, in("fifo"): ErrNotRegular, in("link to fifo"): ErrNotRegular, in("socket"): ErrNotRegular,
		"/dev/zero": ErrNotRegular, in("link to zero"): ErrNotRegular, "/dev/tty": ErrNotRegular,
		in("large"): ErrTooLarge, in("sparse"): ErrTooLarge, in("absent"): fs.ErrNotExist,
	} {
		data, err := Read(path, 100)
		if !errors.Is(err, want) || data != nil {
			t.Errorf("%s: got %d bytes and %v, want %v", path, len(data), err, want)
		}
		if p := new(fs.PathError); !errors.As(err, &p) || p.Path != path {
			t.Errorf("%s: the error does not name the path: %v", path, err)
		}
	}
}

// TestReadFileWithoutSize reads files of /proc, which have the size 0.
func TestReadFileWithoutSize(t *testing.T) {
	if _, err := Read("/proc/self/maps", 10); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	if data, err := Read("/proc/self/maps", MaxConfig); err != nil || len(data) == 0 {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
}

func TestReadKeyPairInvalid(t *testing.T) {
	folder := t.TempDir()
	cert := filepath.Join(folder, "cert.pem")
	if err := os.WriteFile(cert, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{folder, cert}, {cert, folder}, {cert, cert}} {
		if _, err := ReadKeyPair(pair[0], pair[1]); err == nil {
			t.Errorf("%v was accepted", pair)
		}
	}
}

// TestReaderRead checks that a timeout names the path.
func TestReaderRead(t *testing.T) {
	var r Reader
	if _, err := r.Read(t.Context(), t.TempDir(), 1); !errors.Is(err, ErrNotRegular) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	block := make(chan struct{})
	defer close(block)
	if _, err := Do(ctx, &r, func() (int, error) { <-block; return 0, nil }); !errors.Is(err, errTimeout) {
		t.Errorf("got %v", err)
	}
	if _, err := r.Read(ctx, "/path", 1); !errors.Is(err, errTimeout) || err.Error() != "read /path: the file system does not respond" {
		t.Errorf("got %v", err)
	}
}

func TestDoResult(t *testing.T) {
	var s Reader
	broken := errors.New("broken")
	for range 3 {
		got, err := Do(t.Context(), &s, func() (int, error) { return 7, nil })
		if got != 7 || err != nil {
			t.Errorf("got %d, %v", got, err)
		}
		if _, err := Do(t.Context(), &s, func() (int, error) { return 0, broken }); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
}

// TestDoTimeout checks that at most one goroutine waits for a mount that does not
// respond, and that reads succeed again when it responds.
func TestDoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Reader
		mounted, started := make(chan struct{}), atomic.Int32{}
		try := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := Do(ctx, &s, func() (string, error) {
				started.Add(1)
				<-mounted
				return "text", nil
			})
			return err
		}
		begin := time.Now()
		for range 100 {
			if err := try(); !errors.Is(err, errTimeout) {
				t.Fatalf("got %v", err)
			}
		}
		if waited := time.Since(begin); waited != 2*time.Second {
			t.Errorf("100 attempts took %s", waited)
		}
		if n := started.Load(); n != 1 {
			t.Errorf("%d reads wait for the mount", n)
		}
		close(mounted)
		synctest.Wait()
		if err := try(); err != nil {
			t.Errorf("the mount is back: %v", err)
		}
	})
}

// TestDoQueue checks that reads wait for a slow one until their own timeout.
func TestDoQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Reader
		results := make(chan error, 2)
		slow := func() (int, error) { time.Sleep(3 * time.Second); return 0, nil }
		for _, bound := range []time.Duration{4 * time.Second, 10 * time.Second} {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), bound)
				defer cancel()
				_, err := Do(ctx, &s, slow)
				results <- err
			}()
			synctest.Wait()
		}
		if err := errors.Join(<-results, <-results); err != nil {
			t.Error(err)
		}
	})
}
