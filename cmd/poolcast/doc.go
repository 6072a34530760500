// Command poolcast gives the Cinder scheduler live measurements of Pure Storage
// FlashArrays.
//
// Without a subcommand it is the agent: it polls every Pure backend of
// cinder.conf and overlays cinder-volume's reports with what it measured. With
// --dry-run it does so once and prints the reports instead.
//
// This package is the command line: it parses flags, calls and prints. One file
// holds one subcommand and is named after it. What the commands do is in the
// packages below internal.
package main
