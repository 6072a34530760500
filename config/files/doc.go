// Package files reads files whose paths come from an operator, with limits on size
// and time.
//
// A path in a configuration may be a FIFO without a writer, a device without an end,
// or a file on a network mount whose server is down. [Read] accepts regular files of
// a limited size only. A [Reader] has a timeout for a file system that does not
// respond, and at most one read waits for it.
//
// Any package may import this one; it imports the standard library only.
package files
