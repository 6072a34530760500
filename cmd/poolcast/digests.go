package main

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
	// hashAgain is how long a file whose stamp is the same counts as the same: a
	// file system may keep its times coarsely, or not at all.
	hashAgain = time.Minute
	// settled is how old a file must be for its stamp to be trusted: one that is
	// written twice within the resolution of its times has the same stamp.
	settled = 3 * time.Second
)

// stamp is what the file system says of a file. Another stamp is a reason to
// hash the file again.
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

// youngest is when the file was touched last.
func (s stamp) youngest() time.Time {
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

// digests are the hashes of files. A file is read again only when its stamp
// differs, or may be wrong. It belongs to one goroutine at a time.
type digests struct {
	known map[string]hashed
	round map[string]string // of all, since begin
}

func newDigests() *digests { return &digests{known: map[string]hashed{}, round: map[string]string{}} }

// of returns the hash of a file or folder as it is now.
func (d *digests) of(path string) sum {
	info, err := os.Stat(path)
	if err != nil {
		delete(d.known, path)
		return sum{}
	}
	now, is := time.Now(), stampOf(info)
	old, known := d.known[path]
	if known && old.stamp == is && now.Sub(old.at) < hashAgain && old.at.Sub(is.youngest()) > settled {
		return old.sum
	}
	h := hashed{stamp: is, sum: hash(path, info), at: now}
	d.known[path] = h
	return h.sum
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

// begin starts a round, in which all looks at each path once: a thousand arrays
// usually trust the same certificates.
func (d *digests) begin() { clear(d.round) }

// all is a text that stands for a file, or for every file of a folder.
func (d *digests) all(path string) string {
	if path == "" {
		return ""
	}
	text, known := d.round[path]
	if !known {
		for _, file := range filesAt(path) {
			text += fmt.Sprintf("%q %x ", file, d.of(file))
		}
		d.round[path] = text
	}
	return text
}

// keep forgets the files that are not among the paths.
func (d *digests) keep(paths map[string]sum) {
	for path := range d.known {
		if _, wanted := paths[path]; !wanted {
			delete(d.known, path)
		}
	}
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
	var all []string
	for _, m := range members {
		all = append(all, filepath.Join(path, m.Name()))
	}
	return all
}
