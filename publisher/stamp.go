package publisher

import "time"

// stamp returns the timestamp for a report sent now and, if it would lie in
// the future, how long to wait until it does not. All arithmetic is in whole
// microseconds, the grain of the wire.
//
// Two clocks bound it: ours, and cinder-volume's as its last report told it. A
// scheduler whose clock agrees with either of them is safe from the future.
func (b *backend) stamp(now time.Time) (time.Time, time.Duration) {
	stamp, limit := micros(b.report.CollectedAt), micros(now)
	if b.base != nil {
		limit = earlier(limit, micros(b.base.stamp.Add(now.Sub(b.base.at))))
		stamp = earlier(stamp, limit)
	}
	if stamp.Before(b.floor) {
		stamp = b.floor
	}
	return stamp, max(0, stamp.Sub(limit))
}

// micros drops the monotonic reading and what the wire cannot carry.
func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
