// Package publisher tells the Cinder schedulers what the arrays said, over
// RabbitMQ and in cinder-volume's own words, without ever getting in the way
// of cinder-volume.
//
// # Why an overlay
//
// A capability report is not merged by the scheduler: it replaces everything
// the scheduler knew of that backend (cinder/scheduler/host_manager.py,
// update_service_capabilities). Whoever sends only what it knows deletes what
// others knew, until cinder-volume speaks again. So a [Publisher] listens where
// the schedulers listen, keeps cinder-volume's last report of each of its
// backends, the base, and sends that dictionary with nothing but the measured
// keys replaced. A key it does not know passes through digit for digit. It does
// so whenever the array was read, and right after cinder-volume has spoken, so
// that the last word is always both of them. Stop it, and the next report of
// cinder-volume stands exactly as it would have without it.
//
// Keys that the scheduler itself computes with, such as provisioned_capacity_gb,
// are replaced but never added: on a release whose driver does not send one, to
// add it would move volumes.
//
// # When there is no base
//
// A report of our own is complete but for what only cinder-volume can count
// (allocated_capacity_gb). Sent beside a living cinder-volume that was merely
// not heard yet, it would make those keys flap. The broker knows better: a
// running cinder-volume consumes the queue cinder-volume.<host@backend>. If
// nobody does, the complete report is sent at once; if somebody does, the
// publisher waits to hear the base, and goes ahead without one only after
// [Options].ListenFirst.
//
// # When it holds back
//
// The overlay of a backend is suspended, and a line in the log says why, when
// cinder-volume reports a total capacity more than 1 % off ours or the array
// behind our reports changes its id (one of the two is looking at another
// array), when the base cannot be read as JSON (Python writes a bare NaN), or
// when it has pools, which the Pure driver never sends. Where several agents
// see to one backend, as in an active-active cluster, all hear each other, and
// all but one stand by: the one with the best status speaks, the lowest
// instance number decides a draw, and silence for three intervals makes the
// next one speak. No agent ever learns from another, or answers it.
//
// # Timestamps
//
// The scheduler keeps its own deductions for volumes placed after a report's
// timestamp. So the stamp is the instant at which the reading began, or a
// microsecond after the base if that is later. It never goes back, or the
// scheduler would drop the report. It is never in the future, neither by our
// clock nor by that of cinder-volume, whose reports tell us how far theirs is:
// from a future stamp on, the scheduler would forget what it has just placed.
//
// # A guest on the bus
//
// The exchange cinder-scheduler_fanout is looked up, never declared: its
// durable flag differs between releases, and whoever declares it first decides
// for all. No exchange means no scheduler, so the publisher waits. Its own queue
// is exclusive, auto-delete, named by the server, and bounded. That queue would
// keep an auto-delete exchange alive, so it is given up as soon as no scheduler
// consumes any more, and an upgraded one may declare the exchange anew. Nothing
// is queued on this side: the newest report of a backend wins. Every message is
// confirmed by the broker within a bound, or the connection is given up: a
// context does not interrupt a write that the broker does not read.
//
// # Reading the code
//
// encode.go and decode.go are the envelope of oslo.messaging. overlay.go,
// decide.go and stamp.go are the rules above, pure and without I/O. session.go
// and link.go are RabbitMQ. publisher.go lets one drive the other.
package publisher
