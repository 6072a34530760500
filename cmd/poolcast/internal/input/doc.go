// Package input reads what commands work on: files named on the command line, standard
// input, and volumes that flags describe.
package input
