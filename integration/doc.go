// Package integration proves what no single package can: that the parts agree
// with each other, and with software that others wrote.
//
// Three kinds of truth are held to account here.
//
// # The program against the real world
//
// With the build tag integration, tests run the poolcast binary between an
// embedded simulator of arrays and a real RabbitMQ with a real cinder-scheduler,
// as Debian packages them. They look at the outcome from where an operator
// stands: at get_pools of the scheduler, at the queues of the broker, at the
// log. What the scheduler believes is asked of the scheduler and nobody else.
// Package [github.com/poolcast/poolcast/integration/rabbitmq] starts brokers,
// [github.com/poolcast/poolcast/integration/internal/scheduler] starts schedulers, and
// [github.com/poolcast/poolcast/integration/process] makes sure that neither
// outlives its test. The script setup installs the packages.
//
// # The program against other releases
//
// With the build tag brokers as well, the bus tests run on RabbitMQ and Cinder of
// other releases, on clusters, and while nodes fail. Package
// [github.com/poolcast/poolcast/integration/internal/network] gives each node a host of its
// own; the script roots makes what they run.
//
// # The program against the reference
//
// With the build tag conformance, tests compare with the newest Cinder and the
// newest client of the array from the Python Package Index: see the folder of
// that name.
//
// # The code against its own plan
//
// Without any tag, tests read the source: imports point down, packages on one
// level do not know each other, only main exits. They parse the files rather
// than ask the go command, because a test's cached result knows which files the
// test has read and knows nothing of what another process has.
//
// # Rules for tests in this folder
//
// A test waits for a condition, with a bound, and never for a while. It fails
// where a tool is missing. It listens on loopback only. It gives each program
// its own folder, ports and names, and may run beside any other test. It takes a
// virtual host of the shared broker, unless it stops or blocks its broker.
package integration
