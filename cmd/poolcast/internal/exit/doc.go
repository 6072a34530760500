// Package exit holds the exit codes of poolcast and the errors that carry them.
//
// A function that finds out why a command fails marks its error with [With];
// main ends the process with [Code].
package exit
