// Package terminaltest gives tests a pseudo terminal.
package terminaltest
