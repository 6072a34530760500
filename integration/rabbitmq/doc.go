// Package rabbitmq gives a test a broker of its own: Debian's rabbitmq-server on
// free ports of the loopback address, with its own data, name and name server, so
// that any number of them run side by side, also beside a broker of the machine.
//
//	broker := rabbitmq.Start(t, rabbitmq.Options{})
//	connection, err := amqp091.Dial(broker.URL())
//
// The broker ends with the test. It needs no right but that of writing to the
// temporary folder, and no service manager. Where the package is not installed the
// test fails and says what to install. [Dial] connects to it, [Proxy] delays and
// cuts connections.
//
// # Faults of a broker
//
// [Broker.Stop] and [Broker.Restart] are orderly, [Broker.Kill] is like a power
// failure, and a broker after [Broker.Freeze] keeps its sockets open and sends
// nothing. Ports and data stay the same throughout. Everything else that an
// operator can do is a rabbitmqctl command, through [Broker.Ctl]:
// set_vm_memory_high_watermark with a tiny limit, for example, makes the broker
// send connection.blocked.
//
// # Why a start takes some seconds
//
// About half of the time Erlang loads code, and half of it RabbitMQ reads its
// plugins; neither can be switched off from outside. Cuttlefish, the translator of
// rabbitmq.conf, would add another second, so the settings are Erlang terms. Tests
// that do not stop the broker share one: [Shared] gives each a virtual host of its
// own.
//
// Only tests and integration/cloud import this package; integration/imports_test.go checks
// it.
package rabbitmq
