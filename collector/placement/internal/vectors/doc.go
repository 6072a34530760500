// Package vectors reads the questions that Cinder's own classes were asked, with
// their results, for the tests of packages cinder and function. The format is in
// collector/placement/cinder/testdata/README.md.
package vectors
