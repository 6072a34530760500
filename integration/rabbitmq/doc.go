// Package rabbitmq gives a test a broker of its own: Debian's rabbitmq-server
// on free ports of the loopback address, with its own data, name and name
// server, so that any number of them run side by side and none meets the one
// the machine may run for somebody else.
//
//	broker := rabbitmq.Start(t, rabbitmq.Options{})
//	connection, err := amqp091.Dial(broker.URL())
//
// The broker ends with the test. It needs no right but that of writing to the
// temporary folder, and no service manager; where the package is not installed
// the test fails and says what to install, because a bus test that skips itself
// proves nothing.
//
// # What can happen to a broker
//
// [Broker.Stop] and [Broker.Restart] are an operator's; [Broker.Kill] is a power
// cut; [Broker.Freeze] is the worst of them, a peer that keeps its sockets open
// and says nothing any more. The ports and the data stay the same throughout.
// Everything else that an operator can do is a rabbitmqctl command, through
// [Broker.Ctl]: set_vm_memory_high_watermark with a tiny limit, for one, makes
// the broker send connection.blocked.
//
// # Why a start takes some seconds
//
// About half is Erlang loading code and half is RabbitMQ looking through its
// plugins; neither can be switched off from outside. Cuttlefish, the translator
// of rabbitmq.conf, would add another second, which is why the settings are
// written as Erlang terms. Tests that do not stop the broker share one: [Shared]
// gives each a virtual host of its own.
package rabbitmq
