// Package render prints what commands have found, as tables for people and as
// JSON: one exported function for each kind of result.
package render
