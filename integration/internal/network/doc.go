// Package network gives a test hosts of its own on one machine: each is a
// network namespace with an address on a common bridge, and may have a Debian of
// its own to run programs of. What happens to a real host can happen to them:
// the cable is pulled, two of them lose sight of one another, one dies.
//
//	lan := network.New(t)
//	root := network.Root(t, "/var/cache/roots/13")
//	host := lan.Host(t, root)
//	args := host.Args("rabbitmq-server")
//
// # Nothing is left behind
//
// Interfaces and mounts are made in the namespaces of the test's own process,
// and the kernel removes them with it, however it ends. [New] therefore refuses
// to work where it sees an interface of the machine:
//
//	go test -exec 'unshare --net --mount --pid --fork --kill-child --mount-proc' …
//
// starts a test as it must be, which is what `make brokers` does. The addresses
// are those reserved for documentation (RFC 5737), and no packet leaves the
// machine.
package network
