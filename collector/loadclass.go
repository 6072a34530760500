package collector

import (
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// ClassLimits are load_class_limits, in percent: a load below Low is low, one above High
// is high.
type ClassLimits struct{ Low, High int64 }

const (
	// classMargin is by how many points the load must be beyond a limit for another
	// class. A percentile of an hour's samples varies by less while the load is the
	// same.
	classMargin = 5
	// classTime is for how long it must be so. It bounds the changes to six an
	// hour, also where short peaks move the percentile by more than the margin.
	classTime = 10 * time.Minute
)

// loadClass is the class of load with its hysteresis. The zero value has no class yet.
type loadClass struct {
	level  int   // 1 low, 2 normal, 3 high; 0 for none
	toward int   // the neighbouring level beyond whose limit the load is; 0 for none
	since  int64 // when that began
}

// update changes the class to a neighbouring one when the load has been beyond the limit
// between them by the margin for long enough. The first class follows from the limits
// alone. Times are Unix milliseconds.
func (c *loadClass) update(at, load int64, limits ClassLimits) {
	if c.level == 0 {
		c.level = limits.level(load)
		return
	}
	toward := 0
	switch up, down := limits.up(c.level), limits.down(c.level); {
	case c.level < 3 && load >= up:
		toward = c.level + 1
	case c.level > 1 && load <= down:
		toward = c.level - 1
	}
	if toward != c.toward {
		c.toward, c.since = toward, at
	}
	if toward != 0 && at-c.since >= classTime.Milliseconds() {
		c.level, c.toward = toward, 0
	}
}

// name is the value of load_class; none without a class, which is for the log.
func (c *loadClass) name() string {
	return [...]string{"none", capability.LoadLow, capability.LoadNormal, capability.LoadHigh}[c.level]
}

func (l ClassLimits) level(load int64) int {
	switch {
	case load < l.Low:
		return 1
	case load > l.High:
		return 3
	}
	return 2
}

// up is the load from which a level is left for the one above.
func (l ClassLimits) up(level int) int64 {
	if level == 1 {
		return l.Low + classMargin
	}
	return l.High + classMargin
}

// down is the load down to which a level is left for the one below.
func (l ClassLimits) down(level int) int64 {
	if level == 3 {
		return l.High - classMargin
	}
	return l.Low - classMargin
}
