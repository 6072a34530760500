// Package recording makes fixtures for the simulator from the responses of a real
// array. Everything that identifies the owner of the array is replaced.
//
//	s := recording.NewScrubber()
//	r, err := recording.Start(ctx, client, s, address) // versions and the name
//	frame, err := recording.Take(ctx, client, s)       // once for each frame
//	err = r.Write(folder)
//
// # What is requested
//
// The same as in a poll: identity, capacity, load, connections, counts, and the
// condition: open alerts, stretched pods and their links, which are listed. No
// volume, snapshot, host or protection group is ever listed, so no name of one
// can be in a file.
//
// # What is kept
//
// Booleans, nulls and the numbers of measurements are kept with their spelling:
// a recording is made for them. A text is kept only if its field has values that
// the API defines, such as a model or a status, and the text has the form of one;
// the name of a field only if it has words of the API only. Everything else is
// replaced: ids by ids, addresses by addresses for documentation, other texts and
// names by numbered replacements, other numbers by null. One [Scrubber] replaces
// the same text by the same replacement everywhere, so that a connection still
// names its array. The replacements cannot be reversed, because ids are made with
// a random key that is not kept.
package recording
