package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// watched starts a watcher on path and returns a function that waits for the
// next change.
func watched(t *testing.T, path string) func() bool {
	t.Helper()
	w, err := newWatcher([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	changes := make(chan struct{}, 16)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- w.run(ctx, func() {
			if w.differs() {
				changes <- struct{}{}
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return func() bool {
		select {
		case <-changes:
			return true
		case <-time.After(5 * time.Second):
			return false
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWatcherSeesWritingAndRenaming(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cinder.conf")
	write(t, path, "a")
	changed := watched(t, path)
	write(t, path, "b")
	if !changed() {
		t.Error("writing was not seen")
	}
	write(t, path+".new", "c")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if !changed() {
		t.Error("renaming was not seen")
	}
}

func TestWatcherSeesATurnedLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, v := range []string{"..v1", "..v2"} {
		if err := os.Mkdir(filepath.Join(dir, v), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, v, "cinder.conf"), v)
	}
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("..v1", "..data")
	link("..data/cinder.conf", "cinder.conf")
	changed := watched(t, filepath.Join(dir, "cinder.conf"))
	link("..v2", "..data_tmp")
	if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	if !changed() {
		t.Error("the turned link was not seen")
	}
}

func TestWatcherSeesANewFileInAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "10.conf"), "a")
	changed := watched(t, dir)
	write(t, filepath.Join(dir, "20.conf"), "b")
	if !changed() {
		t.Error("the new file was not seen")
	}
}

func TestWatcherSeesAChangeInAFolderThatIsNeverQuiet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "cinder.conf")
	write(t, path, "a")
	changed := watched(t, path)
	stop, stopped := make(chan struct{}), make(chan struct{})
	defer func() { close(stop); <-stopped }()
	go func() {
		defer close(stopped)
		tick := time.NewTicker(settle / 10)
		defer tick.Stop()
		for {
			_ = os.WriteFile(filepath.Join(dir, "noise"), nil, 0o600)
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	write(t, path, "b")
	if !changed() {
		t.Error("the change was not seen")
	}
}

// A file that is written again while a reload reads it must be read again.
func TestWhatChangesDuringAReloadIsNews(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cinder.conf")
	write(t, path, "a")
	w, err := newWatcher([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.events.Close() }()
	write(t, path, "b")
	if !w.differs() {
		t.Fatal("the first change was not seen")
	}
	write(t, path, "c") // the reload has read "b"
	added := path + ".token"
	write(t, added, "token")
	w.follow([]string{path, added})
	if !w.differs() {
		t.Error("what changed meanwhile was taken for read")
	}
	if w.differs() {
		t.Error("nothing changed, and it was seen")
	}
}
