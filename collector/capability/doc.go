// Package capability is the vocabulary the rest of poolcast speaks: what an
// array measured ([Sample]), what is said about a backend ([Report]), and the
// keys and values in between ([Set], [Value], [Keys]).
//
// It is a leaf. It imports the standard library and nothing else, does no I/O,
// reads no clock, and everyone above may import it:
//
//	array --> flasharray --> Stats --> collector --> Report --> publisher --> scheduler
//	                                                   \---> placement
//
// # Missing is never zero
//
// A FlashArray may leave out almost any number: a role without rights, an
// Evergreen//One subscription, an array that was idle for an hour. To the
// Cinder scheduler a zero latency is the best latency there is, so a number
// that was not measured must stay away from the report altogether. That is why
// every field of [Sample] that comes from the array is a pointer, and why
// [Set.PutInt] and its sisters do nothing when handed nil.
//
// # Values keep the spelling they arrived with
//
// Cinder compares extra specs with str(value), and in Python str(1) and
// str(1.0) differ. So a [Value] remembers whether a number was an integer or a
// float, and one that was read from JSON is written again with the very digits
// it was read with. A dictionary heard from cinder-volume therefore survives an
// overlay unchanged in every key that poolcast does not own.
//
// # Integers under digit-free names
//
// Cinder's filter_function and goodness_function truncate floats and cannot
// read a name with a digit in it. Keys meant for them are integers in small
// units (microseconds, percent) with names made of letters and underscores.
// [Keys] says of each key whether a function may read it.
package capability
