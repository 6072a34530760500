// Package placement answers one question: which of these backends should take
// this request, and why.
package placement
