package publisher

import (
	"fmt"
	"math"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

const (
	// silentIntervals is how long another agent is believed to be there.
	silentIntervals = 3
	// oldIntervals is the age at which a report is too old to be laid over
	// anything, should whoever offers reports have died.
	oldIntervals = 10
	// askAgain is how long "no cinder-volume is running" is believed. Asking
	// costs the broker a line in its log.
	askAgain = 5 * time.Minute
	// capacityTolerance is the share by which the heard and the measured total
	// capacity may differ and still be one array's.
	capacityTolerance = 0.01
)

// decide says what to do about a backend now. The rules are tried in order;
// the first that holds decides.
func (b *backend) decide(self string, o Options, now time.Time) decision {
	b.wake = time.Time{}
	if d, held := b.silent(o, now); held {
		return d
	}
	if o.Standalone {
		return decision{state: Standalone, detail: "the overlay is switched off"}
	}
	if d, held := b.yield(self, now); held {
		return d
	}
	if d, held := b.interlock(); held {
		return d
	}
	if b.base == nil {
		return b.listen(o, now)
	}
	return decision{state: Overlaying}
}

// silent holds when there is nothing to say.
func (b *backend) silent(o Options, now time.Time) (decision, bool) {
	if b.withdrawn != "" {
		return decision{state: Withdrawn, detail: b.withdrawn}, true
	}
	if old := oldIntervals * o.Interval; now.Sub(b.report.CollectedAt) > old {
		return decision{state: Withdrawn, detail: fmt.Sprintf("the last reading is more than %s old", old)}, true
	}
	return decision{}, false
}

// yield holds while a better agent speaks for this backend.
func (b *backend) yield(self string, now time.Time) (decision, bool) {
	if !b.rival.until.After(now) || !b.rival.outranks(rival{name: self, status: statusOf(b.report.Capabilities)}) {
		return decision{}, false
	}
	b.wake = b.rival.until
	return decision{state: Standby, detail: "agent " + b.rival.name + " sees to it"}, true
}

// outranks compares by what both have published, so that each of two agents
// comes to the same answer.
func (r rival) outranks(other rival) bool {
	if mine, theirs := rank(r.status), rank(other.status); mine != theirs {
		return mine < theirs
	}
	return r.name < other.name
}

func rank(s capability.Status) int {
	switch s {
	case capability.Stale:
		return 2
	case capability.Partial:
		return 1
	}
	return 0
}

func statusOf(s capability.Set) capability.Status {
	text, _ := s[capability.KeyMetricsStatus].Str()
	return capability.Status(text)
}

// interlock holds when base and report are not about the same thing.
func (b *backend) interlock() (decision, bool) {
	suspend := func(c Cause, format string, args ...any) (decision, bool) {
		return decision{state: Suspended, cause: c, detail: fmt.Sprintf(format, args...)}, true
	}
	if id := arrayID(b.report); id != "" && b.array != "" && id != b.array {
		return suspend(DifferentArray, "the array's id was %s and is %s; if that is meant, reload the stanza or restart", b.array, id)
	}
	if b.base == nil {
		return decision{}, false
	}
	if b.base.fault != nil {
		return suspend(UnreadableBase, "cinder-volume's report cannot be learnt: %v", b.base.fault)
	}
	if pools, ok := b.base.set["pools"]; ok && !pools.IsNull() {
		return suspend(BaseHasPools, "cinder-volume reports pools, which the Pure driver does not")
	}
	theirs, known := b.base.set[capability.KeyTotalCapacity].Float()
	if known && b.total > 0 && math.Abs(theirs-b.total) > capacityTolerance*theirs {
		return suspend(DifferentCapacity, "cinder-volume reports %.1f GiB in total and the array %.1f; has it failed over?", theirs, b.total)
	}
	return decision{}, false
}

// listen decides while no base was heard.
func (b *backend) listen(o Options, now time.Time) decision {
	if b.since.IsZero() {
		b.since = now
	}
	grace := b.since.Add(o.ListenFirst)
	switch {
	case !grace.After(now):
		return decision{state: Standalone, detail: "cinder-volume runs, but was not heard for " + o.ListenFirst.String()}
	case !b.presence.known, !b.presence.running && now.Sub(b.presence.at) > askAgain:
		return decision{state: Listening, detail: "nothing was heard of cinder-volume yet", probe: true}
	case !b.presence.running:
		return decision{state: Standalone, detail: "no cinder-volume runs for it"}
	}
	b.wake = grace
	return decision{state: Listening, detail: "cinder-volume runs, and its report is waited for"}
}
