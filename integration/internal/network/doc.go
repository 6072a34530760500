// Package network gives a test hosts of its own on one machine: each is a network
// namespace with an address on a common bridge, and may run the programs of another
// Debian release. A host can be disconnected from all others, or from one of them.
//
//	lan := network.New(t)
//	root := network.Root(t, "/var/cache/roots/13")
//	host := lan.Host(t, root)
//	args := host.Args("rabbitmq-server")
//
// # Nothing is left behind
//
// Interfaces and mounts are made in the namespaces of the test's own process, and
// the kernel removes them with it, however it ends. [New] therefore fails where it
// finds an interface of the machine. `make brokers` starts tests with
//
//	go test -exec 'unshare --net --mount --pid --fork --kill-child --mount-proc' …
//
// The addresses are those reserved for documentation (RFC 5737), and no packet
// leaves the machine.
package network
