// Package conformance compares poolcast with the newest Cinder and the official
// FlashArray client from PyPI, which run unchanged. Where poolcast differs on purpose,
// collector/DRIVER.md says so, and a test reads it.
//
// The tests need Python with both packages, which make conformance installs
// in a virtual environment; POOLCAST_PYTHON names another interpreter. The test of
// failed creates runs a cinder-scheduler of it, and needs RabbitMQ. The tests whose names
// begin with TestCloud run a whole cloud, and need the Debian packages of integration/setup
// cloud. They have the build tag conformance.
package conformance
