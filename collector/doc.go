// Package collector polls arrays and says of each backend what the Cinder
// driver would say, and a little more.
//
// A [Target] is one stanza of cinder.conf with the array behind it. The
// [Collector] gives each target a goroutine of its own, so that an array which
// hangs, panics or lies costs nobody else anything:
//
//	Source.Sample --> capability.Sample --> Merge --> capability.Report --> Observer
//
// # Time
//
// An array's place in the interval follows from its host's name, so a thousand
// of them spread evenly and none drifts. The first poll comes within three
// seconds of the start, the next ones on the slot. A poll has a deadline
// shorter than the interval; one that is due while another still runs is
// skipped and counted, never queued. After a failure the wait grows, with
// jitter, to 30 seconds at most, because a network comes back at any moment;
// after a refused login to five minutes, because arrays count those. An array
// that answers 429 or 503 with Retry-After is left alone for that long.
//
// # Trust
//
// A report stands until a newer one replaces it, or until the array has not
// answered for three intervals. Then the [Policy] rules: by default nothing is
// published any more and cinder-volume's own report stands. A report is never
// made up: what was not measured is absent, and what is old comes with its age.
//
// A reading in which some part is missing makes a report whose metrics_status
// is partial; one whose performance sample is much older than the interval
// makes one that is stale, even though the array answers.
//
// # Change
//
// [Collector.Apply] takes the whole list of targets again. A target whose
// connection is the same goes on with its session and history, and a change of
// its stanza is reported at once from the last reading. Others start or stop
// alone. A target that stops is withdrawn, and its Source closed.
//
// # Traps
//
// A report is stamped with the instant at which its reading was begun, not
// ended: what the scheduler placed in between must stay deducted.
//
// The driver's report is reproduced to the last digit, also where it is
// peculiar. DRIVER.md lists every difference there is, and a test runs the
// real driver against it.
package collector
