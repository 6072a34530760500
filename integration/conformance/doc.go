// Package conformance compares poolcast with the newest Cinder and the official
// FlashArray client from PyPI, which run unchanged. Where poolcast differs on purpose,
// collector/DRIVER.md says so, and a test reads it.
//
// The tests need Python with both packages, which make conformance installs
// in a virtual environment; POOLCAST_PYTHON names another interpreter. The test of
// failed creates runs a cinder-scheduler of it, and needs RabbitMQ. The tests whose names
// begin with TestCloud run a whole cloud, and need the Debian packages of integration/setup
// cloud; the upgrade also needs Cinder 28, in a second virtual environment or that of
// POOLCAST_PYTHON_28. They have the build tag conformance.
//
// # Whole clouds
//
// Three clouds run side by side, and each takes one test after the other: TestCloudVolumes
// (volumes, moves, services, failed creates, maintenance, the end of the agents),
// TestCloudGrowsAndIsUpgraded (failover, growth, upgrade) and TestCloudCluster. Before
// each request poolcast place says what will happen, and the test compares that with what
// cinder-api, the scheduler and the arrays do. A migration between arrays ends with an
// error in the copy, which needs an initiator: the scheduler's choice is compared.
package conformance
