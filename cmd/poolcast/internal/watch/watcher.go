package watch

import (
	"maps"
	"slices"
	"time"
)

const (
	// Interval is how often the files are hashed. A change counts when two rounds
	// in a row find the same contents: editors and configuration managers write in
	// several steps.
	Interval = 2 * time.Second
	// debounceRounds is after how many intervals a change counts although the
	// contents differ each time.
	debounceRounds = 4
)

// Watcher notices when the contents of files change.
type Watcher struct {
	hashes   *Hashes
	debounce time.Duration // longest
	paths    []string
	current  map[string]sum // the contents that were reported last
	changing map[string]sum // other contents, found in the last round; nil if there were none
	since    time.Time      // when they first differed
}

// NewWatcher watches files from their contents as they are now. The interval is
// that at which [Watcher.Changed] is going to be called.
func NewWatcher(h *Hashes, interval time.Duration, paths []string) *Watcher {
	w := &Watcher{hashes: h, debounce: debounceRounds * interval}
	w.SetPaths(paths)
	return w
}

// hashAll returns the hashes of all files as they are now.
func (w *Watcher) hashAll() map[string]sum {
	sums := make(map[string]sum, len(w.paths))
	for _, path := range w.paths {
		sums[path] = w.hashes.of(path)
	}
	return sums
}

// Changed reports whether the files have other contents than those reported last,
// and no longer change. A broken file is reported once.
func (w *Watcher) Changed(now time.Time) bool {
	sums := w.hashAll()
	if maps.Equal(sums, w.current) {
		w.changing = nil
		return false
	}
	if w.changing == nil {
		w.since = now
	}
	if !maps.Equal(sums, w.changing) && now.Sub(w.since) < w.debounce {
		w.changing = sums
		return false
	}
	w.current, w.changing = sums, nil
	return true
}

// Accept takes the contents as they are now for reported.
func (w *Watcher) Accept() { w.current, w.changing = w.hashAll(), nil }

// SetPaths replaces the files to watch. Those that were watched before keep the
// contents that were reported last, so that a change during a reload is noticed.
func (w *Watcher) SetPaths(paths []string) {
	before := w.current
	w.paths = slices.Compact(slices.Sorted(slices.Values(paths)))
	w.current = w.hashAll()
	for path, old := range before {
		if _, still := w.current[path]; still {
			w.current[path] = old
		}
	}
	w.changing = nil
	w.hashes.keep(w.current)
}
