// Package integration tests what no single package can: that the packages work
// together, and with the software of others.
//
// # The whole program
//
// With the build tag integration, tests run the poolcast binary between an
// embedded simulator of arrays and a real RabbitMQ with a real cinder-scheduler,
// as Debian packages them. They check what an operator sees: get_pools of the
// scheduler, the queues of the broker, the log. The script setup installs the
// packages.
//
// # Other releases
//
// With the build tag brokers as well, the publisher tests run on RabbitMQ and
// Cinder of other releases, on clusters, and while nodes fail. The script roots
// makes what they run.
//
// # The reference
//
// With the build tag conformance, tests compare with the newest Cinder and the
// newest client of the array from the Python Package Index: see the folder
// conformance.
//
// # The source
//
// Without any tag, tests read the source: the house rules, the imports, and the
// table of folders in ARCHITECTURE.md. They parse the files themselves instead of
// calling the go command, because the cached result of a test depends on the files
// that the test has read and not on those that another process has read.
//
// # The scaffolding
//
// Packages below this folder start programs and stand in for services. Nothing but
// tests, and the program cloud in this folder, may import them, which imports_test.go
// checks. Those that only this folder uses are in internal: cloud, keystone, network and
// scheduler. The tests of publisher and of cmd use process, rabbitmq, cindertest and
// openapi too, and Go lets no other folder import what is in integration/internal.
//
// The package internal/cloud starts a whole real cloud, for tests in conformance and for
// the program cloud, which is make cloud.
//
// # Rules for tests in this folder
//
// A test waits for a condition, with a bound, and never for a fixed time. The bound
// of what is expected to happen is so long that a busy machine does not reach it.
// A test fails where a tool is missing. It listens on loopback only. It gives each
// program its own folder, ports and names, and may run beside any other test. It
// takes a virtual host of the shared broker, unless it stops or blocks its broker.
// What it draws at random has a fixed seed, which an environment variable changes.
package integration
