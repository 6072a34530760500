// Package decision decides on volumes as the scheduler of a configuration does, for
// the commands and for the status page.
package decision
