// Package advice finds what will go wrong before the scheduler does: in the
// functions and volume types that ask for capabilities, in the pools that
// answer, in the names under which they answer, and in what an overlay would
// change.
//
// Cinder says nothing of most of this. A function with a misspelt key is
// accepted and then refuses every volume; a volume type that asks for a
// threshold which every array has outgrown ends in "No valid backend was
// found"; a report under a name that no service has is stored and never used.
// Each of these can be known from a configuration, a set of reports and a list
// of types, so here they are judged as plain values: no file, no broker, no
// clock.
//
//	findings := review.Functions(functions)           // filter_function, goodness_function
//	types, more, err := review.Types(judge, types)    // volume types against reports
//	findings = append(findings, review.Pools(pools, policy)...)
//	findings = append(findings, review.Identity(named, heard, known)...)
//
// A [Finding] says where, what, why it matters and what to type. The severity
// follows from the consequence alone: [Error] is something that cannot work,
// [Warning] something that will hurt some day or in some place, and [Note]
// what is worth knowing and may well be meant.
//
// What a condition, a function or a size means is never decided here: package
// cinder compiles and evaluates, and this package only asks it the questions
// that an operator would ask on a bad day.
package advice
