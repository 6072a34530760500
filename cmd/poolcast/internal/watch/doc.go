// Package watch notices that the contents of files have changed.
//
// It hashes the files at an interval, because a file system reports no changes
// on a network mount, nor in a folder that was removed and made again. A file is
// read again only when its size, times or inode differ, or may be wrong.
package watch
