package publisher

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

const (
	// overlayWindow bounds the stamps of the overlays of one base report: a
	// thousand of them. It is much shorter than the time between two reports of
	// cinder-volume, so that an overlay of one is never later than the next.
	overlayWindow = time.Millisecond
	// maxReordering is how much lower the stamp of a later report may be although
	// the clock of its host was not set back: casts of oslo.messaging can arrive
	// out of order.
	maxReordering = time.Second
	// expiryIntervals is the age, in intervals of cinder-volume, at which its
	// report is not used as a base any more.
	expiryIntervals = 2
	// longestGap bounds what counts as a slow period of cinder-volume, in
	// polling intervals. A longer gap is an outage.
	longestGap = 10
)

// base is a report of cinder-volume, as it was received. Stamps are those of
// cinder-volume's clock, in whole microseconds, the precision of the message.
type base struct {
	host, cluster string
	raw           json.RawMessage // the capabilities until they are parsed, then nil
	set           capability.Set  // nil if they could not be parsed
	fault         error           // why this report cannot be overlaid, nil if it can
	stamp         time.Time       // zero if the report has none
	at            time.Time       // when it was received, by our clock
	highest       time.Time       // the latest stamp published for it by this agent or a peer
	sent          time.Time       // the latest stamp published for it by this agent
}

func newBase(in incoming, at time.Time) *base {
	return &base{
		host: in.host, cluster: in.cluster, raw: in.raw, fault: in.fault,
		stamp: in.stamp, at: at, highest: in.stamp,
	}
}

// parse reads the capabilities, once.
func (b *base) parse() {
	if b.raw != nil && b.fault == nil {
		b.set, b.fault = capability.ParseSet(b.raw)
	}
	b.raw = nil
}

// capabilities returns what parse would keep, without keeping it.
func (b *base) capabilities() (capability.Set, error) {
	if b.raw == nil || b.fault != nil {
		return b.set, b.fault
	}
	return capability.ParseSet(b.raw)
}

// next is the stamp of the next overlay: one microsecond after the latest that
// the schedulers may hold. They accept it only where they accepted the report
// itself, and it is earlier than any placement made since
// (cinder/scheduler/host_manager.py, PoolState.consume_from_volume), so that no
// deduction is lost.
func (b *base) next() time.Time { return b.highest.Add(time.Microsecond) }

// exhausted reports whether no further overlay has a stamp that belongs to this
// report: there were a thousand, or a report of a stale array was published.
func (b *base) exhausted() bool { return b.next().Sub(b.stamp) >= overlayWindow }

// nextStale is the stamp of a report of a stale array. It must be accepted also
// after a placement, so it is as late as the time that has passed by
// cinder-volume's clock. It cannot be later than cinder-volume's next report.
func (b *base) nextStale(now time.Time) time.Time {
	elapsed := b.stamp.Add(now.Sub(b.at)).Truncate(time.Microsecond)
	if next := b.next(); elapsed.Before(next) {
		return next
	}
	return elapsed
}

// publish records a stamp that is about to be published by this agent.
func (b *base) publish(stamp time.Time) { b.highest, b.sent = stamp, stamp }

// publishedByPeer records the stamp of a peer's message.
func (b *base) publishedByPeer(stamp time.Time) {
	if stamp.After(b.highest) {
		b.highest = stamp
	}
}

// held reports whether the schedulers hold an overlay of this agent for the
// report, and nothing later.
func (b *base) held() bool { return !b.sent.IsZero() && b.sent.Equal(b.highest) }

// source is one sending host of a backend: the cinder-volume of a member.
type source struct {
	base  *base
	gaps  recent // between its reports
	skews recent // of its clock against ours, transport included
}

// add takes a report and returns whether it is the new base. The report received
// last is, also if its stamp is lower because the clock of its host was set back,
// but not one that arrived out of order or is the same once more.
func (s *source) add(b *base, polling time.Duration) bool {
	old := s.base
	if old == nil {
		s.base = b
		s.skew(b)
		return true
	}
	ahead := old.stamp.Sub(b.stamp)
	if !old.stamp.IsZero() && !b.stamp.IsZero() && ahead >= 0 && ahead < maxReordering {
		return false
	}
	// Reports that follow a deletion or a retype come in between and do not show
	// the period.
	if gap := b.at.Sub(old.at); gap >= polling/2 && gap <= longestGap*polling {
		s.gaps.add(gap)
	}
	s.base = b
	s.skew(b)
	return true
}

func (s *source) skew(b *base) {
	if !b.stamp.IsZero() {
		s.skews.add(b.stamp.Sub(b.at.Round(0)))
	}
}

// interval is the time within which the next report is expected: the polling
// interval of cinder-volume, or the longest recent gap where a slow array
// makes it longer.
func (s *source) interval(polling time.Duration) time.Duration {
	return max(polling, s.gaps.max())
}

// expires is when the base is too old to be overlaid.
func (s *source) expires(polling time.Duration) time.Time {
	return s.base.at.Add(expiryIntervals * s.interval(polling))
}

// clockSkew is how far the clock of the source is ahead of ours, nil before it
// has sent enough reports. A delayed message makes a clock look behind, never
// ahead, so the greatest of several is nearest to the skew.
func (s *source) clockSkew() *time.Duration {
	if len(s.skews) < 3 {
		return nil
	}
	skew := s.skews.max()
	return &skew
}

// maxRecent is how many durations recent keeps.
const maxRecent = 5

// recent are the last durations that were added.
type recent []time.Duration

func (r *recent) add(d time.Duration) {
	*r = append(*r, d)
	if len(*r) > maxRecent {
		*r = slices.Delete(*r, 0, 1)
	}
}

// max is the greatest of those kept, 0 if there is none.
func (r recent) max() time.Duration {
	if len(r) == 0 {
		return 0
	}
	return slices.Max(r)
}

// maxSources bounds the hosts that are kept for one backend.
const maxSources = 16

// sources are the sending hosts of one backend: one, or the members of a
// cluster.
type sources map[string]*source

// add takes a report and returns whether it is a new base.
func (s sources) add(b *base, polling time.Duration) bool {
	from := s[b.host]
	if from == nil {
		for len(s) >= maxSources {
			delete(s, oldest(s, func(s *source) time.Time { return s.base.at }))
		}
		from = &source{}
		s[b.host] = from
	}
	return from.add(b, polling)
}

// current is the source whose report the schedulers hold: the one with the
// highest stamp of those that have not expired, else the one received last. It
// is nil if nothing was received.
func (s sources) current(now time.Time, polling time.Duration) *source {
	var best *source
	for _, from := range s {
		if best == nil || from.before(best, now, polling) {
			best = from
		}
	}
	return best
}

func (s *source) before(other *source, now time.Time, polling time.Duration) bool {
	fresh, otherFresh := s.expires(polling).After(now), other.expires(polling).After(now)
	if fresh != otherFresh {
		return fresh
	}
	if fresh {
		return s.base.stamp.After(other.base.stamp)
	}
	return s.base.at.After(other.base.at)
}

// publishedByPeer records the stamp of a peer's message. The schedulers accept
// nothing lower any more, for any base.
func (s sources) publishedByPeer(stamp time.Time) {
	for _, from := range s {
		from.base.publishedByPeer(stamp)
	}
}

// size is how many bytes the unparsed reports have.
func (s sources) size() int {
	n := 0
	for _, from := range s {
		n += len(from.base.raw)
	}
	return n
}

const (
	// maxRetained and maxRetainedBytes bound what is kept of backends that are
	// not this agent's, or not yet.
	maxRetained      = 512
	maxRetainedBytes = 8 << 20
)

// retained are the reports of backends that this publisher has no update of: an
// array that is first polled after cinder-volume has reported, and a stanza that
// was removed and added again, get their base from here. The reports of other
// hosts are kept too, within bounds.
type retained struct {
	backends map[string]sources // by identity
	bytes    int
}

func newRetained() *retained { return &retained{backends: map[string]sources{}} }

func (r *retained) add(identity string, b *base, polling time.Duration) {
	known := r.take(identity)
	if known == nil {
		known = sources{}
	}
	known.add(b, polling)
	r.put(identity, known)
}

func (r *retained) put(identity string, s sources) {
	if len(s) == 0 {
		return
	}
	r.bytes += s.size()
	r.backends[identity] = s
	for len(r.backends) > maxRetained || r.bytes > maxRetainedBytes {
		r.take(oldest(r.backends, sources.latest))
	}
}

// take returns what is kept of a backend and keeps it no longer.
func (r *retained) take(identity string) sources {
	s := r.backends[identity]
	delete(r.backends, identity)
	r.bytes -= s.size()
	return s
}

// oldest returns the key whose value has the earliest time.
func oldest[V any](m map[string]V, at func(V) time.Time) string {
	return slices.MinFunc(slices.Collect(maps.Keys(m)), func(a, b string) int { return at(m[a]).Compare(at(m[b])) })
}

// latest is when the last report was received.
func (s sources) latest() time.Time {
	var latest time.Time
	for _, from := range s {
		if from.base.at.After(latest) {
			latest = from.base.at
		}
	}
	return latest
}
