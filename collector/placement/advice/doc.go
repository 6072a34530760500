// Package advice finds configuration problems before the scheduler meets them,
// and says how to fix each: in filter and goodness functions, in volume types,
// in the arrays of a pool, in the names of backends, and in what an overlay
// would change.
//
// Cinder reports few of these problems. A function with a misspelt key is
// accepted and then refuses every volume; a volume type with a threshold that
// all arrays exceed ends in "No valid backend was found"; a report under a name
// that no service has is stored and never used. Each of them follows from a
// configuration, a set of reports and a list of types, so this package works on
// plain values: no file, no broker, no clock.
//
//	findings := advice.Functions(functions)            // filter_function, goodness_function
//	fit, more := advice.Types(engine, reports, types, requests)  // volume types against reports
//	findings = append(findings, advice.Pools(reports, overSubscription)...)
//	findings = append(findings, advice.Identity(backends, baseReports, listened)...)
//
// A [Finding] has a place, a problem, the reason why it is a problem, and a fix.
// The severity follows from the consequence alone: [Error] is what cannot work,
// [Warning] what fails at times or in some places, and [Note] what may be
// intended.
//
// What a condition, a function or a size means is decided by package cinder,
// which compiles and evaluates them.
package advice
