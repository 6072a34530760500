// Package process runs the programs of a test: a broker, a scheduler, poolcast
// itself. It waits for conditions and reserves ports. A program uses it through [Run].
//
// # A child never outlives its test
//
// The clean-up of the test ends the child with SIGTERM and, after a bound, with
// SIGKILL. Every child leads a process group of its own, so that what it started
// ends with it. Where the test binary itself ends without clean-up (a time-out, a
// panic, SIGKILL), the kernel kills the child, on Linux.
//
// # Output is a file
//
// Both streams of a child go to one file in the test's temporary folder. A pipe
// would need a reader, which would wait for ever where a process started by the
// child keeps the writing end open. When the test has failed, the end of the file
// is written to the test's log.
//
// Only tests and integration/cloud import this package; integration/imports_test.go checks
// it.
package process
