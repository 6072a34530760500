// Package conformance holds poolcast against the software it stands in for:
// the newest Cinder and the official FlashArray client from PyPI, run as they
// are. Nothing is mocked on their side, and where they and poolcast differ on
// purpose, a document says so and a test reads it.
//
// The tests need Python with both packages, which make conformance installs
// in a virtual environment; POOLCAST_PYTHON names another interpreter. They
// have the build tag conformance.
package conformance
