package flasharray

import "time"

// clock knows the array's time. Samples are stamped with it, and a host whose
// own clock is wrong would ask for the wrong window and call fresh samples old.
//
// The Date of every answer tells it, so that a step of either clock is noticed
// at once. Should Date be the clock of something in front of the array, the
// array's own _as_of, which it tells at login, sets that right.
type clock struct {
	skew     *time.Duration // array's clock minus ours; nil if not known
	fromDate time.Duration  // array's clock minus Date
}

// observe learns from the Date of an answer, which is cut to whole seconds.
func (c *clock) observe(a *answer) {
	if date, ok := a.date(); ok {
		c.set((date.Add(c.fromDate).Sub(a.received) + time.Second/2).Truncate(time.Second))
	}
}

// setAsOf learns from an array's item, REST 2.26 and later.
func (c *clock) setAsOf(array object, a *answer) {
	now, ok := array.time("_as_of")
	if !ok {
		return
	}
	if date, ok := a.date(); ok {
		c.fromDate = now.Sub(date).Truncate(time.Second)
	}
	c.set(now.Sub(a.received).Round(time.Second))
}

func (c *clock) set(skew time.Duration) { c.skew = &skew }

// at converts an instant of this host.
func (c *clock) at(t time.Time) time.Time {
	if c.skew != nil {
		t = t.Add(*c.skew)
	}
	return t
}

// known reports whether the array's time of an answer is known.
func (c *clock) known(a *answer) bool {
	_, dated := a.date()
	return dated || c.skew != nil
}

// answered is the array's time when it gave an answer.
func (c *clock) answered(a *answer) time.Time {
	if date, ok := a.date(); ok {
		return date.Add(c.fromDate)
	}
	return c.at(a.received)
}
