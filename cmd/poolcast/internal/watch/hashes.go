package watch

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/poolcast/poolcast/config/files"
)

const (
	// maxHashAge is how long a hash is used while the stamp of the file is the
	// same: a file system may keep its times coarsely, or not at all.
	maxHashAge = time.Minute
	// minFileAge is how old a file must be for its stamp to be trusted: one that
	// is written twice within the resolution of its times has the same stamp.
	minFileAge = 3 * time.Second
)

// stamp is the metadata of a file. A file with another stamp is hashed again.
type stamp struct {
	mode     fs.FileMode
	size     int64
	modified time.Time
	changed  time.Time
	device   uint64
	inode    uint64
}

func stampOf(info fs.FileInfo) stamp {
	s := stamp{mode: info.Mode(), size: info.Size(), modified: info.ModTime()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.device, s.inode = uint64(sys.Dev), sys.Ino
		s.changed = time.Unix(sys.Ctim.Unix())
	}
	return s
}

// latest is the later of the two times of a file.
func (s stamp) latest() time.Time {
	if s.changed.After(s.modified) {
		return s.changed
	}
	return s.modified
}

// sum is a hash of a file's contents, or of the names in a folder; zero if it
// cannot be read.
type sum [sha256.Size]byte

type hashed struct {
	stamp stamp
	sum   sum
	at    time.Time
}

// Hashes caches the hashes of files. It may be used by one goroutine at a time.
type Hashes struct {
	known map[string]hashed
	round map[string]string // results of Combined since Begin
}

// NewHashes returns an empty cache.
func NewHashes() *Hashes { return &Hashes{known: map[string]hashed{}, round: map[string]string{}} }

// of returns the hash of a file or folder as it is now.
func (h *Hashes) of(path string) sum {
	info, err := os.Stat(path)
	if err != nil {
		delete(h.known, path)
		return sum{}
	}
	now, is := time.Now(), stampOf(info)
	old, known := h.known[path]
	if known && old.stamp == is && now.Sub(old.at) < maxHashAge && old.at.Sub(is.latest()) > minFileAge {
		return old.sum
	}
	fresh := hashed{stamp: is, sum: hash(path, info), at: now}
	h.known[path] = fresh
	return fresh.sum
}

func hash(path string, info fs.FileInfo) sum {
	if !info.IsDir() {
		data, err := files.Read(path, files.MaxConfig)
		if err != nil {
			return sum{}
		}
		return sha256.Sum256(data)
	}
	members, err := os.ReadDir(path)
	if err != nil {
		return sum{}
	}
	return sha256.Sum256(fmt.Append(nil, members))
}

// Begin starts a round, in which [Hashes.Combined] hashes each path once: a
// thousand arrays usually trust the same certificates.
func (h *Hashes) Begin() { clear(h.round) }

// Combined returns the names and hashes of a file, or of every file of a folder,
// as a text.
func (h *Hashes) Combined(path string) string {
	if path == "" {
		return ""
	}
	text, known := h.round[path]
	if !known {
		for _, file := range Files(path) {
			text += fmt.Sprintf("%q %x ", file, h.of(file))
		}
		h.round[path] = text
	}
	return text
}

// keep drops the hashes of files that are not among the paths.
func (h *Hashes) keep(paths map[string]sum) {
	for path := range h.known {
		if _, wanted := paths[path]; !wanted {
			delete(h.known, path)
		}
	}
}

// Files returns the file itself, or the files of a folder.
func Files(path string) []string {
	if path == "" {
		return nil
	}
	members, err := os.ReadDir(path)
	if err != nil {
		return []string{path}
	}
	var all []string
	for _, m := range members {
		all = append(all, filepath.Join(path, m.Name()))
	}
	return all
}
