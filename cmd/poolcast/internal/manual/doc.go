// Package manual writes what describes the program: the manual pages and shell
// completions that packages ship beside it, and the reference page.
package manual
