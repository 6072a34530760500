// Package files reads files that an operator named, and never waits for ever.
//
// A path in a configuration may name a FIFO that nobody writes to, a device that
// never ends, or a file on a network mount whose server is down. [Read] accepts
// regular files of a bounded size and nothing else. [Do] gives up on a file
// system that does not answer, and keeps at most one read waiting for it.
//
// Any package may import this one; it imports the standard library only.
package files
