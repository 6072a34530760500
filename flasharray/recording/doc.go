// Package recording turns what a real array answers into a fixture for the
// simulator, with everything taken out that says whose array it is.
//
//	s := recording.NewScrubber()
//	r, err := recording.Start(ctx, client, s)   // versions and the name
//	frame, err := recording.Take(ctx, client, s) // as often as there should be frames
//	err = r.Write(folder)
//
// # What is asked
//
// What a poll asks, and no more: identity, capacity, load, connections, and
// counts. No volume, snapshot, host or protection group is ever listed, so no
// name of one can end up in a file.
//
// # What is kept
//
// Truth values, nulls and the numbers of measurements are kept as they are
// spelled: they are what a recording is for. A text is kept only if it stands in
// a field that is known to hold a word of the array's own vocabulary, such as a
// model or a status, and looks like one; the name of a field only if it is made
// of words of the API. Everything else is replaced: ids by ids, addresses by
// addresses of documentation, other words and names by numbered stand-ins, other
// numbers by null. The same text becomes the
// same stand-in everywhere one [Scrubber] has been, so that a connection still
// points at its array, and nothing leads back, because ids are made with a key
// that is thrown away.
package recording
