// Package format turns numbers, lists and text from outside into text for
// people: on a terminal, in a log line, in a finding, and in the reason of a
// decision. It is the only place that chooses digits, units and plurals.
//
// It imports the standard library and nothing else, and every package may
// import it. All functions may be called from any goroutine.
package format
