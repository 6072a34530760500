// Package rehearsal simulates a burst of creates on reports, without creating
// anything, and shows where the volumes would be placed: under the settings of
// a cloud, and under others.
//
// One decision is easy to predict. A burst is not, because each decision depends
// on the scheduler's state at that moment, which has two sources: reports, which
// come once per interval and are at least a little old, and the scheduler's own
// deductions, which are immediate and do not include those of other schedulers.
//
// # The model
//
// There are arrays, which have the true state, and schedulers, which have a copy.
// Every interval all arrays report. Creates go to the schedulers in turn, as
// RabbitMQ delivers them. The scheduler chooses by its copy and deducts the volume
// from it (cinder/scheduler/host_manager.py, consume_from_volume), and the array
// has the volume at once.
//
// A scheduler takes over the reports at each create, as Cinder does
// (_update_backend_state_map). The numbers of a report replace the scheduler's,
// and with them all deductions, unless it has deducted something since the
// report's timestamp; the capabilities, which extra specs and functions read, are
// always replaced (PoolState.update_from_volume_capability). So a report whose
// timestamp is ahead of the scheduler's clock drops each deduction at the next
// create. [Burst.Skew] shows the effect.
//
// # What a volume changes on its array
//
// It is provisioned in full and counted. It fills only the share of its size in
// [Burst.Fill], by default nothing, as a new volume is empty. An automatic
// over-subscription ratio is the array's reduction, provisioned over physical,
// so an empty volume raises it: the array that gets a volume reports more virtual
// free capacity than before, and gets the next one. Rehearsals are made to show
// this.
//
// # What is not simulated
//
// Creates that fail on the array, retries, deletes, the duration of a create, and
// reports at different times. All of them change numbers a little, and none
// concentrates volumes on one array.
//
// A rehearsal has no clock and does no I/O. The same reports, burst and setting
// give the same outcome. Everything here may be called from any goroutine.
package rehearsal
