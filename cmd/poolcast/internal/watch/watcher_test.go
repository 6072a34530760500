package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// noticedOnce calls Changed as often as it takes to notice a change, and once
// more, which must not notice it again.
func noticedOnce(w *Watcher) bool {
	now := time.Now()
	return !w.Changed(now) && w.Changed(now.Add(Interval)) && !w.Changed(now.Add(2*Interval))
}

func TestWatcherNoticesEveryKindOfChange(t *testing.T) {
	t.Parallel()
	link := os.Symlink
	for name, c := range map[string]struct {
		before, change func(dir string) error
		folder         bool // the folder is watched, and not the file
	}{
		"writing": {change: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "cinder.conf"), []byte("b"), 0o600)
		}},
		"writing as much at the same time": {change: func(dir string) error {
			path := filepath.Join(dir, "cinder.conf")
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte("b"), 0o600); err != nil {
				return err
			}
			return os.Chtimes(path, info.ModTime(), info.ModTime())
		}},
		"renaming": {change: func(dir string) error {
			if err := os.WriteFile(filepath.Join(dir, "new"), []byte("b"), 0o600); err != nil {
				return err
			}
			return os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "cinder.conf"))
		}},
		"removing": {change: func(dir string) error { return os.Remove(filepath.Join(dir, "cinder.conf")) }},
		"a new file in a folder": {folder: true, change: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "20.conf"), []byte("b"), 0o600)
		}},
		"replacing a link, as Kubernetes does": {
			before: func(dir string) error {
				for _, v := range []string{"..v1", "..v2"} {
					if err := os.Mkdir(filepath.Join(dir, v), 0o700); err != nil {
						return err
					}
					if err := os.WriteFile(filepath.Join(dir, v, "cinder.conf"), []byte(v), 0o600); err != nil {
						return err
					}
				}
				if err := os.Remove(filepath.Join(dir, "cinder.conf")); err != nil {
					return err
				}
				if err := link("..v1", filepath.Join(dir, "..data")); err != nil {
					return err
				}
				return link("..data/cinder.conf", filepath.Join(dir, "cinder.conf"))
			},
			change: func(dir string) error {
				if err := link("..v2", filepath.Join(dir, "..new")); err != nil {
					return err
				}
				return os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data"))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "cinder.conf")
			write(t, path, "a")
			if c.before != nil {
				if err := c.before(dir); err != nil {
					t.Fatal(err)
				}
			}
			if c.folder {
				path = dir
			}
			f := NewWatcher(NewHashes(), Interval, []string{path})
			for range 2 {
				if f.Changed(time.Now()) {
					t.Fatal("a change without a cause")
				}
			}
			if err := c.change(dir); err != nil {
				t.Fatal(err)
			}
			if !noticedOnce(f) {
				t.Error("it was not noticed")
			}
		})
	}
}

// A configuration manager may remove a folder and make it again.
func TestWatcherNoticesAFolderThatWasMadeAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cinder.conf.d")
	path := filepath.Join(dir, "a.conf")
	f := NewWatcher(NewHashes(), Interval, []string{dir, path})
	for i := range 3 {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, path, fmt.Sprint(i))
		if !noticedOnce(f) {
			t.Errorf("version %d was not noticed", i)
		}
	}
}

func TestWatcherDebouncesChanges(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cinder.conf")
	write(t, path, "a")
	f := NewWatcher(NewHashes(), Interval, []string{path})
	now, noticed := time.Now(), 0
	for i := range 20 {
		write(t, path, fmt.Sprint(i))
		if f.Changed(now.Add(time.Duration(i) * Interval)) {
			noticed++
		}
	}
	if noticed < 2 || noticed > 5 {
		t.Errorf("a file that always changes was noticed %d times in 20 rounds", noticed)
	}
}

// A file that is written again while a reload reads it must be read again.
func TestWatcherNoticesAChangeDuringAReload(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cinder.conf")
	write(t, path, "a")
	f := NewWatcher(NewHashes(), Interval, []string{path})
	write(t, path, "b")
	if !noticedOnce(f) {
		t.Fatal("the first change was not noticed")
	}
	write(t, path, "c") // the reload has read "b"
	added := path + ".token"
	write(t, added, "token")
	f.SetPaths([]string{path, added})
	if !noticedOnce(f) {
		t.Error("what changed meanwhile was not noticed")
	}
}

// A file system may keep times coarsely: the same stamp expires,
// and does not count for a file that was written a moment ago.
func TestStampExpires(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cinder.conf")
	write(t, path, "a")
	d := NewHashes()
	right := d.of(path)
	for name, age := range map[string]time.Duration{"young": 0, "old": maxHashAge + minFileAge} {
		h := d.known[path]
		h.sum, h.at = sum{1}, h.stamp.latest().Add(age)
		if name == "old" {
			h.at = time.Now().Add(-maxHashAge - time.Second)
		}
		d.known[path] = h
		if d.of(path) != right {
			t.Errorf("%s: the hash was not made anew", name)
		}
	}
}

// BenchmarkWatcher hashes the files of 1,000 backends, each with its own token.
func BenchmarkWatcher(b *testing.B) {
	dir := b.TempDir()
	var paths []string
	for i := range 1000 {
		path := filepath.Join(dir, fmt.Sprintf("token%d", i))
		if err := os.WriteFile(path, []byte("e448c603-6ed6-8dd0-64a2-000000000000"), 0o600); err != nil {
			b.Fatal(err)
		}
		paths = append(paths, path)
	}
	f := NewWatcher(NewHashes(), Interval, paths)
	b.Run("hashed", func(b *testing.B) {
		for b.Loop() {
			clear(f.hashes.known)
			f.Changed(time.Now())
		}
	})
	for _, path := range paths {
		h := f.hashes.known[path]
		h.at = h.at.Add(2 * minFileAge) // as if the files had been there for a while
		f.hashes.known[path] = h
	}
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			f.Changed(time.Now())
		}
	})
}
