// Package text prepares text for people: safe for a terminal, wrapped to its
// width, aligned in tables, coloured on a terminal.
//
// Every text that comes from a report, a file, an array or the message bus goes
// through [Printable] before it is printed; [Cell], [Wrap], [Painter] and [Table]
// call it themselves.
package text
