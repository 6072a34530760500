// Package collector polls arrays and makes for each backend the report that
// the Cinder driver would make, with some additional keys.
//
// A [Target] is one stanza of cinder.conf with the array behind it. The
// [Collector] runs one goroutine for each target, so that an array that hangs
// or whose client panics delays no other:
//
//	Source.Sample --> capability.Sample --> Merge --> capability.Report --> Observer
//
// # Schedule
//
// The offset of an array within the interval is a hash of its host's name, so
// that polls of many arrays are spread evenly and do not drift. The first poll
// comes within three seconds of the start, the next ones at the offset. A poll
// has a timeout shorter than the interval; one that is due while another still
// runs is skipped and counted, never queued. After a failure the wait doubles,
// with jitter, to 30 seconds at most, because a network may recover at any
// moment; after a refused login to five minutes, because arrays count those. A
// 429 or 503 with Retry-After postpones the next poll by that time.
//
// # Stale reports
//
// A report is published until a newer one replaces it, or until no poll has
// succeeded for three intervals. Then the stale [Policy] applies: by default
// nothing is published any more and cinder-volume's own report stays in effect.
// No value is invented: what was not measured is absent, and what is old
// carries its age.
//
// A sample in which some part is missing makes a report whose metrics_status
// is partial; one whose performance sample is much older than the interval
// makes one that is stale, even though the poll succeeded.
//
// # The last hour
//
// With [Target].History the poller keeps what the array reported of the last hour, and
// the report has its 90th percentiles and the class of load. They are absent until three
// quarters of the hour are covered, and the history ends with the poller.
//
// # Reload
//
// [Collector.Apply] takes the complete list of targets again. A target with
// the same connection keeps its session and history, and a change of its
// stanza is reported at once from the last sample. Others start or stop
// independently. When a target stops, it is removed from the [Observer] and its
// Source is closed.
//
// # Pitfalls
//
// A report carries the time at which its sample was started, not completed:
// what the scheduler placed in between must stay deducted.
//
// The driver's report is reproduced to the last digit, also where it is
// peculiar. DRIVER.md lists every difference, and a test compares with the real
// driver.
package collector
