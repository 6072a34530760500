// Package input reads what commands work on: files named on the command line,
// standard input, volumes that flags describe, and the reports of a running agent.
package input
