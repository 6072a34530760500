// Package input reads what commands are given: files named on the command line,
// standard input, and the HTTP API of a running agent.
package input
