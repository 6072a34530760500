// Package capability has the types that the other packages exchange: what one
// poll of an array read ([Sample]), what is reported of a backend ([Report]),
// and the keys and values in between ([Set], [Value], [Keys]).
//
// It is a leaf. It imports the standard library and nothing else, does no I/O,
// reads no clock, and every package may import it:
//
//	array --> flasharray --> Sample --> collector --> Report --> publisher --> scheduler
//	                                                    \---> placement
//
// # Missing is never zero
//
// A FlashArray may leave out almost any number: for a role without rights, for
// an Evergreen//One subscription, or after an hour without load. To the Cinder
// scheduler a latency of zero is the best there is, so a number that was not
// measured must be absent from the report. That is why every field of [Sample]
// that comes from the array is a pointer, and why [Set.PutInt] and the other
// Put methods do nothing when they are given nil or an empty string.
//
// # Values keep the digits they were read with
//
// Cinder compares extra specs with str(value), and in Python str(1) and
// str(1.0) differ. So a [Value] distinguishes integers from floats, and a value
// that was read from JSON is written with the digits it was read with. A base
// report therefore passes an overlay unchanged in every key that poolcast does
// not replace.
//
// # Integers under names without digits
//
// Cinder's filter_function and goodness_function truncate floats and cannot
// read a name with a digit in it. Keys meant for them are integers in small
// units (microseconds, percent) with names made of letters and underscores.
// [Key.InFunctions] reports whether a function can read a key.
package capability
