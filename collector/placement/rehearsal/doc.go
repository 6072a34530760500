// Package rehearsal plays a burst of creates against reports, without creating
// anything, and says where the volumes would go: under the settings a cloud
// has, and under others.
//
// One decision is easy to predict. A burst is not, because each decision rests
// on what the scheduler believes by then, and its beliefs are put together from
// two things that do not know of each other: reports, which come once per
// interval and are at least a little old, and the scheduler's own deductions,
// which are instant and know nothing of what other schedulers do.
//
// # The model
//
// There are arrays, which know the truth, and schedulers, which believe. Every
// interval all arrays report. A create goes to the schedulers in turn, as
// RabbitMQ deals them out. The scheduler chooses on what it believes, deducts
// the volume from its own picture (cinder/scheduler/host_manager.py,
// consume_from_volume), and the array has the volume at once.
//
// A scheduler looks at the reports at each create, as Cinder does
// (_update_backend_state_map). The numbers of a report, and with them the end of
// all deductions, are taken over unless the scheduler has deducted something
// since the report's timestamp; the capabilities, which extra specs and
// functions read, always are (PoolState.update_from_volume_capability). So a
// report that is stamped ahead of the scheduler's clock makes it forget each
// deduction at the very next create. [Burst.Skew] shows what that does.
//
// # What a volume does to its array
//
// It is provisioned in full and counted. It fills only the share of its size
// that [Burst.Fill] says, and nothing by default, as a new volume is empty. An
// automatic over-subscription ratio is the array's reduction, provisioned over
// physical, so an empty volume raises it: the array that gets a volume looks
// roomier than before, and gets the next one. This is the trap that rehearsals
// are for.
//
// # What is not in it
//
// Creates that fail on the array, retries, deletes, the time that a create
// takes, and reports that arrive out of step. All of it moves numbers a little
// and none of it moves them from one array to all.
//
// A rehearsal has no clock and does no I/O. The same reports, burst and setting
// give the same outcome. Everything here may be called from any goroutine.
package rehearsal
