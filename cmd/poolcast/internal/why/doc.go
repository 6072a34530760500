// Package why explains a volume of a live cloud: what Cinder and the quota say about
// it, and what the scheduler would do now with another one like it.
package why
