// Command poolcast tells the Cinder scheduler how busy and how full each Pure
// Storage FlashArray really is.
//
// Without a subcommand it is the agent: it polls every Pure backend of
// cinder.conf and overlays cinder-volume's reports with what it measured. With
// --dry-run it does so once and prints the reports instead.
//
// This package is wiring. What is read, measured, merged, published and decided
// lives in config, flasharray, collector, publisher and placement, which do not
// know each other; program.go is where they meet. One file holds one
// subcommand, named after it.
package main
