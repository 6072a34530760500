// Package configcheck finds what will go wrong with a configuration, from its
// files alone: faults, what Cinder reads in another way, secrets that others can
// read, and options without effect.
package configcheck
