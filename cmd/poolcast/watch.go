package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/poolcast/poolcast/config/files"
)

// settle is how long a folder must be quiet before its files are read: editors
// and configuration managers write in several steps.
const settle = 300 * time.Millisecond

// unrest is how long a folder that is never quiet is waited for.
const unrest = 10 * settle

var errWatcherClosed = errors.New("watch files: the watcher was closed")

// watcher tells when the contents of a file have changed. It watches folders,
// not files, so that a file replaced by rename, and one behind a symbolic link
// that is turned to a new folder (as Kubernetes does), are seen as well.
//
// Two goroutines share the work: run waits for events and knows nothing of the
// files; differs and follow belong to whoever reads them.
type watcher struct {
	events  *fsnotify.Watcher
	paths   []string
	prints  map[string][sha256.Size]byte
	folders map[string]bool
}

func newWatcher(paths []string) (*watcher, error) {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch files: %w", err)
	}
	w := &watcher{events: events, folders: map[string]bool{}}
	w.follow(paths)
	return w, nil
}

// follow replaces the files that are watched. A folder that cannot be watched
// is left out: SIGHUP still reloads. Of a file that was watched before, the
// contents stay known as differs saw them last, so that what changes while the
// files are read is news.
func (w *watcher) follow(paths []string) {
	wanted := map[string]bool{}
	for _, path := range paths {
		wanted[filepath.Dir(path)] = true
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			wanted[path] = true
		}
		if real, err := filepath.EvalSymlinks(path); err == nil {
			wanted[filepath.Dir(real)] = true
		}
	}
	for folder := range w.folders {
		if !wanted[folder] {
			_ = w.events.Remove(folder)
			delete(w.folders, folder)
		}
	}
	for folder := range wanted {
		if !w.folders[folder] && w.events.Add(folder) == nil {
			w.folders[folder] = true
		}
	}
	prints := fingerprints(paths)
	before := map[string]bool{}
	for _, path := range w.paths {
		before[path] = true
	}
	for _, path := range paths {
		if !before[path] {
			continue
		}
		if old, had := w.prints[path]; had {
			prints[path] = old
		} else {
			delete(prints, path)
		}
	}
	w.paths, w.prints = paths, prints
}

// run calls settled, on this goroutine, when something has happened in a folder
// and it is quiet again, or never will be. It returns when ctx ends.
func (w *watcher) run(ctx context.Context, settled func()) error {
	defer func() { _ = w.events.Close() }()
	quiet := time.NewTimer(time.Hour)
	quiet.Stop()
	var latest time.Time // to wait for quiet
	stir := func() {
		if latest.IsZero() {
			latest = time.Now().Add(unrest)
		}
		quiet.Reset(min(settle, time.Until(latest)))
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-w.events.Events:
			if !ok {
				return errWatcherClosed
			}
			stir()
		case _, ok := <-w.events.Errors: // events were lost: look at everything
			if !ok {
				return errWatcherClosed
			}
			stir()
		case <-quiet.C:
			latest = time.Time{}
			settled()
		}
	}
}

// differs tells whether a file's contents are other than when it was called
// last. It compares contents, so that a touched file does not reload anything,
// and remembers what it saw: a broken file is complained about once.
func (w *watcher) differs() bool {
	now := fingerprints(w.paths)
	same := len(now) == len(w.prints)
	for path, print := range now {
		old, ok := w.prints[path]
		same = same && ok && old == print
	}
	w.prints = now
	return !same
}

// filesAt is the file itself, or the files of a folder.
func filesAt(path string) []string {
	if path == "" {
		return nil
	}
	members, err := os.ReadDir(path)
	if err != nil {
		return []string{path}
	}
	var files []string
	for _, m := range members {
		files = append(files, filepath.Join(path, m.Name()))
	}
	return files
}

// fingerprints are of the contents of files, and of the names in folders. What
// cannot be read has none.
func fingerprints(paths []string) map[string][sha256.Size]byte {
	prints := make(map[string][sha256.Size]byte, len(paths))
	for _, path := range paths {
		if data, err := files.Read(path, files.MaxConfig); err == nil {
			prints[path] = sha256.Sum256(data)
		} else if members, err := os.ReadDir(path); err == nil {
			prints[path] = sha256.Sum256(fmt.Append(nil, members))
		}
	}
	return prints
}
