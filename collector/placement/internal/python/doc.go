// Package python has the rules of Python, and of oslo_utils, by which Cinder
// converts, compares and prints values. They differ from Go's in details that an
// operator can meet: a non-breaking space pasted from a web page, an underscore
// in a number, "inf".
package python
