// Package manual writes the manual pages and shell completions that packages ship
// beside the program.
package manual
