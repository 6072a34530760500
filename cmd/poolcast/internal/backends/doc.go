// Package backends finds the backends that a question is about, and their reports:
// from the running agent of this host, from the scheduler, from the arrays, or from a
// file.
package backends
