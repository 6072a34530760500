// Package publisher publishes capability reports to the Cinder schedulers over
// RabbitMQ, as overlays of cinder-volume's own reports.
//
// # Why an overlay
//
// The scheduler does not merge a capability report: it replaces everything that it
// has of that backend (cinder/scheduler/host_manager.py,
// update_service_capabilities). A report with the measured keys alone would delete
// the others until cinder-volume reports again. So a [Publisher] listens on the
// schedulers' exchange, keeps cinder-volume's last report of each backend, the
// base report, and publishes that dictionary with only the measured keys replaced.
// Other keys are forwarded unchanged. It does so after each poll of the array and
// after each report of cinder-volume.
//
// Keys that the scheduler itself computes with, such as provisioned_capacity_gb,
// are replaced and never added: on a release whose driver does not send one, adding
// it would move volumes.
//
// # Timestamps
//
// A report has two halves in the scheduler. Its capabilities, which filters and
// functions read, are taken unless the report is older than the stored one. Its
// accounting (total, free, allocated and provisioned capacity) is taken only if it
// is not older than the last placement, because the scheduler has deducted what it
// placed since (PoolState.update_from_volume_capability and consume_from_volume).
// So an overlay carries the timestamp of its base report plus n microseconds, n
// counting up: a scheduler accepts it only where it accepted the base report, and
// it never erases a placement made since. Our clock is not part of it. Until the
// array was polled after the base report, the capacities are those of the base.
//
// The report of a stale array, with on_stale = down or drop, must be accepted also
// after a placement. It is stamped with the base report's timestamp plus the time
// that has passed since it was received, which is not later than cinder-volume's
// next report. After it an overlay needs a new base report.
//
// # Which base report
//
// For each sending host the last received report of cinder-volume, also if its
// timestamp is lower because a clock was set back, but not if it is less than a
// second lower: casts can arrive out of order. Between the hosts of a cluster the
// highest timestamp, which is the one that schedulers hold. A base report is used
// for two intervals of cinder-volume (its polling interval, or the longest recent gap
// between its reports if that is longer), and only if it was received since listening
// began and since a scheduler started last: a new scheduler requests a
// report from every cinder-volume, and an older one could end its wait for them.
//
// Without a base report nothing is published. Only with overlay = off are complete
// reports published, and only for a backend that no cinder-volume reports.
//
// # When an overlay ends
//
// A clean stop, [Publisher.Remove], [Publisher.Suspend] and a suspension publish
// the base report once more, unchanged, so that schedulers hold cinder-volume's own
// report again at once. An overlay is suspended, with one line in the log, if
//
//   - cinder-volume reports a total capacity more than 1 % off the measured one,
//   - the array behind our reports changes its id,
//   - cinder-volume does not replicate to a target of the stanza: it has failed over,
//   - the base report is not JSON (Python writes a bare NaN), has no timestamp or
//     has pools, which the Pure driver never sends, or
//   - cinder-volume has not reported for two of these intervals.
//
// Where several agents have the same backend, as in an active-active cluster, one
// publishes and the others are on standby: the best status decides, then the lowest
// instance number. A standby takes over when the other agent publishes the base
// report, or after three intervals without a message of it. Agents recognise each
// other by the IDs of their messages, and never take one of these for a base report.
//
// # The broker
//
// The exchange cinder-scheduler_fanout is looked up, never declared: its durable
// flag differs between releases, and the first declaration decides for all. Nothing
// is queued on this side: the newest report of a backend wins. What is due is
// published as one batch, and every message is confirmed by the broker within a
// bound, or the connection is closed. A refused report is published again, with
// back-off. Published messages return to the listening queue; when they do not, its
// binding was lost and it is bound again.
//
// # Failed creates
//
// A [FailureListener] is separate from all of this: a connection and a queue of its
// own, on which it receives the error notifications of the schedulers.
//
// # Reading the code
//
// envelope.go is the envelope of oslo.messaging. base.go, backend.go and overlay.go
// are the rules above, without I/O. dial.go, connection.go, session.go,
// sessionloop.go, listener.go and publishing.go are RabbitMQ.
// pools.go and poolsmessage.go request a scheduler's list of backends, apart from that.
// publisher.go, dispatch.go and receive.go connect the two; status.go and log.go
// report what happens. failure.go and failurelistener.go are the notifications.
package publisher
