// Package process runs the programs a whole-program test is made of: a broker,
// a scheduler, poolcast itself. It exists because such programs are worse than
// goroutines in one respect: nobody collects them.
//
// # A child never outlives its test
//
// Three nets hang below each other. The test's clean-up ends the child, first
// politely and, after a bound, by force. Every child leads a process group of
// its own, so that what it started goes with it. And where the test binary
// itself dies (a time-out, a panic, an impatient SIGKILL), the kernel kills the
// child, because it was told to at birth.
//
// # Output is a file
//
// Both streams of a child go to one file below the test's temporary folder. A
// pipe would need a reader, and a grandchild that holds the writing end would
// keep that reader waiting for ever. When the test has failed, the end of the
// file is written to the test's log, which is where one looks first.
//
// # Waiting is for something
//
// No test here sleeps for a while and hopes. [Await] asks again and again for a
// condition, stops at once when it holds, and says what was missing when it
// never does.
package process
